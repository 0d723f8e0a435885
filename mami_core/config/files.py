"""Other people's files, in and out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mami_core.config.checks import require

Exported = Literal["csv", "json", "parquet", "milan", "clip-dissect", "imported", "html", "card", "projector"]


@dataclass(frozen=True)
class DataConfig:
    """Open published data as dissections with references: downloaded once, or where `MILAN_DATA_DIR` says it lies."""

    name: str  # milannotations:SET (alexnet/imagenet, …) or a group: base, cls, gen, imagenet, places365, alexnet, …
    imagenet: Path | None = None  # ImageNet's validation images, for sets without pictures; none: imagenet/val there
    squash: bool = False  # cut those pictures as MILAN's own merge does, though masks do not line up with them
    annotations: int = 3  # a unit; units with fewer have no references; 0: all there are
    json: bool = False

    def __post_init__(self) -> None:
        require(self.annotations >= 0, f"--annotations must be at least 0, got {self.annotations}")


@dataclass(frozen=True)
class ImportConfig:
    """Take in what others say of units: caption CSVs of MILAN, CLIP-Dissect, NetDissect and their like, MAIA's JSON."""

    dissection: Path  # where it is not there, it is made, of nothing but the file's units
    file: Path  # its kind is told by its header
    name: str  # what these captions, or references, are listed under
    source: str | None = None  # which column, where the file has several captions a unit; none: each by itself
    layer: str | None = None  # which layer the file is of, where it does not say
    network: str | None = None  # of a dissection that is made; none: the file's name
    unknown: Literal["refuse", "skip", "add"] = "refuse"  # rows of units that the dissection does not have
    json: bool = False

    def __post_init__(self) -> None:
        require(bool(self.name.strip()), "--as needs a name")


@dataclass(frozen=True)
class ExportConfig:
    """Write a dissection's labelled neurons to one file, or to a folder for TensorBoard's projector."""

    dissection: Path
    out: Path
    format: Exported | None = None  # none: from the file's ending; html: a report with pictures; card: a dataset card
    captioner: str | None = None  # for the peers' forms, which hold one caption a unit
    layers: tuple[str, ...] = ()
    units: str | None = None
    json: bool = False
