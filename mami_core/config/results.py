"""Scores, the benchmark and the tables of the papers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mami_core.config.checks import require


@dataclass(frozen=True)
class EvaluateConfig:
    """Hold captions against references, and against the truth where it is known, with floors and 95 % intervals."""

    dissection: Path | None = None  # captioned, with references; or name two files:
    captions: Path | None = None  # CSV: layer,unit,description
    references: Path | None = None  # CSV: layer,unit,summary; several rows a unit
    set: str = "long"  # which references of a dissection
    split: str = "test"  # which units of a dissection; all: every one
    bertscore_backbone: str | None = None  # also BERTScore: roberta-large, as MILAN, or a local model's folder
    coco: bool = False  # also METEOR (where Java is present), CIDEr and ROUGE-L, by pycocoevalcap
    scenes: int = 1000  # held-out scenes on which expectations meet activations, where scenes are painted; 0: none
    keep: Path | None = None  # also write evaluation.csv and units.csv into this folder
    out: Path | None = None  # also write the figures into their section of this Markdown file
    seed: int = 0
    json: bool = False

    def __post_init__(self) -> None:
        require(self.scenes >= 0, f"--scenes must not be negative, got {self.scenes}")
        files = self.captions is not None and self.references is not None
        require(
            (self.dissection is not None) != files and (self.captions is None) == (self.references is None),
            "name either a dissection, or both --captions and --references",
        )


@dataclass(frozen=True)
class ReproduceConfig:
    """Train and test what a paper's table compares, on the embedded world, and write the figures."""

    table: Literal["sat-table1"]
    scenes: int = 8000  # captioned scenes; three quarters to train, an eighth each to validate and test
    seeds: int = 1  # trainings of each captioner
    captioners: tuple[str, ...] = ("sat-soft", "sat-hard", "init-inject", "pre-inject", "par-inject", "merge")
    encoder: str = "parts@scenery"  # folder or bundled name
    epochs: int = 8
    meteor: bool = True  # where Java is present
    out: Path | None = None  # also write the table into its section of this Markdown file, e.g. docs/results.md
    threads: int = 1
    device: str = "auto"
    json: bool = False

    def __post_init__(self) -> None:
        require(self.scenes >= 24, f"--scenes must be at least 24, got {self.scenes}")
        require(min(self.seeds, self.epochs, self.threads) >= 1, "--seeds, --epochs and --threads must be at least 1")
        require(bool(self.captioners), "--captioners needs at least one name")


@dataclass(frozen=True)
class WorldConfig:
    """Make the benchmark of the embedded world: three kinds of networks, dissected, described and split."""

    out: Path  # the world's folder; new, empty, or the same world to continue
    seed: int = 0
    scale: float = 1.0  # how many images of everything; small values are for tests
    copies: int = 2  # trainings of each network, from different seeds
    json: bool = False

    def __post_init__(self) -> None:
        require(0 < self.scale <= 4, f"--scale must lie in (0, 4], got {self.scale}")
        require(self.copies >= 1, f"--copies must be at least 1, got {self.copies}")


@dataclass(frozen=True)
class Table1Config:
    """MAMI's table 1: how many descriptions, how long, in which words, source by source beside the paper's."""

    data: Path = Path("scenery")  # a world, a dissection, a folder of these or of milannotations*.csv; scenery: our own
    keep: Path | None = None  # also write table1.csv and table1.json into this folder
    out: Path | None = None  # also write the table into its section of this Markdown file, e.g. docs/results.md
    json: bool = False


@dataclass(frozen=True)
class Table2Config:
    """MAMI's table 2: every captioner, each source and all of them, with ours, floors, and truth where it is known."""

    data: Path = Path("scenery")  # milannotations:NAME, a folder that `mami world` made, a dissection, a folder of some
    seeds: int = 5  # trainings of MILAN, MAMI and ours on the compound set; the other rows have one
    captions: Path | None = None  # only score captions that an earlier run kept there; nothing is trained
    keep: Path | None = None  # keep what every training said of the test units there, to be scored again
    finished: bool = False  # train nothing more: score the trainings that are done so far
    captioners: tuple[str, ...] = ()  # only these of milan, luong, self, mami, consensus, milan+penalty, milan+padded
    encoder: str = "parts@scenery"  # folder or bundled name
    bertscore_backbone: str = "roberta-large"  # or a local model's folder; absent: the columns read "not computed"
    out: Path | None = None  # also write the table into its section of this Markdown file, e.g. docs/results.md
    threads: int = 1
    json: bool = False

    def __post_init__(self) -> None:
        require(min(self.seeds, self.threads) >= 1, "--seeds and --threads must be at least 1")


@dataclass(frozen=True)
class PlantedConfig:
    """Hold captions of planted neurons against their rules, their masks and what they do on scenes never shown."""

    data: Path = Path("scenery")  # a folder that `mami world` made; scenery: one of our own, made where it is missing
    seeds: int = 1  # trainings of each captioner
    scenes: int = 1000  # held-out scenes that activations are compared on
    encoder: str = "parts@scenery"  # folder or bundled name
    out: Path | None = None  # also write the figures into their section of this Markdown file, e.g. docs/results.md
    json: bool = False

    def __post_init__(self) -> None:
        require(min(self.seeds, self.scenes) >= 1, "--seeds and --scenes must be at least 1")


@dataclass(frozen=True)
class PublishedConfig:
    """Hold a folder of published caption files against the references and scores that lie beside them."""

    data: Path  # METHOD_on_NETWORK.csv, milannotations_NETWORK.csv, simscore_METHOD_on_NETWORK.csv
    meteor: bool = True  # where Java is present
    out: Path | None = None  # also write the figures into their section of this Markdown file, e.g. docs/results.md
    seed: int = 0
    json: bool = False
