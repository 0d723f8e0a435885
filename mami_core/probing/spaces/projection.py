"""Points on a plane: principal components at once, t-SNE in a while, and how far either can be trusted."""

from __future__ import annotations

import warnings
from typing import Any, Final, Literal

import numpy as np

from mami_core.probing.spaces.space import Space

Method = Literal["pca", "tsne"]
REDUCED: Final = 50  # principal components that t-SNE starts from
NEIGHBOURS: Final = 10  # on which trustworthiness is judged
_JUDGED: Final = 1000  # points whose neighbours on the map are looked at
_PERPLEXITY: Final = 30.0


def principal(vectors: Any, count: int, *, seed: int = 0) -> np.ndarray:
    """Return the first principal components float32 (n, count) of dense or sparse vectors (n, D).

    A component points where its largest loading is positive, so the same vectors give the same picture. Missing
    components, where there are fewer dimensions than `count`, are 0. Dense: O(n D² + D³); sparse: by Lanczos.
    """
    size = min(count, *vectors.shape)
    axes = _sparse_axes(vectors, size, seed) if hasattr(vectors, "indices") else _dense_axes(vectors, size)  # (c, D)
    largest = np.abs(axes).argmax(axis=1)
    axes = axes * np.sign(axes[np.arange(size), largest])[:, None]
    mean = np.asarray(vectors.mean(axis=0)).ravel()
    found = np.zeros((vectors.shape[0], count), dtype=np.float32)
    found[:, :size] = np.asarray(vectors @ axes.T) - mean @ axes.T
    return found


def _dense_axes(vectors: np.ndarray, size: int) -> np.ndarray:
    centred = vectors - vectors.mean(axis=0)
    if vectors.shape[0] < vectors.shape[1]:
        return np.asarray(np.linalg.svd(centred, full_matrices=False)[2][:size])
    _, found = np.linalg.eigh(np.asarray(centred.T @ centred, dtype=np.float64))
    return np.asarray(found.T[::-1][:size])


def _sparse_axes(vectors: Any, size: int, seed: int) -> np.ndarray:
    if size >= min(vectors.shape):  # Lanczos finds fewer than all
        return _dense_axes(np.asarray(vectors.todense()), size)
    from sklearn.decomposition import PCA

    return np.asarray(PCA(size, svd_solver="arpack", random_state=seed).fit(vectors).components_)


def t_sne(vectors: Any, *, seed: int = 0) -> np.ndarray:
    """Return t-SNE positions float32 (n, 2) (van der Maaten and Hinton 2008), of the first 50 principal components.

    scikit-learn's Barnes-Hut; 5.8 CPU-s for 2,000 points. The same seed gives the same map on the same machine.
    ValueError for fewer than 4 points.
    """
    if vectors.shape[0] < 4:
        raise ValueError(f"t-SNE needs at least 4 points, got {vectors.shape[0]}; choose pca")
    from sklearn.manifold import TSNE

    reduced = principal(vectors, min(REDUCED, *vectors.shape), seed=seed)
    perplexity = min(_PERPLEXITY, (len(reduced) - 1) / 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return np.asarray(TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(reduced), np.float32)


def positions(space: Space, method: Method, *, seed: int = 0) -> np.ndarray:
    """Return where each point lies on a plane, float32 (n, 2)."""
    if method == "pca":
        return principal(space.vectors, 2, seed=seed)
    return t_sne(space.vectors, seed=seed)


def trustworthiness(space: Space, plane: np.ndarray, *, neighbours: int = NEIGHBOURS, judged: int = _JUDGED) -> float:
    """Return how far neighbours on the plane (n, 2) are neighbours in the space (Venna and Kaski 2001): 1 all, 0 none.

    1 - 2 / (n k (2n - 3k - 1)) times the sum, over each point's k neighbours on the plane, of how many ranks beyond k
    they lie in the space, by cosine. Of many points an even sample of `judged` is looked at, each among all.
    """
    count = len(space)
    k = min(neighbours, (count - 1) // 2)
    if k < 1:
        return float("nan")
    rows = np.unique(np.linspace(0, count - 1, min(judged, count)).astype(int))
    beyond = sum(_ranks_beyond(space, plane, int(row), k) for row in rows)
    return float(1 - 2 * beyond / (len(rows) * k * (2 * count - 3 * k - 1)))


def _ranks_beyond(space: Space, plane: np.ndarray, row: int, k: int) -> float:
    distance = ((plane - plane[row]) ** 2).sum(axis=1, dtype=np.float64)
    distance[row] = np.inf
    near = np.argpartition(distance, k)[:k]
    alike = space.likeness(row)
    alike[row] = -np.inf
    ranks = (alike[:, None] > alike[near]).sum(axis=0) + 1  # (k,)
    return float(np.maximum(ranks - k, 0).sum())
