"""Which units stand behind a figure of table 1: those that the figure was counted over."""

from __future__ import annotations

import pytest

from mami_core.evaluation.corpus import corpus_figures
from mami_core.probing.descriptions import descriptions, units_by_length, units_saying
from mami_core.store import DEMO, Dissection

TEXTS = {("a", 0): ["red roofs, roofs", "sky"], ("a", 1): ["blue sky"], ("b", 0): ["the red roof of a house", "roofs"]}


def test_the_longest_description_is_the_first_units():
    assert units_by_length(TEXTS, "longest", 0)[0] == (("b", 0), 6.0)
    assert corpus_figures(TEXTS).longest == 6


def test_means_of_units_weigh_to_the_mean_of_all():
    found = dict(units_by_length(TEXTS, "mean", 0))

    total = sum(found[key] * len(texts) for key, texts in TEXTS.items())
    assert total / corpus_figures(TEXTS).descriptions == pytest.approx(corpus_figures(TEXTS).mean)


def test_descriptions_of_the_commonest_length_are_as_many_as_the_table_says():
    figures = corpus_figures(TEXTS)

    found = units_by_length(TEXTS, "at_mode", figures.mode)

    assert sum(count for _, count in found) == figures.at_mode == 2


def test_units_say_a_word_as_often_as_it_stands_in_their_descriptions():
    assert units_saying(TEXTS, "roofs") == [(("a", 0), 2.0), (("b", 0), 1.0)]


def test_a_length_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="no length 'shortest'"):
        units_by_length(TEXTS, "shortest", 1)


def test_the_demos_descriptions_are_all_there():
    demo = Dissection.open(DEMO)

    found = descriptions(demo)

    counted = demo.references.groupby("set").size()
    assert {set_: sum(map(len, texts.values())) for set_, texts in found.items()} == counted.to_dict()
