"""Figures of firing: AUPRC is scikit-learn's, correlation numpy's, and Neuron_Eval's sanity tests on planted rules."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from mami_core.evaluation.firing import average_precision, firing_scores, mean_iou, pearson

SCORED = st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40).filter(
    lambda rows: any(true for _, true in rows)
)


@given(rows=SCORED)
def test_average_precision_is_scikit_learns_with_ties_and_all(rows):
    scores, truth = (np.array(column) for column in zip(*rows, strict=True))

    assert average_precision(scores.astype(float), truth) == pytest.approx(average_precision_score(truth, scores))


def test_without_anything_true_there_is_no_precision():
    with pytest.raises(ValueError, match="not one image is true"):
        average_precision(np.arange(3.0), np.zeros(3, dtype=bool))


def test_correlation_is_numpys_and_0_where_nothing_varies():
    first, second = np.random.default_rng(0).random((2, 30))

    assert pearson(first, second) == pytest.approx(np.corrcoef(first, second)[0, 1])
    assert pearson(first, np.ones(30)) == 0.0


def test_a_caption_that_expects_the_same_everywhere_has_a_lift_of_1():
    peaks = np.random.default_rng(1).random(50)

    found = firing_scores(np.ones(50), peaks, 0.8)

    assert found.auprc == pytest.approx((peaks > 0.8).mean())
    assert (found.lift, found.pearson) == (pytest.approx(1), 0)


def test_a_unit_that_fires_everywhere_has_no_auprc():
    found = firing_scores(np.arange(4.0), np.ones(4), 0.5)

    assert np.isnan(found.auprc)


def test_expectations_of_other_images_are_refused():
    with pytest.raises(ValueError, match="same images"):
        firing_scores(np.ones(3), np.ones(4), 0.5)


def test_masks_are_compared_over_all_pixels_of_all_images():
    said = [np.array([[True, True], [False, False]]), np.array([[False, False], [False, False]])]
    true = [np.array([[True, False], [False, False]]), np.array([[False, True], [False, False]])]

    assert mean_iou(said, true) == pytest.approx(1 / 3)
    assert np.isnan(mean_iou([said[1]], [said[1]]))
