"""The regions of some of a unit's exemplars, some of them twice: encoded once, shown as often as one likes.

A region's weight is its share of the unit's mask, and attention scores get its logarithm, so an exemplar that counts
twice is exactly one that is there twice.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mami_core.captioning.features import UnitFeatures


def exemplars_seen(features: UnitFeatures, row: int) -> np.ndarray:
    """Return the ranks of the exemplars of which a unit has regions, int64 ascending: those that its mask touches."""
    return np.unique(_exemplars(features, row))


def with_counts(features: UnitFeatures, rows: Sequence[int], counts: np.ndarray) -> UnitFeatures:
    """Return one unit a row of `rows`, shown its exemplars as often as counts (n, k) say; weights sum to 1 again.

    ValueError where none of the exemplars that are left has a region: nothing could be said of it.
    """
    exemplars = features.grid[0]
    if counts.shape != (len(rows), exemplars) or (counts < 0).any():
        raise ValueError(f"counts must be (units, exemplars) = ({len(rows)}, {exemplars}), 0 or more; {counts.shape}")
    index, weights, sizes = [], [], []
    for row, count in zip(rows, counts, strict=True):
        own = count[_exemplars(features, row)]  # (R,)
        kept = np.flatnonzero(own)
        if not len(kept):
            raise ValueError(f"unit {features.keys[row]} has no region in the exemplars that were chosen")
        place = features.offsets[row] + kept
        weight = features.weights[place] * own[kept]
        index.append(place)
        weights.append(weight / weight.sum())
        sizes.append(len(kept))
    places = np.concatenate(index)
    return UnitFeatures(
        keys=tuple(features.keys[row] for row in rows),
        grid=features.grid,
        offsets=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        cells=features.cells[places],
        values=features.values[places],
        weights=np.concatenate(weights).astype(np.float32),
    )


def exemplar_vectors(features: UnitFeatures, row: int) -> np.ndarray:
    """Return the weighted mean region of each exemplar of `exemplars_seen`, float32 (seen, D)."""
    here = slice(features.offsets[row], features.offsets[row + 1])
    own = _exemplars(features, row)
    values = features.values[here].astype(np.float32)
    weights = features.weights[here]
    means = [np.average(values[own == rank], axis=0, weights=weights[own == rank]) for rank in np.unique(own)]
    return np.stack(means).astype(np.float32)


def _exemplars(features: UnitFeatures, row: int) -> np.ndarray:
    """Return which exemplar each of a unit's regions is of (R,)."""
    _, height, width = features.grid
    cells = features.cells[features.offsets[row] : features.offsets[row + 1]]
    return cells // (height * width)
