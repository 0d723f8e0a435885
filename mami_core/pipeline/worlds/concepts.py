"""Where captioner `compositional` has its concepts from: a parts encoder, the bundled one or one that sees more.

`concepts@scenery` is `parts@scenery` trained further, on scenes of a stream of its own, with rare things weighing more.
It is made once, at first use, and kept among the models of `MAMI_HOME`; like any model it is found there by name.
"""

from __future__ import annotations

from typing import Final

import torch

from mami_core.captioning.encoder import CONFIG, RegionEncoder, fit_encoder, load_encoder, save_encoder
from mami_core.captioning.encoders import open_encoder
from mami_core.pipeline.progress import Report
from mami_core.scenery.images import SceneryImages
from mami_core.store import find_model
from mami_core.store.home import models_folder
from mami_core.training.painted import paint_many
from mami_core.training.segmentation import SHARPER, sharpen_parts_encoder
from mami_core.training.vision import VisionRecipe

SHARP: Final = "concepts@scenery"
BUNDLED: Final = "parts@scenery"
SCENES: Final = 8000
STREAM: Final = 900_009  # worlds paint streams 1 to 4 of each thousand, so that no dissection shows these scenes
_STANDARD: Final = 200  # scenes whose cells say what mean and spread are


def concept_encoder(name: str, report: Report) -> RegionEncoder:
    """Return the encoder that sees concepts, by folder or name; `concepts@scenery` is made where it is not yet.

    ValueError for an encoder that names no parts.
    """
    try:
        found = open_encoder(find_model(name, CONFIG))
    except FileNotFoundError:
        if name != SHARP:
            raise
        return sharp_encoder(report)
    if not isinstance(found, RegionEncoder):
        raise ValueError(f"encoder {name} sees no concepts: it names no parts; write {BUNDLED} or {SHARP}")
    return found


def sharp_encoder(report: Report, *, scenes: int = SCENES, recipe: VisionRecipe = SHARPER) -> RegionEncoder:
    """Make `concepts@scenery` and keep it in `MAMI_HOME`: about five CPU-minutes."""
    backbone = load_encoder(find_model(BUNDLED, CONFIG)).backbone
    source = SceneryImages(scenes, STREAM)
    painted = paint_many(len(source), source.seed, progress=lambda done, total: report(f"{SHARP}: paint", done, total))
    torch.manual_seed(recipe.seed)
    sharpen_parts_encoder(
        backbone, painted, recipe=recipe, progress=lambda done, total, _loss: report(f"{SHARP}: train", done, total)
    )
    facts = {"trained_on": f"{source.name}, after {BUNDLED}", "simulated": True}
    return save_encoder(fit_encoder(backbone, painted.images[:_STANDARD], name=SHARP, **facts), models_folder() / SHARP)
