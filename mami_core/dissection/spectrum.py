"""The rest of a unit's range: random, weakest and in-between exemplars, chosen from the images kept for every unit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

_PEAKS_AT_ONCE = 2**20  # bounds the sort's memory, whose places are 8 bytes a peak, however many images there are

RowsBySet = dict[str, np.ndarray]  # set → (U, n) rows of the reservoir, -1 where there is none


def spectrum_rows(peaks: np.ndarray, rows: Sequence[int], *, random: int, bands: int, band_size: int) -> RowsBySet:
    """Choose each unit's exemplars among the reservoir's images.

    peaks (P, U) of all images; `rows` are the reservoir images' rows in it, in the order they were drawn. `random` is
    the first few drawn. `band-b` are the first drawn whose peak lies in the b-th of equal shares of all images,
    weakest first. Images without a finite peak take part in nothing.
    """
    found: dict[str, list[np.ndarray]] = {"random": [], **{f"band-{band}": [] for band in range(bands)}}
    for chunk in _chunks(peaks):
        share, finite = _shares(chunk, bands)  # (P, u), (P, u)
        drawn = np.asarray(rows, dtype=np.int64)
        strength = chunk[drawn].astype(np.float32)  # (R, u)
        usable = finite[drawn]
        found["random"].append(_first(usable, strength, random))
        for band in range(bands):
            found[f"band-{band}"].append(_first(usable & (share[drawn] == band), strength, band_size))
    return {name: np.concatenate(parts) for name, parts in found.items()}


def _chunks(peaks: np.ndarray) -> Iterator[np.ndarray]:
    units = max(1, _PEAKS_AT_ONCE // max(len(peaks), 1))
    for start in range(0, peaks.shape[1], units):
        yield np.ascontiguousarray(peaks[:, start : start + units])


def _shares(peaks: np.ndarray, bands: int) -> tuple[np.ndarray, np.ndarray]:
    """Return which of `bands` equal shares each image is in by its peak (ties by id), and whether it has one."""
    finite = np.isfinite(peaks)
    bits = np.where(finite, peaks, np.float16(np.inf)).view(np.int16)
    order = np.where(bits < 0, bits ^ np.int16(0x7FFF), bits).argsort(axis=0, kind="stable")  # a radix sort
    place = np.empty_like(order)
    np.put_along_axis(place, order, np.arange(len(peaks))[:, None], axis=0)
    return place * bands // np.maximum(finite.sum(axis=0), 1), finite


def _first(eligible: np.ndarray, strength: np.ndarray, count: int) -> np.ndarray:
    """Return the first `count` eligible rows of each column, (u, count), strongest first; -1 fills up."""
    rows = np.where(eligible, np.arange(len(eligible))[:, None], len(eligible))  # (R, u)
    rows = np.sort(rows, axis=0)[:count].T  # (u, ≤ count)
    empty = rows == len(eligible)
    value = np.where(empty, -np.inf, np.take_along_axis(strength.T, np.minimum(rows, len(eligible) - 1), axis=1))
    order = np.argsort(-value, axis=1, kind="stable")
    chosen = np.take_along_axis(np.where(empty, -1, rows), order, axis=1)
    return np.pad(chosen, ((0, 0), (0, count - chosen.shape[1])), constant_values=-1)


def class_means(peaks: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """Return each unit's mean peak over the images of each class, float32 (classes, U); NaN for a class without any.

    peaks (P, U) and labels (P,) of the same images; images without a finite peak are left out.
    """
    means = np.full((classes, peaks.shape[1]), np.nan, dtype=np.float32)
    for label in range(classes):
        members = peaks[np.flatnonzero(labels == label)].astype(np.float64)  # (n, U)
        known = np.isfinite(members)
        with np.errstate(invalid="ignore"):
            means[label] = np.where(known, members, 0).sum(axis=0) / known.sum(axis=0)
    return means
