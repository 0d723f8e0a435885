"""A vector a unit: of length 1, the same on every machine, and with the angles of the whole features."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mami_core.captioning.pooled import SIZE, random_signs, unit_vectors

SIGNS = [[1, 1, 1, -1, -1, -1, -1, -1, -1, -1, 1, 1], [-1, -1, -1, -1, -1, 1, 1, 1, -1, -1, 1, -1]]


def test_signs_are_the_same_for_ever() -> None:
    assert random_signs(2, 12).astype(int).tolist() == SIGNS


@given(channels=st.sampled_from([3, SIZE, 129, 426]), seed=st.integers(0, 9))
def test_vectors_have_length_one_and_few_channels(channels: int, seed: int) -> None:
    made = unit_vectors(np.random.default_rng(seed).normal(size=(5, channels)).astype(np.float32))

    assert (made.dtype, made.shape) == (np.float16, (5, min(channels, SIZE)))
    assert np.abs(np.linalg.norm(made.astype(np.float32), axis=1) - 1).max() < 2e-3


def test_few_channels_keep_their_direction() -> None:
    whole = np.array([[3.0, 4.0], [0.0, 0.0]], np.float32)

    made = unit_vectors(whole)

    assert np.allclose(made[0], [0.6, 0.8], atol=1e-3)
    assert np.isnan(made[1]).all(), "a row of zeros has no direction"
