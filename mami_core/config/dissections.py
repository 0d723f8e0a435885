"""Making, joining and looking at dissections."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from mami_core.config.checks import parse_shard, parse_units, require


@dataclass(frozen=True)
class DissectConfig:
    """Run a network over images and keep, for every unit, what excites it."""

    network: str  # torchvision:NAME | timm:NAME | hf:PATH | path.py:factory | scenery:resnet | scenery:alexnet
    images: str  # a folder | FILE.npz | scenery:N[:SEED] | latents:N[:SEED]
    out: Path  # the dissection's folder; new, empty, or the same dissection to continue
    layers: tuple[str, ...] = ()  # which layers; none: all that `mami layers` lists by default
    weights: str | None = None  # DEFAULT, a torchvision weight's name, or a .safetensors / .pth file
    arguments: str = "{}"  # JSON keyword arguments for the network's constructor
    include: str | None = None  # only image files that match this glob
    resize: int | None = None  # the shorter side in pixels before cropping; none: as the network was trained
    crop: int | None = None  # side of the square that is fed; none: as the network was trained
    mean: tuple[float, float, float] | None = None  # subtracted from pixels in 0…1; none: as the network was trained
    std: tuple[float, float, float] | None = None  # what is left is divided by it; none: as the network was trained
    units: str | None = None  # only these units, e.g. 0-63,100
    k: int = 15  # exemplars kept per unit
    quantile: float = 0.99  # a unit's threshold is this quantile of its activations over all positions
    sample_positions: int = 0  # positions sampled per image for the quantile; 0: chosen from the number of images
    map_size: int = 56  # maps of top exemplars are kept at most this many cells wide and high
    thumbnail: int = 224  # exemplar images are stored at most this many pixels wide and high
    spectrum: int = 10  # further exemplars per unit: as many random and bottom ones, half as many in each band; 0: none
    bands: int = 4  # equal shares of the images, from the weakest (band-0) to the strongest
    batch_size: int = 32
    workers: int = 0  # processes that decode images; 0: decode in this one
    seed: int = 0
    device: str = "auto"
    mixed_precision: bool = True  # bfloat16 on a CUDA GPU; elsewhere it is never used
    milan_parity: bool = False  # as the MILAN reference: ReLU, upsampling, quantile, bytes; see docs/milan_parity.md
    exact_statistics: bool = False  # statistics from all positions, not the sampled ones; `bench dissect` has its cost
    shard: str | None = None  # i/n: only this share of the image blocks, to be joined by `mami merge`
    resume: bool = True  # go on where an interrupted run stopped
    json: bool = False  # print the result as JSON

    def __post_init__(self) -> None:
        require(self.k >= 1, f"--k must be at least 1, got {self.k}")
        require(0 < self.quantile < 1, f"--quantile must lie between 0 and 1, got {self.quantile}")
        require(self.batch_size >= 1, f"--batch-size must be at least 1, got {self.batch_size}")
        require(self.map_size >= 1, f"--map-size must be at least 1, got {self.map_size}")
        require(self.thumbnail >= 8, f"--thumbnail must be at least 8, got {self.thumbnail}")
        require(self.spectrum >= 0, f"--spectrum must be at least 0, got {self.spectrum}")
        require(self.bands >= 1, f"--bands must be at least 1, got {self.bands}")
        require(self.workers >= 0, f"--workers must be at least 0, got {self.workers}")
        require(self.sample_positions >= 0, f"--sample-positions must be at least 0, got {self.sample_positions}")
        parse_units(self.units)
        parse_shard(self.shard)
        try:
            found = json.loads(self.arguments)
        except ValueError as problem:
            raise ValueError(f"--arguments is not JSON ({problem}); write it like '{{\"classes\": 10}}'") from None
        require(isinstance(found, dict), "--arguments must be a JSON object of keyword arguments")


@dataclass(frozen=True)
class MergeConfig:
    """Join the shares that `mami dissect --shard i/n` left in one folder into a dissection."""

    out: Path  # the folder that every share was written to
    json: bool = False


@dataclass(frozen=True)
class LayersConfig:
    """List the layers of a network that can be dissected, with the shape of what they put out."""

    network: str
    weights: str | None = None
    arguments: str = "{}"
    json: bool = False


@dataclass(frozen=True)
class InspectConfig:
    """Say what a dissection holds; with --verify, check every byte of it."""

    dissection: Path
    verify: bool = False
    json: bool = False


@dataclass(frozen=True)
class RepairConfig:
    """Mend what `mami inspect --verify` found: rebuild what can be rebuilt, say what cannot and what makes it again."""

    dissection: Path
    copy: Path | None = None  # a backup, or the same dissection made again: files of it that prove to be the same
    json: bool = False
