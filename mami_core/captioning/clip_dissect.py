"""CLIP-Dissect: a unit is called by the concept whose image-text scores go with its activations over all images.

Oikarinen and Weng 2023, "CLIP-Dissect", section 3.2, soft WPMI: how much likelier the unit's strongest images make the
concept than any unit's do. It stands among the captioners because it gives captions; it reads a dissection's peaks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from mami_core.records import Caption

NAME: Final = "clip-dissect"
SCORE: Final = "soft WPMI"
STRONGEST: Final = 100  # images that speak for a unit
SHARPNESS: Final = 10.0  # a: cosines are multiplied by it before the softmax over concepts
WEIGHT: Final = 1.0  # λ of the prior
FIRST, LAST = 0.998, 0.97  # probability that the strongest, and the weakest of them, belongs to the unit
FLOOR: Final = 1e-7
ALTERNATIVES: Final = 5
_UNITS_AT_ONCE: Final = 64


def soft_wpmi(similar: np.ndarray, peaks: np.ndarray, *, strongest: int = STRONGEST) -> np.ndarray:
    """Return soft WPMI (U, C) of images' cosines with concepts (N, C) and units' peaks over the images (N, U).

    log p(c|B_u) - λ log p(c), where log p(c|B_u) = Σ over the strongest images x of log(1 + p(x in B_u) (p(c|x) - 1)),
    and p(c) is its mean over units. An image whose peak is not a number is the weakest of all.
    """
    if len(similar) != len(peaks):
        raise ValueError(f"{len(similar)} images were read, but peaks are of {len(peaks)}")
    k = min(strongest, len(peaks))
    given = concept_probabilities(similar)  # (N, C)
    belongs = FIRST - np.arange(k) / k * (FIRST - LAST)  # (k,)
    ranked = np.argsort(-np.nan_to_num(peaks.astype(np.float32), nan=-np.inf), axis=0, kind="stable")[:k]  # (k, U)
    log_given = np.empty((peaks.shape[1], similar.shape[1]))  # (U, C)
    for start in range(0, peaks.shape[1], _UNITS_AT_ONCE):
        rows = ranked[:, start : start + _UNITS_AT_ONCE]  # (k, u)
        inside = 1 + belongs[:, None, None] * (given[rows] - 1)  # (k, u, C)
        log_given[start : start + _UNITS_AT_ONCE] = np.log(inside + FLOOR).sum(0)
    return log_given - WEIGHT * log_mean(log_given)


def concept_probabilities(similar: np.ndarray) -> np.ndarray:
    """Return p(c|x) (N, C): the softmax over concepts of a times the cosines."""
    raised = np.exp(SHARPNESS * (similar - similar.max(1, keepdims=True)).astype(np.float64))
    return raised / raised.sum(1, keepdims=True)


def log_mean(values: np.ndarray) -> np.ndarray:
    """Return the logarithm of the mean of exp(values) over units (U, C): (C,)."""
    top = values.max(0)  # (C,)
    return top + np.log(np.exp(values - top).mean(0))


def named_unit(scores: np.ndarray, concepts: Sequence[str]) -> Caption:
    """Return the caption for a unit's scores (C,): the best concept, the first of equals, and the next ones."""
    order = np.argsort(-scores, kind="stable")[:ALTERNATIVES]
    best, unknown = concepts[order[0]], float("nan")
    return Caption(
        NAME,
        tuple(best.split()),
        unknown,
        unknown,
        alternatives=tuple((concepts[place], float(scores[place])) for place in order),
        written=best,
        score=float(scores[order[0]]),
    )
