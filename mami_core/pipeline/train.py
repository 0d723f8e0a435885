"""`mami train`: teach a captioner what people, or simulated annotators, say of units."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from mami_core.captioning.checkpoint import Checkpoint, save_checkpoint
from mami_core.captioning.encoders import AnyEncoder
from mami_core.captioning.features import join_features, unit_features
from mami_core.captioning.vocabulary import Vocabulary
from mami_core.config import TrainConfig, settings_sha256
from mami_core.device import choose_device
from mami_core.pipeline.caption import encoder_at, encoder_facts
from mami_core.pipeline.progress import Report, print_result, progress
from mami_core.store import Dissection, cache_folder
from mami_core.training.batches import DescribedUnits, caption_length, described_units, reference_texts, split_places
from mami_core.training.captioner import CaptionerRecipe, train_captioner
from mami_core.training.language_model import train_language_model
from mami_core.training.loop import LoopSettings
from mami_core.training.selection import select_decoding

SPLITS = ("train", "val", "test")


@dataclass(frozen=True, eq=False)
class CaptionData:
    """The described units of one or more dissections, by split, with the words that describe them."""

    splits: Mapping[str, DescribedUnits]
    vocabulary: Vocabulary
    length: int  # most words of a caption
    trained_on: str
    simulated: bool


def gather(
    dissections: Sequence[Dissection], encoder: AnyEncoder, *, references: str, max_words: int, report: Report
) -> CaptionData:
    """Return what a captioner is trained on: units with regions and references, split by unit."""
    parts: dict[str, list[DescribedUnits]] = {name: [] for name in SPLITS}
    for dissection in dissections:
        described = [key for key in dissection.unit_keys() if dissection.references_of(*key)]
        features = unit_features(
            dissection,
            encoder,
            described,
            progress=_units(report, f"{dissection.name}: regions"),
        )
        for name in SPLITS:
            keys = split_places(features.keys, dissection.splits, name)
            parts[name].append(described_units(dissection, features, keys, references=references))
    joined = {name: _joined(found) for name, found in parts.items()}
    vocabulary = Vocabulary.from_texts(reference_texts(joined["train"]), min_count=2)
    return CaptionData(
        splits=joined,
        vocabulary=vocabulary,
        length=max_words or caption_length(joined["train"]),
        trained_on=";".join(f"{d.name}:{references}" for d in dissections),
        simulated=all(dissection.manifest.simulated for dissection in dissections),
    )


def _joined(parts: Sequence[DescribedUnits]) -> DescribedUnits:
    if len(parts) == 1:
        return parts[0]
    features = join_features([part.features for part in parts])
    starts = [sum(len(part.features) for part in parts[:place]) for place in range(len(parts))]
    rows = [row + start for part, start in zip(parts, starts, strict=True) for row in part.rows]
    return DescribedUnits(features, tuple(rows), tuple(text for part in parts for text in part.texts))


def run_training(config: TrainConfig) -> None:
    """Train one captioner and write its folder."""
    dissections = [Dissection.open(folder) for folder in (config.dissection, *config.also)]
    encoder = encoder_at(config.encoder)
    with progress(quiet=config.json) as report:
        data = gather(dissections, encoder, references=config.references, max_words=config.max_words, report=report)
        figures = train_one(data, encoder, config, report=report)
    text = f"{config.captioner} written to {config.out}: {figures}"
    print_result({"out": str(config.out), **figures}, as_json=config.json, text=text)


def train_one(data: CaptionData, encoder: AnyEncoder, config: TrainConfig, *, report: Report) -> dict[str, object]:
    """Train decoder and language model, choose the decoding on validation units, write the checkpoint."""
    device = choose_device(config.device)
    run = cache_folder() / "training" / settings_sha256({**config.__dict__, "out": str(config.out.resolve())})[:16]
    train, validation = data.splits["train"], data.splits["val"]
    language_model, _ = train_language_model(
        train,
        validation,
        data.vocabulary,
        length=data.length,
        folder=run / "language-model" if config.resume else None,
        progress=lambda done, total, _: report(f"{config.captioner}: language model", done, total),
    )
    decoder, history = train_captioner(
        config.captioner,
        train,
        validation,
        data.vocabulary,
        length=data.length,
        recipe=recipe_of(config),
        folder=run / "captioner" if config.resume else None,
        device=device,
        progress=lambda done, total, _: report(f"{config.captioner}: epochs", done, total),
    )
    chosen = select_decoding(decoder, language_model, data.vocabulary, validation)
    checkpoint = Checkpoint(
        decoder=decoder,
        vocabulary=data.vocabulary,
        language_model=language_model,
        settings=chosen.decoding.to_json(),
        encoder=encoder_facts(encoder),
        provenance={
            "trained_on": data.trained_on,
            "simulated": data.simulated,
            "validation": chosen.figures,
            "epochs": len(history.epochs),
            "seed": config.seed,
        },
    )
    save_checkpoint(config.out, checkpoint, half=True)
    return {"decoding": chosen.decoding.strategy, "validation": chosen.figures}


def recipe_of(config: TrainConfig) -> CaptionerRecipe:
    """Return the training recipe that a command line means."""
    loop = LoopSettings(
        epochs=config.epochs,
        patience=config.patience,
        learning_rate=config.learning_rate,
        optimizer=config.optimizer,
        seed=config.seed,
    )
    return replace(
        CaptionerRecipe(),
        hidden_size=config.hidden_size,
        embedding_size=config.embedding_size,
        attention_size=config.attention_size,
        dropout=config.dropout,
        penalty=config.doubly_stochastic,
        batch_size=config.batch_size,
        select=config.select,
        loop=loop,
    )


def _units(report: Report, what: str) -> Callable[[int, int], None]:
    return lambda done, total: report(what, done, total)
