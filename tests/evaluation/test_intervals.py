"""Intervals: against scipy's bootstrap and exact permutation, and the laws they must keep."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import stats

from mami_core.evaluation.intervals import bootstrap_mean, paired_difference


@pytest.fixture
def values() -> np.ndarray:
    return np.random.default_rng(3).gamma(2.0, size=80)


def test_the_interval_agrees_with_scipys(values):
    ours = bootstrap_mean(values, seed=0, draws=8000)
    theirs = stats.bootstrap((values,), np.mean, n_resamples=8000, method="percentile", rng=np.random.default_rng(1))

    assert ours.mean == pytest.approx(values.mean())
    assert ours.low == pytest.approx(theirs.confidence_interval.low, abs=0.03)
    assert ours.high == pytest.approx(theirs.confidence_interval.high, abs=0.03)


def test_the_interval_covers_the_true_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(8)
    covered = 0
    for trial in range(300):
        interval = bootstrap_mean(rng.random(60), seed=trial, draws=400)
        covered += interval.low <= 0.5 <= interval.high

    assert 0.90 <= covered / 300 <= 0.98


def test_the_same_seed_gives_the_same_interval(values):
    assert bootstrap_mean(values, seed=4) == bootstrap_mean(values, seed=4)
    assert bootstrap_mean(values, seed=4) != bootstrap_mean(values, seed=5)


def test_equal_values_leave_no_doubt():
    interval = bootstrap_mean([0.25] * 9, seed=0)

    assert (interval.low, interval.mean, interval.high) == (0.25, 0.25, 0.25)


def test_p_matches_all_permutations_of_a_small_sample():
    first, second = np.array([3.0, 1.0, 4.0, 1.5, 5.0, 9.0, 2.0]), np.array([2.0, 1.5, 1.0, 0.5, 3.0, 4.0, 2.5])
    difference = first - second
    means = [abs(np.mean(np.array(signs) * difference)) for signs in product((-1, 1), repeat=len(difference))]
    exact = np.mean([mean >= abs(difference.mean()) - 1e-12 for mean in means])

    assert paired_difference(first, second, seed=0, draws=20000).p == pytest.approx(exact, abs=0.01)


def test_swapping_the_captioners_turns_the_sign_and_keeps_p(values):
    other = values + np.random.default_rng(2).normal(0.1, 0.5, len(values))
    forth, back = paired_difference(values, other, seed=1), paired_difference(other, values, seed=1)

    assert forth.interval.mean == pytest.approx(-back.interval.mean)
    assert forth.p == back.p


def test_no_difference_is_not_significant(values):
    assert paired_difference(values, values, seed=0).p == 1.0


@pytest.mark.parametrize(
    ("bad", "message"),
    [([], "at least one unit"), ([0.1, float("nan")], "not finite"), ([[1.0]], "one value per unit")],
)
def test_values_that_cannot_be_averaged_are_refused(bad, message):
    with pytest.raises(ValueError, match=message):
        bootstrap_mean(bad, seed=0)


def test_unpaired_values_are_refused(values):
    with pytest.raises(ValueError, match="same units"):
        paired_difference(values, values[1:], seed=0)
