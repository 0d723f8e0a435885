"""What travels from stage to stage: one record per neuron, each stage returns a fuller copy. No I/O in here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np

UnitState = Literal["alive", "dead", "constant", "not_finite"]
CaptionState = Literal["ok", "failed", "dead_unit"]
COMBINED: Final = "combined"  # the head that is the mean of all others: stored beside them, no voice of its own


def join_words(words: Iterable[str]) -> str:
    """Join tokens into one line: marks stick to the word before them, hyphens to both sides.

    >>> join_words(["black", "-", "and", "-", "white", ",", "red"])
    'black-and-white, red'
    """
    line = " ".join(words)
    for mark in (".", ",", ";", ":"):
        line = line.replace(f" {mark}", mark)
    return line.replace(" -", "-").replace("- ", "-")


@dataclass(frozen=True, slots=True, order=True)
class NeuronId:
    """One unit of one layer of one network. `unit` is the channel's real index, whatever subset was dissected."""

    network: str
    layer: str
    unit: int

    def __str__(self) -> str:
        return f"{self.network}/{self.layer}/{self.unit}"


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One image on which a unit fires, and where. `peak_y`, `peak_x` are cells of the unit's low-resolution map."""

    rank: int  # 0 is the strongest of its set
    image_id: int
    image_name: str
    activation: float  # spatial maximum, in the layer's own units
    peak_y: int
    peak_x: int


@dataclass(frozen=True, slots=True)
class UnitStatistics:
    """How a unit's activations are spread over all images and positions. NaN where a figure was not computed."""

    threshold: float  # the activation quantile that a mask's pixels exceed
    maximum: float
    mean: float
    variance: float
    skewness: float
    kurtosis: float  # excess: 0 for a normal distribution
    fraction_positive: float
    state: UnitState


@dataclass(frozen=True, slots=True, eq=False)  # an array comparison has no single truth value
class HeadOutput:
    """What one attention head did while a caption was spoken, and what it says when left alone."""

    head: str
    weights: np.ndarray  # (words, regions) float32, rows sum to 1
    grid: tuple[int, int, int]  # (exemplars, h, w): regions in row-major order
    share: tuple[float, ...]  # per word: the norm of this head's gated context over the sum of all heads' norms
    mask_overlap: tuple[float, ...]  # per word: how much of the weight falls on the activation mask
    caption: tuple[str, ...]  # decoded with only this head's context
    # what files older than these fields do not hold reads as ()
    norm: tuple[float, ...] = ()  # per word: length of this head's gated context
    entropy: tuple[float, ...] = ()  # per word: of the weights, in nats; log(regions) is uniform
    without: tuple[str, ...] = ()  # decoded with this head's context left out; empty where there is no other head

    def __post_init__(self) -> None:
        exemplars, height, width = self.grid
        if self.weights.ndim != 2 or self.weights.shape[1] != exemplars * height * width:
            raise ValueError(f"head {self.head!r}: weights {self.weights.shape} do not fit a grid of {self.grid}")


def with_combined(heads: tuple[HeadOutput, ...], words: tuple[str, ...]) -> tuple[HeadOutput, ...]:
    """Return several heads with a last one that is their mean: what is drawn for the captioner as a whole.

    It is derived, so it is never stored; the overlap with the mask is linear in the weights, so it is a mean too.
    """
    if len(heads) < 2 or any(head.head == COMBINED for head in heads):
        return heads
    combined = HeadOutput(
        head=COMBINED,
        weights=np.mean([head.weights for head in heads], axis=0),  # (words, regions)
        grid=heads[0].grid,
        share=(1.0,) * len(heads[0].share),
        mask_overlap=tuple(np.mean([head.mask_overlap for head in heads], axis=0).tolist()),
        caption=words,
    )
    return (*heads, combined)


@dataclass(frozen=True, slots=True, eq=False)
class Caption:
    """What one captioner says of one unit, and how sure it is.

    Log-probabilities are natural logarithms, summed over the words and the end.
    """

    captioner: str
    words: tuple[str, ...]
    log_p_given_exemplars: float  # log p(d | E)
    log_p: float  # log p(d) under the captioner's language model
    state: CaptionState = "ok"
    alternatives: tuple[tuple[str, float], ...] = ()  # (text, score), best first
    heads: tuple[HeadOutput, ...] = ()
    written: str | None = None  # to the letter, where others wrote it; None: the words joined
    score: float = float("nan")  # by its maker's own measure, which `score_name` of the provenance names
    gate: tuple[float, ...] = ()  # per word: β, mean over a vector gate; empty without a gate, or in older files

    @property
    def text(self) -> str:
        """Return the caption as one line; empty when the unit could not be captioned."""
        return join_words(self.words) if self.written is None else self.written

    @property
    def pmi(self) -> float:
        """Return log p(d|E) - log p(d): pointwise mutual information, comparable only within one captioner."""
        return self.log_p_given_exemplars - self.log_p


@dataclass(frozen=True, slots=True)
class Reference:
    """What a human annotator, or the planted truth, says of a unit."""

    set: str  # "short", "long", "human", …
    position: int  # order within the set; not a person
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class NeuronRecord:
    """Everything known of one neuron. Empty mappings mean "not computed", never "nothing found"."""

    neuron: NeuronId
    statistics: UnitStatistics
    exemplars: Mapping[str, tuple[Exemplar, ...]]  # by set: "top", "random", "bottom", quantile bands
    captions: Mapping[str, Caption] = field(default_factory=dict)  # by captioner
    references: tuple[Reference, ...] = ()
