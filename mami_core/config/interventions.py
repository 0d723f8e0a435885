"""Silencing units: analysis, audit and editing by caption."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mami_core.config.checks import require

Silencing = Literal["zero", "mean", "resample"]


@dataclass(frozen=True)
class SilenceConfig:
    """Silence units chosen by what their captions say, or at random: accuracy against the fraction silenced."""

    dissection: Path
    query: str | None = None  # units whose captions say this
    mode: Literal["text", "pattern", "meaning"] = "text"  # how captions are searched; pattern: a regular expression
    property: str | None = None  # instead: length, specificity, part, colour, texture, position, or a tagger's class
    least: bool = False  # units with least of the property first
    tagger: str | None = None  # plug-in or path.py:factory that gives words their class
    captioner: str | None = None  # whose captions; none: the last one
    layers: tuple[str, ...] = ()  # none: all that were dissected
    methods: tuple[Silencing, ...] = ("zero",)  # what stands in for a silenced unit
    fractions: tuple[float, ...] = (0.0, 0.02, 0.05, 0.1, 0.2)  # of the layers' living units
    controls: int = 5  # random choices of as many units
    images: str | None = None  # folder, scenery:N:SEED, …; none: those that were dissected
    labels: str | None = None  # CSV: its first column is the image, `FILE:COLUMN` the class number(s), as in 3|17
    limit: int = 400  # at most so many images, spread over all
    network: str | None = None  # how the network is opened now, where the dissection does not say
    weights: str | None = None  # DEFAULT, a torchvision weight's name, or a .safetensors / .pth file
    batch_size: int = 100
    seed: int = 0
    device: str = "auto"
    out: Path | None = None  # also write the figures into their section of this Markdown file
    json: bool = False

    def __post_init__(self) -> None:
        require(self.query is None or self.property is None, "name either --query or --property; neither is random")
        require(bool(self.methods), "--methods needs at least one of zero, mean, resample")
        require(all(0 <= share <= 1 for share in self.fractions), f"--fractions lie in [0, 1], got {self.fractions}")
        require(min(self.controls, self.limit, self.batch_size) >= 1, "--controls, --limit, --batch-size: at least 1")


@dataclass(frozen=True)
class AuditConfig:
    """How many units of two networks name a concept, layer by layer, with exemplars and intervals."""

    dissection: Path
    other: Path
    concept: str  # what captions are searched for
    mode: Literal["text", "pattern", "meaning"] = "text"  # how; pattern: a regular expression
    captioners: tuple[str, ...] = ()  # none: all that captioned both
    shown: int = 5  # units listed of each
    out: Path | None = None  # also write them into their section of this Markdown file
    json: bool = False

    def __post_init__(self) -> None:
        require(bool(self.concept.strip()), "the concept is empty; name a word, for example: mami audit D1 D2 person")


@dataclass(frozen=True)
class AnalysisConfig:
    """Silence the units that name each part: do scenes that need the part suffer more than the others?"""

    dissections: tuple[Path, ...] = ()  # of the painted world's classifiers, captioned; none: the demo
    captioner: str | None = None  # whose captions; none: the last one
    methods: tuple[Silencing, ...] = ("zero", "mean")
    scenes: int = 260  # fresh ones, as many of each place
    least: int = 3  # parts named by at least so many units
    controls: int = 2  # random choices of as many units
    seed: int = 0
    out: Path | None = None  # also write the figures into their section of this Markdown file, e.g. docs/results.md
    json: bool = False

    def __post_init__(self) -> None:
        require(min(self.scenes, self.least, self.controls) >= 1, "--scenes, --least and --controls: at least 1")


@dataclass(frozen=True)
class EditingConfig:
    """Plant a cue in training scenes, find its units by caption, silence them: what is won back where it misleads?"""

    strengths: tuple[float, ...] = (
        0.5,
        0.8,
        1.0,
    )  # share of training scenes that show the cue, always where their place's stands
    seeds: int = 5  # networks at each strength
    captioner: str = "mami@scenery"  # folder or bundled name
    method: Silencing = "zero"
    controls: int = 5  # random choices of as many units
    finetune: bool = False  # also train the last layer again on the cued training scenes, units silenced
    out: Path | None = None  # also write the figures into their section of this Markdown file, e.g. docs/results.md
    json: bool = False

    def __post_init__(self) -> None:
        require(bool(self.strengths), "--strengths needs at least one share between 0 and 1")
        require(all(0 <= share <= 1 for share in self.strengths), f"--strengths lie in [0, 1], got {self.strengths}")
        require(min(self.seeds, self.controls) >= 1, "--seeds and --controls must be at least 1")
        require(not self.finetune or self.method == "zero", "--finetune trains beside zeros: leave out --method")
