"""Figures over several trainings: means, intervals that hold their value, paired comparisons and their p."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from mami_core.evaluation.intervals import bootstrap_mean
from mami_core.evaluation.seeds import bleu_over_seeds, compare_bleu, compare_means, mean_over_seeds
from mami_core.evaluation.text import bleu, bleu_statistics

REFERENCES = [["red roofs of houses", "roofs"], ["green grass and trees"], ["the deep blue sea", "blue water"]] * 6
GOOD = ["red roofs of houses", "green grass and trees", "the deep blue sea"] * 6
WORSE = ["red roofs", "green grass and sheep", "a deep blue sea"] * 6


def statistics(*captions: list[str]) -> np.ndarray:
    return np.stack([bleu_statistics(said, REFERENCES) for said in captions])


def test_bleu_over_trainings_is_the_mean_of_their_bleus():
    found = bleu_over_seeds(statistics(GOOD, WORSE), "milan")

    assert found.by_seed == pytest.approx([bleu(GOOD, REFERENCES).score, bleu(WORSE, REFERENCES).score])
    assert found.value == pytest.approx(np.mean(found.by_seed))
    assert found.low <= found.value <= found.high


def test_one_trainings_interval_is_that_of_resampled_units():
    values = np.random.default_rng(1).random(80)
    found, expected = mean_over_seeds(values[None], draws=2000), bootstrap_mean(values, 3)

    assert found.value == expected.mean
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.01)
    assert np.isnan(found.spread)


def test_units_without_a_value_are_left_out():
    values = np.array([[1.0, np.nan, 0.0] * 9, [np.nan, 1.0, 1.0] * 9])

    assert mean_over_seeds(values).value == pytest.approx(0.75)


def test_trainings_that_differ_widen_the_interval():
    rng = np.random.default_rng(0)
    values = rng.random((4, 60))
    moved = values + np.array([[-0.3], [-0.1], [0.1], [0.3]])

    def width(rows: np.ndarray) -> float:
        found = mean_over_seeds(rows)
        return found.high - found.low

    assert width(moved) > 1.5 * width(values)


def test_a_better_captioner_is_found_better_and_the_other_way_round():
    ours, theirs = statistics(GOOD, GOOD), statistics(WORSE, WORSE)
    forth, back = compare_bleu(ours, theirs, "milan"), compare_bleu(theirs, ours, "milan")

    assert forth.difference.low > 0
    assert forth.difference.value == pytest.approx(-back.difference.value)
    assert forth.ratio.value == pytest.approx(1 / back.ratio.value)
    assert forth.p < 0.02


def test_p_is_that_of_every_way_to_swap_units():
    first, second = np.array([[1.0, 0.5, 0.9, 0.4, 1.0, 0.7]]), np.array([[0.2, 0.6, 0.1, 0.3, 0.8, 0.5]])
    gaps = (first - second)[0]
    every = [abs(np.mean(gaps * signs)) for signs in product((1, -1), repeat=6)]
    exact = np.mean(np.array(every) >= abs(gaps.mean()) - 1e-12)

    assert compare_means(first, second, draws=4000).p == pytest.approx(exact, abs=0.03)


def test_a_captioner_does_not_differ_from_itself():
    found = compare_bleu(statistics(GOOD), statistics(GOOD), "sat")

    assert (found.difference.low, found.difference.high, found.p) == (0, 0, 1)


def test_captioners_of_other_units_or_seeds_cannot_be_paired():
    with pytest.raises(ValueError, match="same seeds and units"):
        compare_means(np.zeros((2, 5)), np.zeros((2, 4)))
