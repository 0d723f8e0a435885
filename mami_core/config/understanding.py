"""A closer look at units: pictures made for them, and what in a picture they answer to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mami_core.config.checks import require


@dataclass(frozen=True)
class VisualiseConfig:
    """Feature visualisation: make pictures that excite units, a direction among units, or classes most."""

    of: str  # a dissection's folder, or a network as `mami dissect` takes it: torchvision:NAME, path.py:factory, …
    layer: tuple[str, ...] = ()  # which layers; none: all dissected ones, or with --classes the network's output
    units: tuple[int, ...] = ()  # which units of them; none: the first --count that are alive
    count: int = 6  # units a layer where none are named
    classes: tuple[int, ...] = ()  # instead of units: classes of a classifier, by number
    direction: tuple[float, ...] = ()  # instead of units: one number for each unit of the layer
    steps: int = 256
    size: int | None = None  # pixels; none: the network's own, at most 128 where it takes other sizes
    place: Literal["mean", "centre"] = "mean"  # what is to grow: the mean of a unit's map, or its middle cell
    negative: bool = False  # the other side: what the unit answers to least, before its ReLU where it has one
    diversity: int = 1  # pictures of each unit, kept apart by a diversity term
    robust: bool = True  # seen shifted, scaled and turned at every step
    seed: int = 0
    network: str | None = None  # of a dissection: how its network is opened now, where it does not say
    weights: str | None = None  # DEFAULT, a torchvision weight's name, or a .safetensors / .pth file
    arguments: str = "{}"  # JSON keyword arguments for the constructor of a network that is named
    device: str = "auto"
    out: Path | None = None  # also write the pictures into this folder
    json: bool = False

    def __post_init__(self) -> None:
        named = [name for name in ("units", "classes", "direction") if getattr(self, name)]
        require(len(named) <= 1, f"name one of --units, --classes and --direction, not {' and '.join(named)}")
        require(not self.classes or not self.layer, "--classes are units of the network's output: leave out --layer")
        require(not self.direction or len(self.layer) == 1, "--direction needs one --layer")
        require(min(self.steps, self.diversity, self.count) >= 1, "--steps, --diversity, --count must be at least 1")
        require(min((*self.units, *self.classes, 0)) >= 0, "units and classes are numbers from 0")


@dataclass(frozen=True)
class AttributeConfig:
    """Attribution: what in an exemplar a unit or a class answers to; with --captioner, which region made each word."""

    dissection: Path
    layer: str
    units: tuple[int, ...]
    method: tuple[Literal["integrated-gradients", "gradient-shap", "occlusion", "lime"], ...] = (
        "integrated-gradients",
        "gradient-shap",
        "occlusion",
        "lime",
    )
    exemplar: int = 0  # which of the unit's top exemplars, from 0
    reading: Literal["peak", "mean"] = "peak"  # what is explained: the peak or the mean of the unit's map
    class_number: int | None = None  # instead of the unit: this class of the network's output, over the unit's exemplar
    captioner: tuple[str, ...] = ()  # instead: the words of these captioners' captions of the unit, by its regions
    seed: int = 0
    network: str | None = None  # how the network is opened now, where the dissection does not say
    weights: str | None = None  # DEFAULT, a torchvision weight's name, or a .safetensors / .pth file
    device: str = "auto"
    json: bool = False

    def __post_init__(self) -> None:
        require(bool(self.units), "--units must name at least one unit")
        require(min(*self.units, self.exemplar, self.class_number or 0) >= 0, "units, exemplars, classes start at 0")
        require(bool(self.method), "--method must name at least one method")
        require(not (self.captioner and self.class_number is not None), "name --captioner or --class-number, not both")
