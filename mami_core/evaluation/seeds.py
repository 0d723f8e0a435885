"""Captioners that were trained several times: means over trainings, and differences that hold for units and trainings.

A claim about a captioner generalises to other units and to other trainings, so both are resampled. Trainings are
paired by seed, units by identity.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mami_core.evaluation.intervals import LEVEL
from mami_core.evaluation.text import bleu_from_statistics


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


def bleu_over_seeds(statistics: np.ndarray, preset: str, *, seed: int = 0, draws: int = 500) -> OverSeeds:
    """Return BLEU-4 of statistics (S, U, 10), S trainings' captions of the same units: their mean."""
    return _over_seeds(lambda rows: _bleu(rows, preset), statistics, seed, draws)


def mean_over_seeds(values: np.ndarray, *, seed: int = 0, draws: int = 1000) -> OverSeeds:
    """Return the mean of values (S, U), NaN where a unit has none."""
    return _over_seeds(lambda rows: float(np.nanmean(rows)), values, seed, draws)


def compare_bleu(first: np.ndarray, second: np.ndarray, preset: str, *, seed: int = 0, draws: int = 500) -> Comparison:
    """Compare statistics (S, U, 10) of two captioners."""
    return _compared(lambda rows: _bleu(rows, preset), first, second, seed, draws)


def compare_means(first: np.ndarray, second: np.ndarray, *, seed: int = 0, draws: int = 1000) -> Comparison:
    """Compare values (S, U) of two captioners, NaN where a unit has none."""
    return _compared(lambda rows: float(np.nanmean(rows)), first, second, seed, draws)


def _bleu(rows: np.ndarray, preset: str) -> float:
    return bleu_from_statistics(rows.sum(axis=0), preset).score


Score = Callable[[np.ndarray], float]  # of one training's rows (U, …)


def _over_seeds(score: Score, rows: np.ndarray, seed: int, draws: int) -> OverSeeds:
    by_seed = tuple(score(own) for own in rows)
    rng = np.random.default_rng(seed)
    found = [
        float(np.mean([score(rows[training][units]) for training in trainings]))
        for trainings, units in _draws(rng, rows.shape, draws)
    ]
    return _with_interval(float(np.mean(by_seed)), found, by_seed)


def _compared(score: Score, first: np.ndarray, second: np.ndarray, seed: int, draws: int) -> Comparison:
    if first.shape != second.shape:
        raise ValueError(f"a paired comparison needs the same seeds and units: {first.shape} and {second.shape}")
    pairs = [(score(ours), score(theirs)) for ours, theirs in zip(first, second, strict=True)]
    rng = np.random.default_rng(seed)
    drawn = [_means(score, first, second, trainings, units) for trainings, units in _draws(rng, first.shape, draws)]
    ours, theirs = np.mean(pairs, axis=0)
    return Comparison(
        _with_interval(float(ours - theirs), [a - b for a, b in drawn], tuple(a - b for a, b in pairs)),
        _with_interval(_ratio(ours, theirs), [_ratio(a, b) for a, b in drawn], tuple(_ratio(a, b) for a, b in pairs)),
        _permutation_p(score, first, second, rng, draws),
    )


def _means(
    score: Score, first: np.ndarray, second: np.ndarray, trainings: np.ndarray, units: np.ndarray
) -> tuple[float, float]:
    ours, theirs = ([score(rows[training][units]) for training in trainings] for rows in (first, second))
    return float(np.mean(ours)), float(np.mean(theirs))


def _ratio(first: float, second: float) -> float:
    return float(first / second) if second else float("inf")


def _draws(rng: np.random.Generator, shape: tuple[int, ...], draws: int) -> list[tuple[np.ndarray, np.ndarray]]:
    seeds, units = shape[:2]
    return [(rng.integers(seeds, size=seeds), rng.integers(units, size=units)) for _ in range(draws)]


def _permutation_p(score: Score, first: np.ndarray, second: np.ndarray, rng: np.random.Generator, draws: int) -> float:
    """Return how often a difference as large comes of swapping the captioners in random units, in all trainings."""
    everyone = np.arange(len(first))

    def difference(swapped: np.ndarray) -> float:
        ours, theirs = first.copy(), second.copy()
        ours[:, swapped], theirs[:, swapped] = second[:, swapped], first[:, swapped]
        mine, other = _means(score, ours, theirs, everyone, np.arange(ours.shape[1]))
        return abs(mine - other)

    units = first.shape[1]
    observed = difference(np.zeros(units, dtype=bool))
    found = [difference(rng.integers(2, size=units).astype(bool)) for _ in range(draws)]
    return (1 + sum(value >= observed - 1e-12 for value in found)) / (draws + 1)


def _with_interval(value: float, drawn: list[float], by_seed: tuple[float, ...]) -> OverSeeds:
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return OverSeeds(value, float(low), float(high), by_seed)
