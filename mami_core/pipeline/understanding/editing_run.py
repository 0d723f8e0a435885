"""One network of the editing experiment: trained with a cue, dissected, captioned, silenced; then kept."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import torch
from PIL import Image

from mami_core.captioning.captioner import Captioner
from mami_core.captioning.encoders import AnyEncoder
from mami_core.config import DissectConfig, EditingConfig, settings_sha256
from mami_core.dissection import dissect
from mami_core.dissection.masks import unit_masks
from mami_core.inputs import Network
from mami_core.pipeline.captions.caption import caption_dissection
from mami_core.pipeline.progress import Report
from mami_core.pipeline.sources import scenery_network
from mami_core.pipeline.understanding.cued import SIZES, CuedScenes, cued_scenes, test_scenes
from mami_core.probing.intervention.editing import by_drop_alone, finetune_last_layer, random_orders
from mami_core.probing.intervention.judge import Judge, one_right_answer
from mami_core.probing.intervention.naming import part_pattern, units_that_say
from mami_core.probing.intervention.silencing import silenced
from mami_core.scenery.cues import CUE_PART, CUED_PLACES
from mami_core.scenery.networks import SceneryAlexNet
from mami_core.scenery.parts import PARTS
from mami_core.store import Dissection, cache_folder
from mami_core.store.atomic import replacing
from mami_core.training.cued import LAYER, RECIPE, START, WIDTHS, AfterLayer, maps_of, train_cued

FRACTIONS: Final = (0.05, 0.1, 0.2)  # of the layer's units
EDITED: Final = 0.1  # the fraction that the claim is about
_MAP: Final = 28


@dataclass(eq=False)
class Seconds:
    """CPU seconds by stage."""

    spent: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def of(self, stage: str) -> Iterator[None]:
        """Count the block."""
        started = time.process_time()
        yield
        self.spent[stage] = round(self.spent.get(stage, 0.0) + time.process_time() - started, 2)


def run_folder(config: EditingConfig) -> Path:
    """Return where runs of these settings are kept."""
    facts = {
        "captioner": config.captioner, "method": config.method, "controls": config.controls,
        "finetune": config.finetune, "recipes": [asdict(START), asdict(RECIPE)], "widths": WIDTHS,
        "fractions": FRACTIONS, "places": CUED_PLACES, "sizes": SIZES,
    }  # fmt: skip
    return cache_folder() / "editing" / settings_sha256(facts)[:16]


def kept_run(config: EditingConfig, strength: float, seed: int) -> Path:
    """Return the file of one network's figures, there or not."""
    return run_folder(config) / f"strength-{strength:g}-seed-{seed}.json"


def run_one(
    config: EditingConfig, strength: float, seed: int, captioner: tuple[Captioner, AnyEncoder], report: Report
) -> dict[str, Any]:
    """Return one network's figures, made now or in an earlier run."""
    kept = kept_run(config, strength, seed)
    if kept.is_file():
        return json.loads(kept.read_text(encoding="utf-8"))
    seconds = Seconds()
    with TemporaryDirectory() as folder:
        found = _made(config, strength, seed, captioner, Path(folder) / "d", seconds, report)
    kept.parent.mkdir(parents=True, exist_ok=True)
    with replacing(kept) as partial:
        partial.write_text(json.dumps({**found, "cpu_seconds": seconds.spent}), encoding="utf-8")
    return json.loads(kept.read_text(encoding="utf-8"))


def _made(
    config: EditingConfig,
    strength: float,
    seed: int,
    captioner: tuple[Captioner, AnyEncoder],
    folder: Path,
    seconds: Seconds,
    report: Report,
) -> dict[str, Any]:
    what = f"strength {strength:g}, seed {seed}"
    with seconds.of("paint"):
        train, val = cued_scenes("train", strength, seed), cued_scenes("val", 1.0, seed)
        train.pixels, val.pixels  # noqa: B018  # painted now, so that it is not counted as training
    with seconds.of("train"):
        module = train_cued(
            train.pixels, train.places, recipe=replace(RECIPE, seed=seed), start=_start(seed),
            progress=lambda done, total, _loss: report(f"{what}: train", done, total),
        )  # fmt: skip
    network = scenery_network(f"cued-{strength:g}-{seed}", module)
    with seconds.of("dissect"):
        dissection = _dissected(network, val, folder)
    with seconds.of("caption"):
        caption_dissection(dissection, *captioner, dissection.unit_keys(), batch_size=32, report=report)
    dissection = Dissection.open(folder)
    spoken = captioner[0].name
    named = [unit for _, unit in units_that_say(dissection, spoken, part_pattern(CUE_PART), "pattern")]
    with seconds.of("silence"):
        order = by_drop_alone(judge_of(module, val), LAYER, named, config.method)
        truth = _by_true_share(dissection, val)
        figures = _silenced(config, module, order, truth, seed)
    if config.finetune:
        with seconds.of("finetune"):
            figures |= _finetuned(module, order, train)
    captions = {unit: dissection.said(spoken, LAYER, unit) for unit in order}
    return {"strength": strength, "seed": seed, "units": WIDTHS[-1], "named": order, "captions": captions,
            "by_truth": truth, "weights_sha256": network.weights_sha256, **figures}  # fmt: skip


@lru_cache(maxsize=8)
def _start(seed: int) -> SceneryAlexNet:
    """Return a network that knows the places from scenes without a cue; one for all strengths."""
    bare = cued_scenes("train", 0.0, seed)
    return train_cued(bare.pixels, bare.places, recipe=replace(START, seed=seed))


def _dissected(network: Network, val: CuedScenes, folder: Path) -> Dissection:
    config = DissectConfig(network="scenery:alexnet", images=val.name, out=folder, layers=(LAYER,), map_size=_MAP)
    return dissect(network, val, config, folder)


def judge_of(module: SceneryAlexNet, scenes: CuedScenes) -> Judge:
    """Return what asks a network for the places of some scenes; only what follows the edited layer is run again."""
    maps = maps_of(module, scenes.pixels)
    right = one_right_answer(scenes.places, len(CUED_PLACES))
    after = Network(name=f"after {LAYER}", module=AfterLayer(module).eval(), preprocess=to_tensor)
    return Judge(after, (maps,), right, (LAYER,))


def to_tensor(image: Image.Image) -> torch.Tensor:
    """Refuse an image: what follows a layer is fed with the layer's maps."""
    raise ValueError(f"what follows {LAYER} takes maps, not {image.size} pixels")


def _by_true_share(dissection: Dissection, scenes: CuedScenes) -> list[int]:
    """Return the layer's units, those first whose masks hold most of the cue: what a perfect caption would find."""
    shares = []
    for key in dissection.unit_keys(LAYER):
        ids = [exemplar.image_id for exemplar in dissection.exemplars_of(*key).get("top", ())]
        parts = np.stack([scenes.scene(index).part_map()[2::4, 2::4] for index in ids])  # (k, 28, 28)
        masks = unit_masks(dissection, *key, (_MAP, _MAP))  # (k, 28, 28) bool
        shares.append((masks & (parts == PARTS.index(CUE_PART))).sum() / max(1, masks.sum()))
    return np.argsort(-np.array(shares), kind="stable").tolist()


def _silenced(
    config: EditingConfig, module: SceneryAlexNet, order: Sequence[int], truth: Sequence[int], seed: int
) -> dict[str, Any]:
    """Return right and wrong on the test scenes, each as a string of 1 and 0, by whose units are silenced."""
    misleads, agrees, none = (judge_of(module, scenes) for scenes in test_scenes())
    tenth = _first(order, EDITED)
    kept = {
        "whole": {"misleads": misleads.whole, "agrees": agrees.whole, "none": none.whole},
        "edited": {"agrees": agrees.correct(tenth, config.method), "none": none.correct(tenth, config.method)},
    }
    controls = random_orders(WIDTHS[-1], config.controls, seed)
    curves = {}
    for fraction in FRACTIONS:
        count = len(_first(order, fraction)[LAYER])  # where fewer units name the cue, the controls are as few
        curves[f"{fraction:g}"] = {
            "silenced": count,
            "caption": _digits(misleads.correct(_first(order, fraction), config.method)),
            "truth": _digits(misleads.correct({LAYER: truth[:count]}, config.method)),
            "random": [_digits(misleads.correct({LAYER: one[:count].tolist()}, config.method)) for one in controls],
        }
    return {"test": {who: {on: _digits(found) for on, found in rows.items()} for who, rows in kept.items()},
            "misleads": curves}  # fmt: skip


def _first(order: Sequence[int], fraction: float) -> dict[str, list[int]]:
    return {LAYER: list(order[: round(fraction * WIDTHS[-1])])}


def _digits(found: np.ndarray) -> str:
    return "".join("1" if entry else "0" for entry in found)


def _finetuned(module: SceneryAlexNet, order: Sequence[int], train: CuedScenes) -> Mapping[str, Any]:
    """Return right and wrong where the cue misleads after the last layer was trained again, units silenced or not."""
    before = {name: value.clone() for name, value in module.state_dict().items()}
    learning, tested = judge_of(module, train), judge_of(module, test_scenes()[0])
    found = {}
    for who, units in (("edited", _first(order, EDITED)), ("whole", {LAYER: []})):
        after = learning.network.module
        with silenced(after, learning.layouts, units, lambda _layer, _units: torch.zeros(())):
            finetune_last_layer(after, "fc7", learning.inputs[0].split(100), train.places, seed=0)
        found[who] = _digits(tested.correct(units, "zero"))
        module.load_state_dict(before)
    return {"finetuned": found}
