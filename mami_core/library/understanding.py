"""A closer look at units from a notebook: pictures made for them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from PIL import Image
from torch import Tensor

from mami_core import store
from mami_core.inputs import Network
from mami_core.library.inputs import Model, as_network
from mami_core.library.module_state import left_as_it_was
from mami_core.pipeline.progress import progress as shown_progress
from mami_core.pipeline.understanding.networks import dissected_network
from mami_core.probing.visualisation.keeping import PNG, visualised
from mami_core.probing.visualisation.reached import against_dataset
from mami_core.probing.visualisation.recipe import Recipe, Target
from mami_core.store.kept_results import KeptResult


@dataclass(frozen=True, eq=False)
class Picture:
    """A feature visualisation. In Jupyter it shows itself; `facts` say how far it got."""

    facts: dict[str, Any]
    png: bytes

    @property
    def image(self) -> Image.Image:
        """Return the picture; with `diversity` above 1 as many side by side."""
        return Image.open(io.BytesIO(self.png)).convert("RGB")

    def _repr_png_(self) -> bytes:
        return self.png

    def __repr__(self) -> str:
        name, start, end = f"{self.facts['layer']}/{self.facts['target']}", self.facts["start"][0], self.facts["end"][0]
        return f"<Picture of {name}: {start:.3g} → {end:.3g}, {self.facts['state']}>"


def visualise(
    model: Model | store.Dissection,
    layer: str = "",
    units: int | Iterable[int] = (),
    *,
    directions: Sequence[Sequence[float]] = (),
    steps: int = 256,
    size: int | None = None,
    place: Literal["mean", "centre"] = "mean",
    negative: bool = False,
    diversity: int = 1,
    robust: bool = True,
    seed: int = 0,
    preprocess: Callable[[Image.Image], Tensor] | None = None,
    weights: str | Path | None = None,
    progress: bool = True,
) -> list[Picture]:
    """Make pictures that excite units, or directions among a layer's units, most; what was made before is kept.

    Args:
        model: your own module, a name such as `torchvision:resnet18`, or a dissection, whose network is opened again.
        layer: as `model.named_modules()` names it; none: the network's output, whose units are a classifier's classes.
        units: numbers; one picture each.
        directions: instead or besides, vectors with a number for each unit of the layer.
        steps: of Adam.
        size: pixels; none: the network's own, at most 128 where it takes other sizes.
        place: what is to grow, the `mean` of a unit's map or its `centre`.
        negative: what the unit answers to least, before its ReLU where it has one.
        diversity: pictures of each unit, kept apart by a diversity term.
        robust: seen shifted, scaled and turned at every step.
        seed: of the noise that pictures begin with, and of how they are seen.
        preprocess: of your module, PIL image to tensor, as for `dissect`; asked once what it does to colours.
        weights: of a network that is named, or of the dissected one where it lies in a file.
        progress: draw a bar on standard error.

    Raises:
        ValueError: a layer, unit or direction that is not there; a network that cannot be opened again.
    """
    dissection = model if isinstance(model, store.Dissection) else None
    network = _network(model, preprocess, weights)
    numbers = (units,) if isinstance(units, int) else tuple(units)
    targets = [*map(Target, numbers), *(Target(direction=tuple(map(float, entry))) for entry in directions)]
    if not targets:
        raise ValueError("name what to visualise: units, or directions")
    recipe = Recipe(steps, size, place, negative, diversity, robust=robust, seed=seed)
    with left_as_it_was(network.module), shown_progress(quiet=not progress) as report:
        network.module.eval().requires_grad_(False)
        return [_picture(dissection, made) for made in visualised(network, layer, targets, recipe, report=report)]


def _network(
    model: Model | store.Dissection,
    preprocess: Callable[[Image.Image], Tensor] | None,
    weights: str | Path | None,
) -> Network:
    if isinstance(model, store.Dissection):
        return dissected_network(model, weights=weights)
    return as_network(model, preprocess=preprocess, weights=weights)


def _picture(dissection: store.Dissection | None, made: KeptResult) -> Picture:
    return Picture({**made.facts, **against_dataset(dissection, made.facts)}, made.read(PNG))
