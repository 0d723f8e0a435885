"""Captioners that were trained several times: means over trainings, and differences that hold for units and trainings.

A claim about a captioner generalises to other units and to other trainings, so both are resampled. Trainings are
paired by seed, units by identity.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from mami_core.evaluation.intervals import LEVEL
from mami_core.evaluation.text import bleu4


@dataclass(frozen=True, slots=True)
class OverSeeds:
    """A figure over S trainings with its 95 % interval over units and trainings, and how much trainings differ."""

    value: float
    low: float
    high: float
    by_seed: tuple[float, ...]

    @property
    def spread(self) -> float:
        """Return the standard deviation over trainings; NaN for one."""
        return float(np.std(self.by_seed, ddof=1)) if len(self.by_seed) > 1 else float("nan")


@dataclass(frozen=True, slots=True)
class Comparison:
    """First against second, on the same units and seeds. `p` is two-sided, by swapping the two unit by unit."""

    difference: OverSeeds
    ratio: OverSeeds
    p: float


def bleu_over_seeds(statistics: np.ndarray, preset: str, *, seed: int = 0, draws: int = 1000) -> OverSeeds:
    """Return BLEU-4 of statistics (S, U, 10), S trainings' captions of the same units: their mean."""
    return _over_seeds(partial(bleu4, preset=preset), statistics, seed, draws)


def mean_over_seeds(values: np.ndarray, *, seed: int = 0, draws: int = 1000) -> OverSeeds:
    """Return the mean of values (S, U), NaN where a unit has none."""
    return _over_seeds(_mean, _counted(values), seed, draws)


def compare_bleu(first: np.ndarray, second: np.ndarray, preset: str, *, seed: int = 0, draws: int = 1000) -> Comparison:
    """Compare statistics (S, U, 10) of two captioners."""
    return _compared(partial(bleu4, preset=preset), first, second, seed, draws)


def compare_means(first: np.ndarray, second: np.ndarray, *, seed: int = 0, draws: int = 1000) -> Comparison:
    """Compare values (S, U) of two captioners, NaN where a unit has none."""
    return _compared(_mean, _counted(first), _counted(second), seed, draws)


Score = Callable[[np.ndarray], np.ndarray]  # of sums over units (…, C) to (…,)


def _counted(values: np.ndarray) -> np.ndarray:
    """Return values (S, U) as rows that add up, (S, U, 2): the value, and whether there is one."""
    return np.stack([np.nan_to_num(values), ~np.isnan(values)], -1)


def _mean(sums: np.ndarray) -> np.ndarray:
    return sums[..., 0] / np.maximum(sums[..., 1], 1)


def _over_seeds(score: Score, rows: np.ndarray, seed: int, draws: int) -> OverSeeds:
    by_seed = score(rows.sum(axis=1))
    units, trainings = _draws(rows.shape, seed, draws)
    return _with_interval(float(by_seed.mean()), _drawn(score, rows, units, trainings), by_seed)


def _compared(score: Score, first: np.ndarray, second: np.ndarray, seed: int, draws: int) -> Comparison:
    if first.shape != second.shape:
        raise ValueError(f"a paired comparison needs the same seeds and units: {first.shape} and {second.shape}")
    units, trainings = _draws(first.shape, seed, draws)
    ours, theirs = (_drawn(score, rows, units, trainings) for rows in (first, second))
    mine, other = (score(rows.sum(axis=1)) for rows in (first, second))
    return Comparison(
        _with_interval(float(mine.mean() - other.mean()), ours - theirs, mine - other),
        _with_interval(float(_ratio(mine.mean(), other.mean())), _ratio(ours, theirs), _ratio(mine, other)),
        _permutation_p(score, first, second, seed, draws),
    )


def _draws(shape: tuple[int, ...], seed: int, draws: int) -> tuple[np.ndarray, np.ndarray]:
    """Return how often each unit is drawn, (draws, U), and which trainings are, (draws, S)."""
    rng = np.random.default_rng(seed)
    trainings, units = shape[:2]
    return rng.multinomial(units, np.full(units, 1 / units), size=draws), rng.integers(
        trainings, size=(draws, trainings)
    )


def _drawn(score: Score, rows: np.ndarray, units: np.ndarray, trainings: np.ndarray) -> np.ndarray:
    """Return each draw's mean score over its trainings, (draws,)."""
    scores = np.stack([score(units @ own) for own in rows], 1)  # (draws, S)
    return np.take_along_axis(scores, trainings, 1).mean(1)


def _ratio(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.divide(first, second)


def _permutation_p(score: Score, first: np.ndarray, second: np.ndarray, seed: int, draws: int) -> float:
    """Return how often a difference as large comes of swapping the captioners in random units, in all trainings."""
    swapped = np.random.default_rng([seed, 1]).integers(2, size=(draws, first.shape[1]))  # (draws, U)
    change = second.astype(np.float64) - first
    ours = np.stack([score(a.sum(0) + swapped @ d) for a, d in zip(first, change, strict=True)], 1).mean(1)
    theirs = np.stack([score(b.sum(0) - swapped @ d) for b, d in zip(second, change, strict=True)], 1).mean(1)
    observed = abs(score(first.sum(1)).mean() - score(second.sum(1)).mean())
    return (1 + int((np.abs(ours - theirs) >= observed - 1e-9).sum())) / (draws + 1)


def _with_interval(value: float, drawn: np.ndarray, by_seed: np.ndarray) -> OverSeeds:
    known = drawn[np.isfinite(drawn)]
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) if len(known) else (np.nan, np.nan)
    return OverSeeds(value, float(low), float(high), tuple(by_seed.tolist()))
