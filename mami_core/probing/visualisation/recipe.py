"""What a visualisation is of, how it is made, and what comes out."""

from __future__ import annotations

import hashlib
import io
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from PIL import Image

from mami_core.probing.visualisation.objectives import Place

VERSION = 1  # goes up when the same recipe would give other pictures
State = Literal["ok", "silent"]


@dataclass(frozen=True)
class Recipe:
    """How pictures are made. Defaults are Lucid's, with as many steps as settle small networks."""

    steps: int = 256
    size: int | None = None  # pixels; None: the network's own, at most 128 where it takes other sizes
    place: Place = "mean"  # what is to grow: the mean of a unit's map, or its middle cell
    negative: bool = False  # the other side: what the unit answers to least, before its ReLU where it has one
    diversity: int = 1  # pictures of each target
    diversity_weight: float = 1.0  # what their likeness costs, in units of the answer
    learning_rate: float = 0.05
    robust: bool = True  # seen shifted, scaled and turned at every step
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.steps, self.diversity) < 1:
            raise ValueError(f"steps and diversity must be at least 1, got {self.steps} and {self.diversity}")
        if self.size is not None and self.size < 16:
            raise ValueError(f"pictures need at least 16 pixels, got {self.size}")


@dataclass(frozen=True)
class Target:
    """What a picture is optimised for: one unit, or a direction among a layer's units."""

    unit: int | None = None
    direction: tuple[float, ...] = ()  # (U,), where it is no unit

    @property
    def name(self) -> str:
        """Return what a file or a list calls it: the unit's number, or the direction's hash."""
        if self.unit is not None:
            return str(self.unit)
        return "direction-" + hashlib.sha256(np.array(self.direction, dtype=np.float64).tobytes()).hexdigest()[:12]

    def vector(self, units: int) -> np.ndarray:
        """Return the direction, float32 (U,). ValueError where it does not fit the layer."""
        if self.unit is not None:
            return np.eye(1, units, self.unit, dtype=np.float32)[0]
        if len(self.direction) != units:
            raise ValueError(f"a direction of {len(self.direction)} entries does not fit a layer of {units} units")
        return np.array(self.direction, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Visualisation:
    """Pictures of one target, and how far they got. Activations are the layer's own, one entry a picture.

    `start` and `end` are what was optimised (mean or middle cell), as it was seen, shifted and turned. `reached` is
    the target's strongest cell (negative: its weakest) on the finished picture as it is: what compares with a dataset.
    """

    network: str
    layer: str
    target: Target
    recipe: Recipe
    pictures: np.ndarray  # uint8 (copies, H, W, 3)
    start: tuple[float, ...]
    end: tuple[float, ...]
    before: tuple[float, ...]  # as `reached`, on the noise that it began with
    reached: tuple[float, ...]
    state: State  # silent: no gradient ever came, so the pictures show nothing

    @property
    def image(self) -> Image.Image:
        """Return the pictures side by side."""
        return Image.fromarray(np.concatenate(list(self.pictures), axis=1))

    @property
    def png(self) -> bytes:
        """Return the pictures side by side as a PNG."""
        buffer = io.BytesIO()
        self.image.save(buffer, "PNG", optimize=True)
        return buffer.getvalue()

    def _repr_png_(self) -> bytes:
        return self.png

    def __repr__(self) -> str:
        said = f"{self.start[0]:.3g} → {self.end[0]:.3g}" if self.state == "ok" else "silent"
        return f"<Visualisation {self.network}/{self.layer}/{self.target.name}: {said}>"

    def facts(self) -> dict[str, Any]:
        """Return everything but the pictures, as JSON holds it."""
        about = {"network": self.network, "layer": self.layer, "unit": self.target.unit, "target": self.target.name}
        figures = {name: list(getattr(self, name)) for name in ("start", "end", "before", "reached")}
        side = {"height": self.pictures.shape[1], "width": self.pictures.shape[2]}
        return {**about, "state": self.state, **figures, **side, "recipe": asdict(self.recipe)}
