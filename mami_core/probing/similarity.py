"""Units like a unit: in its layer, in other layers, in other dissections, by four measures.

By activation: Pearson's r of the peaks over shared images. By exemplars: Jaccard overlap of the top exemplars' images.
By caption: TF-IDF cosine. By features: cosine of pooled region features. Each gives the exact best n.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mami_core.probing.profiles import Profiles, correlations, shared_rows
from mami_core.probing.words import TextIndex, caption_texts
from mami_core.store import Dissection, UnitKey


@dataclass(frozen=True, slots=True)
class Similar:
    """A unit that is like the one asked about; `score` is 1 for the same, in the measure's own terms."""

    dissection: str
    layer: str
    unit: int
    score: float


def best(scores: np.ndarray, count: int) -> np.ndarray:
    """Return the places of the `count` largest finite scores, best first, ties by place. O(n + count log count)."""
    known = np.flatnonzero(np.isfinite(scores))
    if count < 1 or not len(known):
        return known[:0]
    values = scores[known]
    if len(known) > count:
        least = np.partition(values, len(values) - count)[len(values) - count]
        known = known[values >= least]  # with all ties of the last, so that the order decides among them
    return known[np.argsort(-scores[known], kind="stable")][:count]


def similar_by_activation(
    dissection: Dissection,
    layer: str,
    unit: int,
    *,
    among: Dissection | None = None,
    layers: Sequence[str] | None = None,
    count: int = 10,
) -> tuple[Similar, ...]:
    """Return the units whose peaks rise and fall with this one's over the images that both dissections kept.

    `among`: another dissection of the same images (default: this one); `layers`: only these of it (default: all). Empty
    where the unit has no profile. O(images x units compared), read from the memory map once.
    """
    other = among or dissection
    rows, others = (None, None) if among is None or among is dissection else shared_rows(dissection, other)
    column = np.array([dissection.row(layer, unit)])
    wanted = Profiles(dissection.peaks(layer), rows, column)
    found = [correlations(Profiles(other.peaks(name), others), wanted)[:, 0] for name in _layers(other, layers)]
    keys = [key for name in _layers(other, layers) for key in other.unit_keys(name)]
    scores = np.concatenate(found) if found else np.empty(0)
    return _named(other, keys, _without(scores, keys, (layer, unit), other is dissection), count)


def _layers(dissection: Dissection, layers: Sequence[str] | None) -> tuple[str, ...]:
    for name in layers or ():
        dissection.manifest.layer(name)
    return dissection.layers if layers is None else tuple(layers)


def _without(
    scores: np.ndarray, keys: Sequence[UnitKey], own: UnitKey, same: bool, layers: Sequence[str] | None = None
) -> np.ndarray:
    """Return the scores with the unit itself, and units of other layers than `layers`, left out."""
    scores = np.array(scores, dtype=np.float64)
    if same and own in keys:
        scores[keys.index(own)] = np.nan
    if layers is not None:
        wanted = frozenset(layers)
        scores[[layer not in wanted for layer, _ in keys]] = np.nan
    return scores


def _named(dissection: Dissection, keys: Sequence[UnitKey], scores: np.ndarray, count: int) -> tuple[Similar, ...]:
    return tuple(
        Similar(dissection.name, keys[place][0], keys[place][1], float(scores[place])) for place in best(scores, count)
    )


@dataclass(frozen=True, eq=False)
class ExemplarIndex:
    """Which images each unit's top exemplars are. Made once, O(exemplars); a query is O(units x k)."""

    dissection: Dissection
    keys: tuple[UnitKey, ...]
    images: Any  # sparse (units, images) of ones

    @classmethod
    def of(cls, dissection: Dissection) -> ExemplarIndex:
        """Read a dissection's top exemplars."""
        from scipy.sparse import csr_matrix

        keys = tuple(dissection.unit_keys())
        rows, ids = dissection.exemplar_images()
        shape = (len(keys), max(dissection.manifest.images, int(ids.max(initial=-1)) + 1))
        return cls(dissection, keys, csr_matrix((np.ones(len(ids)), (rows, ids)), shape=shape))

    def similar(
        self,
        layer: str,
        unit: int,
        *,
        among: ExemplarIndex | None = None,
        layers: Sequence[str] | None = None,
        count: int = 10,
    ) -> tuple[Similar, ...]:
        """Return the units that share most exemplar images: |A and B| / |A or B|; units that share none are left out.

        ValueError where `among` is of other images.
        """
        other = among or self
        if other.dissection is not self.dissection:
            shared_rows(self.dissection, other.dissection)
        own = self.images[self.keys.index((layer, unit))]
        common = np.asarray((other.images @ own.T).todense()).ravel()
        either = np.diff(other.images.indptr) + own.nnz - common
        scores = np.where(common > 0, common / np.maximum(either, 1), np.nan)
        same = other.dissection is self.dissection
        return _named(other.dissection, other.keys, _without(scores, other.keys, (layer, unit), same, layers), count)


@dataclass(frozen=True, eq=False)
class CaptionIndex:
    """One captioner's captions, weighed by TF-IDF. Made once, O(words); a query is O(units)."""

    dissection: Dissection
    captioner: str
    keys: tuple[UnitKey, ...]
    texts: tuple[str | None, ...]
    index: TextIndex

    @classmethod
    def of(cls, dissection: Dissection, captioner: str) -> CaptionIndex:
        """Read what a captioner says."""
        texts = caption_texts(dissection, captioner)
        return cls(dissection, captioner, tuple(dissection.unit_keys()), tuple(texts), TextIndex.of(texts))

    def similar(
        self,
        layer: str,
        unit: int,
        *,
        among: CaptionIndex | None = None,
        layers: Sequence[str] | None = None,
        count: int = 10,
    ) -> tuple[Similar, ...]:
        """Return the units of whom the most alike is said; those without a word in common are left out.

        Another dissection's captions (`among`) are weighed by their own index. Empty where nothing was said.
        """
        other = among or self
        text = self.texts[self.keys.index((layer, unit))]
        if text is None:
            return ()
        scores = other.index.cosine(text)
        same = other.dissection is self.dissection
        scores = _without(np.where(scores > 0, scores, np.nan), other.keys, (layer, unit), same, layers)
        return _named(other.dissection, other.keys, scores, count)


@dataclass(frozen=True, eq=False)
class FeatureIndex:
    """A vector per unit, such as `captioning.features.UnitFeatures.pooled()`. A query is O(units x D)."""

    dissection: Dissection
    keys: tuple[UnitKey, ...]
    vectors: np.ndarray  # (units, D) float32, of length 1; NaN rows for units that have none

    @classmethod
    def of(cls, dissection: Dissection, keys: Sequence[UnitKey], vectors: np.ndarray) -> FeatureIndex:
        """Take a vector per unit; ValueError where they do not match one to one."""
        if vectors.ndim != 2 or len(vectors) != len(keys):
            raise ValueError(f"{len(keys)} units but vectors {vectors.shape}; give one row per unit")
        vectors = np.asarray(vectors, np.float32)
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit = np.divide(vectors, length, out=np.full(vectors.shape, np.nan, np.float32), where=length > 0)
        return cls(dissection, tuple(keys), unit)

    @classmethod
    def kept(cls, dissection: Dissection, encoder: str) -> FeatureIndex:
        """Read the vectors that `mami caption` kept, by the encoder's label; FileNotFoundError where it kept none."""
        return cls.of(dissection, dissection.unit_keys(), dissection.features(encoder))

    def similar(
        self,
        layer: str,
        unit: int,
        *,
        among: FeatureIndex | None = None,
        layers: Sequence[str] | None = None,
        count: int = 10,
    ) -> tuple[Similar, ...]:
        """Return the units whose exemplars look most alike to the encoder, by cosine; empty where the unit has none.

        ValueError where `among` has vectors of another size: they came from another encoder.
        """
        other = among or self
        if other.vectors.shape[1] != self.vectors.shape[1]:
            sizes = f"{self.vectors.shape[1]} and {other.vectors.shape[1]}"
            raise ValueError(f"feature vectors of {sizes} values come from different encoders and cannot be compared")
        if (layer, unit) not in self.keys:
            return ()
        scores = other.vectors @ self.vectors[self.keys.index((layer, unit))]
        same = other.dissection is self.dissection
        return _named(other.dissection, other.keys, _without(scores, other.keys, (layer, unit), same, layers), count)
