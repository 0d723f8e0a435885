"""Exemplars of a unit's whole range: each unit on its own, in little memory however many images there are."""

from __future__ import annotations

import tracemalloc

import numpy as np

from mami_core.dissection.spectrum import RowsBySet, spectrum_rows

IMAGES, UNITS = 20_000, 128


def chosen(peaks: np.ndarray) -> RowsBySet:
    return spectrum_rows(peaks, range(0, IMAGES, 400), random=5, bands=4, band_size=3)


def test_units_are_chosen_for_one_by_one_and_memory_does_not_grow_with_the_images():
    peaks = np.random.default_rng(0).normal(size=(IMAGES, UNITS)).astype(np.float16)
    tracemalloc.start()
    found = chosen(peaks)
    largest = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert largest < 64 * 2**20  # sorting all units at once takes 86 MB, and more with more images
    for unit in (0, 51, 52, 127):  # either side of where the sort is cut
        alone = chosen(peaks[:, unit : unit + 1])
        assert {name: rows[unit].tolist() for name, rows in found.items()} == {
            name: rows[0].tolist() for name, rows in alone.items()
        }
