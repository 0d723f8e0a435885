"""`mami reproduce`: a paper's table again, with what can be had here beside the paper's own rows.

`sat-table1` is Show, Attend and Tell's table 1 on captioned scenes: soft and hard attention and the four places to put
the picture without attention. Each is trained on the fixed split, stopped on validation and tested once: its test
captions are kept, and an interrupted command goes on where it was.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import torch

from mami_core.captioning.decoding import Decoding
from mami_core.captioning.names import CAPTIONERS
from mami_core.captioning.vocabulary import Vocabulary
from mami_core.config import ReproduceConfig, settings_sha256
from mami_core.device import choose_device
from mami_core.interop.captioned_images import PREFIX, CaptionedImages
from mami_core.pipeline.progress import Report, print_result, progress
from mami_core.pipeline.tables.sat_table import as_markdown, table_of
from mami_core.pipeline.tables.sections import write_section
from mami_core.pipeline.trainings.captioned import encoded_splits, image_encoder, open_images_with_captions
from mami_core.records import join_words
from mami_core.store import cache_folder
from mami_core.store.atomic import replacing
from mami_core.training.batches import DescribedUnits, caption_length, reference_texts
from mami_core.training.captioner import CaptionerRecipe, train_captioner
from mami_core.training.loop import LoopSettings
from mami_core.training.selection import decoded_captions, select_decoding

_SELECTED_ON: Final = 200  # validation images that the decoding is chosen on
_DECODINGS: Final = {
    "greedy": Decoding("greedy"),
    "beam 5": Decoding("beam", beam_size=5),
    "beam 5, length^0.9": Decoding("beam", beam_size=5, length_power=0.9),
}


@dataclass(frozen=True, eq=False)
class Setting:
    """What all captioners of the table share."""

    data: CaptionedImages
    splits: Mapping[str, Mapping[str, DescribedUnits]]  # "attention" or "vector" → split → images
    vocabulary: Vocabulary
    length: int
    folder: Path

    def images(self, captioner: str) -> Mapping[str, DescribedUnits]:
        """Return the images as a captioner reads them: 196 regions, or one vector."""
        return self.splits["attention" if CAPTIONERS[captioner].get("heads", True) else "vector"]


def run_reproduction(config: ReproduceConfig) -> None:
    """Train and test every captioner of the table, print it, and write it into the results file."""
    torch.set_num_threads(config.threads)
    with progress(quiet=config.json) as report:
        setting = prepare(config, report)
        runs = {
            captioner: [run_one(captioner, seed, setting, config, report) for seed in range(config.seeds)]
            for captioner in config.captioners
        }
        report("evaluate", 0, 1)
        table = table_of(setting.data, runs, meteor=config.meteor, encoder=config.encoder)
        report("evaluate", 1, 1)
    command = f"mami reproduce {config.table} --scenes {config.scenes} --seeds {config.seeds}"
    text = as_markdown(table, command=command)
    if config.out is not None:
        write_section(config.out, config.table, text, title="Results")
    print_result(table, as_json=config.json, text=text)


def prepare(config: ReproduceConfig, report: Report) -> Setting:
    """Paint, describe and encode the scenes; the vocabulary is of the training captions."""
    data = open_images_with_captions(f"{PREFIX}{config.scenes}", None, seed=0, report=report)
    encoder = image_encoder(data, config.encoder)
    # which captioner is named only decides between regions and one vector
    splits = {
        kind: encoded_splits(data, encoder, captioner, report=report)
        for kind, captioner in (("attention", "sat-soft"), ("vector", "merge"))
    }
    train = splits["attention"]["train"]
    shared = {"scenes": config.scenes, "encoder": encoder.sha256, "epochs": config.epochs, "table": config.table}
    return Setting(
        data=data,
        splits=splits,
        vocabulary=Vocabulary.from_texts(reference_texts(train), min_count=5),
        length=caption_length(train, quantile=0.999),
        folder=cache_folder() / "reproduce" / settings_sha256({**shared, "recipe": repr(_recipe(config, 0))})[:16],
    )


def _recipe(config: ReproduceConfig, seed: int) -> CaptionerRecipe:
    """Return how every captioner of the table is trained."""
    loop = LoopSettings(epochs=config.epochs, patience=2, learning_rate=4e-3, seed=seed)
    return CaptionerRecipe(
        hidden_size=128, embedding_size=64, attention_size=32, regions=49, batch_size=32, feature_dropout=0.1,
        select="bleu", penalty=0.1, loop=loop,
    )  # fmt: skip


def run_one(captioner: str, seed: int, setting: Setting, config: ReproduceConfig, report: Report) -> dict[str, Any]:
    """Return one captioner's test captions and how it came by them, trained now or in an earlier run."""
    kept = setting.folder / f"{captioner}-{seed}.json"
    if kept.is_file():
        return json.loads(kept.read_text(encoding="utf-8"))
    images, words = setting.images(captioner), setting.vocabulary
    decoder, history = train_captioner(
        captioner,
        images["train"],
        images["val"],
        words,
        length=setting.length,
        recipe=_recipe(config, seed),
        folder=setting.folder / f"{captioner}-{seed}",
        device=choose_device(config.device),
        progress=lambda done, total, _: report(f"{captioner}, seed {seed}", done, total),
    )
    few = images["val"].take(range(min(_SELECTED_ON, len(images["val"]))))
    chosen = select_decoding(decoder, None, words, few, settings=_DECODINGS)
    said = decoded_captions(decoder, words, images["test"], chosen.decoding)
    result = {
        "captions": [join_words(caption.split()) for caption in said],
        "decoding": chosen.name,
        "epochs": len(history.epochs),
        "best_epoch": history.best_epoch + 1,
        "val_bleu": max(figures["val_bleu"] for figures in history.epochs),
        "cpu_seconds": round(history.cpu_seconds, 1),
        "parameters": sum(weight.numel() for weight in decoder.parameters()),
        "recipe": asdict(_recipe(config, seed)),
    }
    with replacing(kept) as partial:
        partial.write_text(json.dumps(result, indent=1), encoding="utf-8")
    return result
