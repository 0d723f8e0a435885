"""How certain a mean over units is: percentile bootstrap intervals, paired differences, permutation p.

Units are resampled, as they are what a claim generalises to. Efron and Tibshirani 1993, "An Introduction to the
Bootstrap", chapters 13 and 15.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEVEL = 0.95
_BLOCK = 200  # draws made at once: bounds memory at block × units


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over `count` units with its 95 % interval."""

    mean: float
    low: float
    high: float
    count: int

    def __str__(self) -> str:
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """The mean of first - second over the same units; `p` is two-sided, under random swaps of the two."""

    interval: Interval
    p: float


def bootstrap_mean(values: Sequence[float] | np.ndarray, seed: int, draws: int = 2000) -> Interval:
    """Return the mean of one value per unit and its percentile interval; the same seed gives the same interval."""
    sample = _checked(values)
    rng = np.random.default_rng(seed)
    means = np.concatenate(
        [
            sample[rng.integers(len(sample), size=(min(_BLOCK, draws - start), len(sample)))].mean(axis=1)
            for start in range(0, draws, _BLOCK)
        ]
    )  # (draws,)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(sample.mean()), float(low), float(high), len(sample))


def paired_difference(
    first: Sequence[float] | np.ndarray, second: Sequence[float] | np.ndarray, seed: int, draws: int = 2000
) -> PairedDifference:
    """Compare two captioners by their values on the same units in the same order.

    The p value counts the observed difference as one of the permutations, so it is never 0.
    """
    a, b = _checked(first), _checked(second)
    if len(a) != len(b):
        raise ValueError(f"A paired comparison needs the same units on both sides: {len(a)} and {len(b)} values.")
    difference = a - b
    observed = abs(difference.mean())
    rng = np.random.default_rng([seed, 1])  # another stream than the bootstrap's
    as_large = 0
    for start in range(0, draws, _BLOCK):
        signs = rng.choice((-1.0, 1.0), size=(min(_BLOCK, draws - start), len(difference)))
        as_large += int((np.abs((signs * difference).mean(axis=1)) >= observed - 1e-12).sum())
    return PairedDifference(bootstrap_mean(difference, seed, draws), (as_large + 1) / (draws + 1))


def _checked(values: Sequence[float] | np.ndarray) -> np.ndarray:
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or not len(sample):
        raise ValueError(f"Need one value per unit and at least one unit; got an array of shape {sample.shape}.")
    if not np.isfinite(sample).all():
        raise ValueError("Some values are not finite; drop units without a value before asking for an interval.")
    return sample
