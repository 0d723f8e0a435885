"""Activation profiles: what each unit's peak was over the same images. Read in strips, so memory stays small.

A profile is a column of `peaks/<layer>.npy`. Images that could not be read, where every unit is NaN, are left out; a
unit that is NaN or infinite on any other image, or never varies, has no correlation with anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mami_core.store import Dissection

_STRIP = 1 << 22  # values of float32 at once: 16 MB


@dataclass(frozen=True, eq=False)
class Profiles:
    """Some units' peaks over some images: `peaks` (P, U) memory-mapped, `rows` and `columns` of it, None for all."""

    peaks: np.ndarray
    rows: np.ndarray | None = None
    columns: np.ndarray | None = None

    @property
    def images(self) -> int:
        """Return the number of images."""
        return len(self.peaks) if self.rows is None else len(self.rows)

    @property
    def units(self) -> int:
        """Return the number of units."""
        return self.peaks.shape[1] if self.columns is None else len(self.columns)

    def strip(self, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        """Return (values float32 (r, units), whether each of these images could be read (r,))."""
        strip = np.asarray(self.peaks[start:stop] if self.rows is None else self.peaks[self.rows[start:stop]])
        readable = np.isfinite(strip).any(axis=1)
        chosen = strip if self.columns is None else strip[:, self.columns]
        return chosen.astype(np.float32), readable


def profiles_of(dissection: Dissection, layer: str, units: list[int] | None = None) -> Profiles:
    """Return a layer's profiles, or those of some of its units."""
    columns = None if units is None else np.array([dissection.row(layer, unit) for unit in units], dtype=np.int64)
    return Profiles(dissection.peaks(layer), columns=columns)


def profile(dissection: Dissection, layer: str, unit: int) -> tuple[np.ndarray, np.ndarray]:
    """Return one unit's profile: image ids int64 (P,), peaks float32 (P,); images without a finite peak left out."""
    values = np.asarray(dissection.peaks(layer)[:, dissection.row(layer, unit)], dtype=np.float32)
    finite = np.isfinite(values)
    return dissection.peak_ids[finite], values[finite]


def shared_rows(first: Dissection, second: Dissection) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of both dissections' peaks that are of the same images, by ascending image id.

    ValueError where they were not made over the same list of images: ids would name different pictures.
    """
    if first.manifest.image_ids_sha256 != second.manifest.image_ids_sha256:
        names = f"{first.name} ({first.manifest.dataset}) and {second.name} ({second.manifest.dataset})"
        raise ValueError(f"{names} were not dissected over the same images; dissect both over one list of images")
    _, rows, others = np.intersect1d(first.peak_ids, second.peak_ids, assume_unique=True, return_indices=True)
    if len(rows) < 2:
        raise ValueError(f"{first.name} and {second.name} kept peaks of fewer than two images in common")
    return rows, others


def correlations(first: Profiles, second: Profiles) -> np.ndarray:
    """Return Pearson's r of every pair of units over the same images, float32 (units, units of the second).

    NaN where either has no profile. O(images x U x V) multiplications in strips of 16 MB; values are taken from the
    first readable image's, as a mean far from zero would swallow float32's digits.
    """
    if first.images != second.images:
        raise ValueError(f"profiles over {first.images} and {second.images} images cannot be correlated; share rows")
    one, other = _Sums.none(first.units), _Sums.none(second.units)
    products = np.zeros((first.units, second.units))
    for left, right in _strips(first, second):
        a, b = one.take(left), other.take(right)
        products += a.T @ b
    covariance = products - np.outer(one.total, other.total) / max(one.count, 1)
    return (covariance / np.outer(one.spread(), other.spread())).clip(-1, 1).astype(np.float32)


def _strips(first: Profiles, second: Profiles) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield both profiles of the images that both could read, strip by strip."""
    step = max(1, _STRIP // max(first.peaks.shape[1], second.peaks.shape[1]))
    for start in range(0, first.images, step):
        left, seen = first.strip(start, start + step)
        right, also = second.strip(start, start + step)
        both = seen & also
        if both.all():
            yield left, right
        elif both.any():
            yield left[both], right[both]


@dataclass(eq=False)
class _Sums:
    """Running sums of units' values, measured from the first image's."""

    pivot: np.ndarray | None
    count: int
    total: np.ndarray  # (U,)
    squares: np.ndarray  # (U,)
    broken: np.ndarray  # (U,) bool

    @classmethod
    def none(cls, units: int) -> _Sums:
        return cls(None, 0, np.zeros(units), np.zeros(units), np.zeros(units, dtype=bool))

    def take(self, strip: np.ndarray) -> np.ndarray:
        """Add a strip (r, U); return it measured from the pivot, 0 where a value is not finite."""
        finite = np.isfinite(strip)
        if not finite.all():
            self.broken |= ~finite.all(axis=0)
            strip = np.where(finite, strip, np.float32(0))
        if self.pivot is None:
            self.pivot = strip[0].copy()
        moved = strip - self.pivot
        self.count += len(moved)
        self.total += moved.sum(axis=0, dtype=np.float64)
        self.squares += np.einsum("iu,iu->u", moved, moved, dtype=np.float64)
        return moved

    def spread(self) -> np.ndarray:
        """Return the root of the summed squared deviations (U,), NaN where a unit has no profile."""
        deviation = self.squares - self.total**2 / max(self.count, 1)
        none = self.broken | (deviation <= 1e-10 * np.maximum(self.squares, 1e-30))
        return np.sqrt(np.where(none, np.nan, deviation))
