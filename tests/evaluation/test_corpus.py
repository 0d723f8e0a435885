"""Figures of a set of descriptions, counted by hand."""

from __future__ import annotations

import pytest

from mami_core.evaluation.corpus import corpus_figures

TEXTS = {
    ("a", ("conv1", 0)): ["Red cars.", "cars and a bus", "red, round things"],
    ("a", ("conv1", 1)): ["a bus", "the red bus"],
    ("b", ("conv1", 0)): ["cars and buses and more cars and buses"],
    ("b", ("conv1", 1)): [],
}


def test_every_figure_is_what_counting_gives():
    figures = corpus_figures(TEXTS)

    assert (figures.units, figures.descriptions, figures.longest) == (3, 6, 8)
    assert figures.mean == pytest.approx((2 + 4 + 3 + 2 + 3 + 8) / 6)
    assert (figures.mode, figures.at_mode) == (2, 2)  # 2 and 3 words twice each: the shorter
    assert figures.frequent[:4] == ("and", "cars", "bus", "red")  # 4, 4, then 3 each by the alphabet
    assert figures.vocabulary == len({"red", "cars", "and", "a", "bus", "round", "things", "the", "buses", "more"})


def test_no_description_is_refused():
    with pytest.raises(ValueError, match="not one description"):
        corpus_figures({("a", ("conv1", 0)): []})
