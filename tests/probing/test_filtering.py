"""The filter that lists and exports share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_dissection import make_dissection, unit_keys

from mami_core.probing.figures import figure_names, unit_figure
from mami_core.probing.filtering import LABELS, SPOKEN_STATES, STATES, UnitFilter, chosen_keys, chosen_rows, unit_table
from mami_core.probing.words import word_f1
from mami_core.store import Dissection


@pytest.fixture(scope="module")
def dissection(tmp_path_factory):
    return Dissection.open(make_dissection(tmp_path_factory.mktemp("filtering") / "squares"))


@pytest.fixture(scope="module")
def table(dissection):
    return unit_table(dissection)


def test_no_filter_keeps_every_unit_in_order(table):
    assert chosen_keys(table, chosen_rows(table, UnitFilter())) == unit_keys()


@pytest.mark.parametrize(
    ("choice", "kept"),
    [
        (UnitFilter(text="BLUE"), [("early", 2), ("late.conv", 2)]),
        (UnitFilter(text="/^(red|green) squares$/", layer="early"), [("early", 0), ("early", 1)]),
        (UnitFilter(text="4"), [("early", 4), ("late.conv", 4)]),
        (UnitFilter(state="dead"), [("early", 4)]),
        (UnitFilter(label="labelled"), [("early", 3)]),
        (UnitFilter(text="a+b"), []),
        (
            UnitFilter(text='"on"', layer="early"),
            [("early", 0), ("early", 1), ("early", 2), ("early", 3), ("early", 5)],
        ),
        (UnitFilter(text='"square"'), []),  # "squares" is another word
        (UnitFilter(state="failed"), [("late.conv", 3)]),
        (UnitFilter(label="accept"), [("early", 3)]),
    ],
)
def test_a_filter_keeps_what_it_names(table, choice, kept):
    rows = chosen_rows(table, choice, frozenset({("early", 3)}))
    assert chosen_keys(table, rows) == kept


def test_units_without_a_figure_come_last_and_stay_out_of_bounds(dissection, table):
    figure = unit_figure(dissection, "pmi:milan@made")
    rows = chosen_rows(table, UnitFilter(sort="pmi:milan@made"), figure=figure)
    assert np.isnan(figure[rows][-2:]).all()
    assert (np.diff(figure[rows][:-2]) <= 0).all()
    bounded = chosen_rows(table, UnitFilter(sort="pmi:milan@made", least=-99.0), figure=figure)
    assert bounded.tolist() == rows[:-2].tolist()


def test_bounds_keep_what_lies_between_them(table):
    figure = np.arange(len(table), dtype=float)
    rows = chosen_rows(table, UnitFilter(sort="maximum", least=3.0, most=7.0), figure=figure)
    assert rows.tolist() == [7, 6, 5, 4, 3]


def test_every_figure_there_is_can_be_computed_and_sorted_by(dissection, table):
    names = figure_names(dissection)
    assert {"maximum", "selectivity", "disagreement", "references:mami@made", "heads:mami@made"} <= names.keys()
    assert "heads:milan@made" not in names, "it has one head"
    for name in names.keys() - {"unit", "meaning"}:
        figure = unit_figure(dissection, name)
        assert figure.shape == (len(table),)
        assert sorted(chosen_rows(table, UnitFilter(sort=name), figure=figure)) == list(range(len(table)))


def test_the_nearest_reference_is_the_best_of_each_one_alone(dissection, table):
    texts = table["caption:mami@made"].tolist()
    sets = [[entry.text for entry in dissection.references_of(*key)] for key in unit_keys()]
    expected = [max(word_f1([text], [one])[0] for one in said) if text else np.nan
                for text, said in zip(texts, sets, strict=True)]  # fmt: skip
    assert unit_figure(dissection, "references:mami@made") == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("name", ["luck", "pmi", "pmi:nobody", "meaning"])
def test_a_figure_that_is_not_there_is_refused_in_words(dissection, name):
    with pytest.raises(ValueError, match=r"no figure|did not caption"):
        unit_figure(dissection, name)


def test_sorting_by_meaning_needs_no_common_spelling_and_leaves_out_what_is_unlike(table):
    likeness = np.linspace(-0.5, 0.5, len(table))
    rows = chosen_rows(table, UnitFilter(text="anything", sort="meaning"), figure=likeness)
    assert rows.tolist() == sorted(np.flatnonzero(likeness > 0), reverse=True)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"sort": "luck"}, "cannot sort"),
        ({"sort": "pmi"}, "cannot sort"),
        ({"state": "asleep"}, "no state"),
        ({"label": "liked"}, "no label"),
        ({"least": "many"}, "must be a number"),
        ({"text": "/(/"}, "regular"),
    ],
)
def test_a_wrong_filter_is_refused_in_words(values, said):
    with pytest.raises(ValueError, match=said):
        UnitFilter.from_mapping(values)


@given(
    text=st.text(alphabet="abc -", max_size=6),
    state=st.sampled_from(["", *STATES, *SPOKEN_STATES]),
    sort=st.sampled_from(["unit", "maximum", "meaning", "pmi:milan@scenery", "heads:a:b"]),
    label=st.sampled_from(["", *LABELS]),
    least=st.none() | st.floats(allow_nan=False),
)
def test_a_filter_survives_the_address(text, state, sort, label, least):
    choice = UnitFilter(text=text, state=state, sort=sort, label=label, least=least)
    assert UnitFilter.from_mapping(choice.to_mapping()) == choice
