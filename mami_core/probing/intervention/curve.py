"""Accuracy against the fraction of units silenced, with intervals, beside random choices of as many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mami_core.evaluation.intervals import Interval, bootstrap_mean
from mami_core.evaluation.seeds import OverSeeds, mean_over_seeds
from mami_core.probing.intervention.choosing import Order, at_random
from mami_core.probing.intervention.judge import Judge, Told
from mami_core.probing.intervention.silencing import Method
from mami_core.store import UnitKey


@dataclass(frozen=True, eq=False)
class Point:
    """What the network gets right with `silenced` units silenced, image by image."""

    fraction: float  # of all living units of the layers
    silenced: int
    chosen: np.ndarray  # (N,) bool
    controls: np.ndarray  # (controls, N) bool: random choices of as many units

    def accuracy(self, seed: int = 0) -> Interval:
        """Return the accuracy; images are resampled."""
        return bootstrap_mean(self.chosen, seed)

    def random(self, seed: int = 0) -> OverSeeds:
        """Return the mean accuracy of the random choices; images and choices are resampled."""
        return mean_over_seeds(self.controls.astype(np.float64), seed=seed)

    def worse_than_random(self, seed: int = 0) -> OverSeeds:
        """Return how much lower the accuracy is than with random units silenced, paired by image."""
        return mean_over_seeds(self.controls.astype(np.float64) - self.chosen, seed=seed)


def accuracy_curve(
    judge: Judge,
    order: Order,
    method: Method,
    fractions: Sequence[float],
    *,
    controls: int = 5,
    seed: int = 0,
    told: Told | None = None,
) -> list[Point]:
    """Silence ever more units of an order, and as many random ones, and return a point for each fraction.

    Where the order ends before a fraction is reached, its last point has all of it. One forward pass of the images a
    point and choice (two for resample ablation).
    """
    randoms = [at_random(order.among, _own_seed(seed, number)) for number in range(controls)]
    counts = counts_of(fractions, len(order.among), len(order.keys))
    points, passes = [], len(counts) * (controls + 1)
    for place, count in enumerate(counts):
        found = []
        for number, one in enumerate([order, *randoms]):
            found.append(judge.correct(by_layer(one.first(count)), method) if count else judge.whole)
            if told is not None:
                told(place * (controls + 1) + number + 1, passes)
        points.append(Point(count / len(order.among), count, found[0], np.stack(found[1:])))
    return points


def counts_of(fractions: Sequence[float], units: int, there_are: int) -> list[int]:
    """Return how many units to silence for each fraction of `units`, no more than there are, each number once."""
    return sorted({min(round(fraction * units), there_are) for fraction in fractions})


def by_layer(keys: Sequence[UnitKey]) -> dict[str, list[int]]:
    """Return units as `Judge` takes them."""
    chosen: dict[str, list[int]] = {}
    for layer, unit in keys:
        chosen.setdefault(layer, []).append(unit)
    return chosen


def class_accuracies(judge: Judge, found: np.ndarray, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return, class by class, the accuracy of the whole network and with units silenced, `found` (N,), largest drop
    first; classes without an image are left out.
    """
    rows = []
    for number, name in enumerate(names):
        own = judge.right[:, number]
        if own.any():
            before, after = float(judge.whole[own].mean()), float(found[own].mean())
            rows.append({"class": name, "images": int(own.sum()), "before": before, "after": after})
    return sorted(rows, key=lambda row: row["after"] - row["before"])


def _own_seed(seed: int, number: int) -> int:
    return 1000 * seed + number
