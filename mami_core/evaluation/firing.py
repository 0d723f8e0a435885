"""Does a caption say when the unit fires? Held against activations on images that the captioner was never shown.

AUPRC and Pearson's correlation on all held-out images are what survives Neuron_Eval's sanity tests (Oikarinen et al.
2025): both fall when a caption is made too narrow and when it is made too broad. AUPRC of a caption that says nothing
is the share of images that the unit fires on, so the lift over it stands beside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

FIRING: Final = ("auprc", "lift", "pearson", "iou")


@dataclass(frozen=True, slots=True)
class FiringScores:
    """How well a caption's expectation fits a unit's activations. NaN where a figure has no meaning."""

    auprc: float  # NaN for a unit that fires on none or on all of the images
    lift: float  # AUPRC over prevalence
    pearson: float  # 0 where the caption expects the same everywhere


def firing_scores(expected: np.ndarray, peaks: np.ndarray, threshold: float) -> FiringScores:
    """Compare what a caption expects (N,) with a unit's peaks (N,); it fires above `threshold`."""
    if expected.shape != peaks.shape:
        raise ValueError(f"{len(expected)} expectations but {len(peaks)} peaks; they must be of the same images")
    fires = peaks > threshold
    prevalence = float(fires.mean())
    auprc = average_precision(expected, fires) if 0 < prevalence < 1 else float("nan")
    return FiringScores(auprc, auprc / prevalence if prevalence else float("nan"), pearson(expected, peaks))


def average_precision(scores: np.ndarray, truth: np.ndarray) -> float:
    """Return the area under the precision-recall curve as steps: Σ (recall_k - recall_k-1) · precision_k.

    Images of one score come in one step. ValueError where nothing is true: precision then means nothing.
    """
    positives = int(truth.sum())
    if not positives:
        raise ValueError("not one image is true, so there is no precision to average")
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))  # where a score ends
    found = np.cumsum(truth[order])[last]
    return float((np.diff(found, prepend=0) * found / (last + 1)).sum() / positives)


def pearson(first: np.ndarray, second: np.ndarray) -> float:
    """Return the correlation of two rows of numbers; 0 where one of them is constant."""
    a, b = first - first.mean(), second - second.mean()
    norm = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / norm if norm else 0.0


def mean_iou(said: Sequence[np.ndarray], true: Sequence[np.ndarray]) -> float:
    """Return intersection over union of masks bool (H, W), all images' pixels together; NaN where both are empty."""
    shared = sum(int((a & b).sum()) for a, b in zip(said, true, strict=True))
    either = sum(int((a | b).sum()) for a, b in zip(said, true, strict=True))
    return shared / either if either else float("nan")
