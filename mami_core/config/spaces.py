"""Maps of units and words, units side by side, and what a caption rests on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mami_core.config.checks import require


@dataclass(frozen=True)
class MapConfig:
    """Lay units, or a captioner's words, out on a plane so that what is alike lies close together."""

    dissection: Path
    by: str = "features"  # features, caption, profile (each also :NAME of an encoder or captioner), words:CAPTIONER
    method: Literal["pca", "tsne"] = "pca"
    clusters: int = 12  # groups that points are coloured by
    sentence_model: str | None = None  # folder of a local sentence model, for captions; none: TF-IDF
    out: Path | None = None  # FILE.csv or .parquet, or a folder for projector.tensorflow.org: vectors and metadata .tsv
    seed: int = 0
    json: bool = False

    def __post_init__(self) -> None:
        require(1 <= self.clusters <= 64, f"--clusters must lie in 1 to 64, got {self.clusters}")


@dataclass(frozen=True)
class MatchConfig:
    """Match the units of two networks, or checkpoints, by their peaks over the same images; compare what is said."""

    dissection: Path
    other: Path
    layer: str | None = None  # of the first; none: its last
    other_layer: str | None = None  # of the second; none: the same name there, else its last
    how: Literal["one-to-one", "best"] = "one-to-one"
    captioner: str | None = None  # who captioned both; none: the first that did
    out: Path | None = None  # also write the pairs as CSV
    json: bool = False


@dataclass(frozen=True)
class RedundancyConfig:
    """Find units of one layer that do the same thing, and as how many independent units the layer counts."""

    dissection: Path
    layers: tuple[str, ...] = ()  # none: all
    threshold: float = 0.9  # Pearson's r of peaks from which units are tied together
    out: Path | None = None  # also write every unit's nearest and group as CSV
    json: bool = False

    def __post_init__(self) -> None:
        require(0 < self.threshold <= 1, f"--threshold must lie in (0, 1], got {self.threshold}")


@dataclass(frozen=True)
class PolysemanticConfig:
    """Find units that fire for several things: their exemplars in pieces, each piece captioned on its own."""

    dissection: Path
    captioner: str  # folder or name; it makes the regions, and it speaks
    layers: tuple[str, ...] = ()
    units: str | None = None
    out: Path | None = None  # also write the pieces as CSV
    seed: int = 0
    device: str = "auto"
    json: bool = False


@dataclass(frozen=True)
class StabilityConfig:
    """Caption units again from exemplars drawn with repeats: what is said whatever is shown, and what is chance."""

    dissection: Path
    captioner: str  # folder or name; it makes the regions, and it speaks
    layers: tuple[str, ...] = ()
    units: str | None = None
    resamples: int = 20
    out: Path | None = None  # also write the captions' shares as CSV
    seed: int = 0
    device: str = "auto"
    json: bool = False

    def __post_init__(self) -> None:
        require(self.resamples >= 2, f"--resamples must be at least 2, got {self.resamples}")


@dataclass(frozen=True)
class StabilityTableConfig:
    """How often captions of planted single-part neurons name the part when their exemplars are drawn again."""

    data: Path = Path("scenery")  # a folder that `mami world` made; scenery: one of our own, made where it is missing
    captioners: tuple[str, ...] = (
        "consensus",
        "mami",
        "milan",
        "compositional",
    )  # of table 2, trained here; compositional; or folders
    resamples: int = 20
    encoder: str = "parts@scenery"  # folder or bundled name
    out: Path | None = None  # also write the figures into their section of this Markdown file, e.g. docs/results.md
    seed: int = 0
    json: bool = False

    def __post_init__(self) -> None:
        require(self.resamples >= 2, f"--resamples must be at least 2, got {self.resamples}")
        require(bool(self.captioners), "--captioners needs at least one name")
