"""Does a unit fire for one thing or several? Its exemplars are clustered by what an encoder sees in their masks.

Two, three or four clusters are tried (average linkage on cosine distance, no cluster of a single exemplar). The number
is the one whose mean silhouette (Rousseeuw 1987) is largest, if that silhouette is larger than 95 of 100 clouds of one
piece reach: Gaussian, with the exemplars' own covariance, clustered in the same way (the idea of Liu et al. 2008,
"SigClust", and of Tibshirani et al. 2001, "gap statistic"). Else the unit is of one piece.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

MOST: Final = 4
_CLOUDS: Final = 100
_LEVEL: Final = 0.95
_SMALLEST: Final = 2


@dataclass(frozen=True, eq=False)
class Pieces:
    """How a unit's exemplars fall apart."""

    labels: np.ndarray  # (n,) int: 0, 1, …, largest piece first; all 0 where it is of one piece
    silhouette: float  # of the best split tried, in [-1, 1]; NaN where there are too few exemplars to split
    needed: float  # what that split had to reach

    @property
    def count(self) -> int:
        """Return the number of pieces."""
        return int(self.labels.max()) + 1


def pieces(vectors: np.ndarray, *, seed: int = 0) -> Pieces:
    """Return the pieces of exemplars with vectors (n, D). O(100 n² D); the same seed gives the same answer."""
    whole = np.zeros(len(vectors), dtype=np.int64)
    split = _best_split(vectors)
    if split is None:
        return Pieces(whole, float("nan"), float("nan"))
    labels, silhouette = split
    needed = _of_one_piece(vectors, seed)
    return Pieces(_by_size(labels) if silhouette > needed else whole, silhouette, needed)


def _best_split(vectors: np.ndarray) -> tuple[np.ndarray, float] | None:
    """Return the best of the splits tried and its silhouette; None where no split has clusters large enough."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import pdist, squareform

    if len(vectors) < 2 * _SMALLEST:
        return None
    distances = np.maximum(np.nan_to_num(pdist(vectors, "cosine")), 0.0)
    tree, square = linkage(distances, "average"), squareform(distances)
    splits = [fcluster(tree, count, "maxclust") - 1 for count in range(2, MOST + 1)]
    large = [labels for labels in splits if len(np.unique(labels)) > 1 and np.bincount(labels).min() >= _SMALLEST]
    found = [(labels, mean_silhouette(square, labels)) for labels in large]
    return max(found, key=lambda pair: pair[1], default=None)


def mean_silhouette(distances: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean silhouette for distances (n, n) and labels (n,); 0 for a cluster of one, as Rousseeuw has it."""
    members = labels[:, None] == np.unique(labels)  # (n, C)
    sizes = members.sum(axis=0)  # (C,)
    total = distances @ members  # (n, C)
    own = members.argmax(axis=1)
    rows = np.arange(len(labels))
    within = total[rows, own] / np.maximum(sizes[own] - 1, 1)
    other = np.where(members, np.inf, total / sizes).min(axis=1)
    larger = np.maximum(within, other)
    scores = np.divide(other - within, larger, out=np.zeros(len(labels)), where=(larger > 0) & (sizes[own] > 1))
    return float(scores.mean())


def _of_one_piece(vectors: np.ndarray, seed: int) -> float:
    """Return the silhouette that 95 of 100 Gaussian clouds with these vectors' mean and covariance stay below."""
    rng = np.random.default_rng([seed, len(vectors)])
    mean = vectors.mean(axis=0, dtype=np.float64)
    centred = (vectors - mean) / np.sqrt(max(len(vectors) - 1, 1))  # its Gram matrix is the covariance
    clouds = (mean + rng.normal(size=vectors.shape[:1] * 2) @ centred for _ in range(_CLOUDS))
    found = (_best_split(cloud) for cloud in clouds)
    return float(np.quantile([-1.0 if split is None else split[1] for split in found], _LEVEL))


def _by_size(labels: np.ndarray) -> np.ndarray:
    """Return the labels renamed, largest cluster 0; ties by first exemplar."""
    names, first, sizes = np.unique(labels, return_index=True, return_counts=True)
    order = sorted(range(len(names)), key=lambda at: (-sizes[at], first[at]))
    renamed = {names[at]: place for place, at in enumerate(order)}
    return np.array([renamed[label] for label in labels], dtype=np.int64)
