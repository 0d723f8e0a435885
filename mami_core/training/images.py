"""Captioned images as what captioners are trained on: regions made once and kept on disk, captions beside them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Final

import numpy as np

from mami_core.captioning.features import Progress, UnitFeatures, has_features, load_features, save_features
from mami_core.captioning.image_encoder import ImageEncoder
from mami_core.inputs.source import ImageSource
from mami_core.store.home import cache_folder
from mami_core.training.batches import DescribedUnits

IMAGE: Final = "image"  # stands where a unit's layer does
_AT_ONCE: Final = 32


def image_features(
    source: ImageSource, encoder: ImageEncoder, *, progress: Progress | None = None, cache: bool = True
) -> UnitFeatures:
    """Return the regions of every image of `source`: 196 each, with equal weights; from the cache where they are.

    Keys are (`image`, place in the source). An image that cannot be read raises UnreadableImageError with its name.
    """
    facts = {"images": source.fingerprint(), "encoder": encoder.sha256, "count": len(source)}
    folder = cache_folder() / "images" / hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    if cache and has_features(folder):
        return load_features(folder)
    values = np.empty((len(source) * encoder.regions, encoder.feature_size), dtype=np.float16)
    for start in range(0, len(source), _AT_ONCE):
        rows = range(start, min(start + _AT_ONCE, len(source)))
        found = encoder.encode([source.load(row) for row in rows]).flatten(0, 1)
        values[start * encoder.regions : start * encoder.regions + len(found)] = found.numpy()
        if progress is not None:
            progress(rows.stop, len(source))
    made = _evenly(values, len(source), (1, encoder.grid, encoder.grid))
    if not cache:
        return made
    save_features(made, folder)
    return load_features(folder)


def pooled_images(features: UnitFeatures) -> UnitFeatures:
    """Return each image as one vector, the mean of its regions: what inject and merge captioners read."""
    regions = features.values.reshape(len(features), features.grid_size, -1)  # (n, N, D)
    rows = range(0, len(features), 256)  # a few at a time: float32 of all regions would not fit
    means = [regions[start : start + 256].mean(axis=1, dtype=np.float32) for start in rows]
    return _evenly(np.concatenate(means).astype(np.float16), len(features), (1, 1, 1))


def captioned_units(features: UnitFeatures, captions: Sequence[Sequence[str]], rows: Sequence[int]) -> DescribedUnits:
    """Return some images with their captions, as a captioner's training takes them."""
    return DescribedUnits(features, tuple(rows), tuple(tuple(captions[row]) for row in rows))


def _evenly(values: np.ndarray, images: int, grid: tuple[int, int, int]) -> UnitFeatures:
    regions = int(np.prod(grid))
    return UnitFeatures(
        keys=tuple((IMAGE, row) for row in range(images)),
        grid=grid,
        offsets=np.arange(images + 1, dtype=np.int64) * regions,
        cells=np.tile(np.arange(regions, dtype=np.int32), images),
        values=values,
        weights=np.full(images * regions, 1 / regions, dtype=np.float32),
    )
