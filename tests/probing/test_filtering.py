"""The filter that lists and exports share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_dissection import make_dissection, unit_keys

from mami_core.probing.filtering import SORTS, STATES, UnitFilter, chosen_keys, chosen_rows, unit_table
from mami_core.store import Dissection


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return unit_table(Dissection.open(make_dissection(tmp_path_factory.mktemp("filtering") / "squares")))


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
    ],
)
def test_a_filter_keeps_what_it_names(table, choice, kept):
    rows = chosen_rows(table, choice, frozenset({("early", 3)}))
    assert chosen_keys(table, rows) == kept


def test_units_without_a_figure_come_last(table):
    rows = chosen_rows(table, UnitFilter(sort="pmi"))
    values = table["pmi:milan@made"].to_numpy()[rows]
    assert np.isnan(values[-2:]).all()
    assert (np.diff(values[:-2]) <= 0).all()


def test_sorting_by_meaning_needs_no_common_spelling_and_leaves_out_what_is_unlike(table):
    likeness = np.linspace(-0.5, 0.5, len(table))
    rows = chosen_rows(table, UnitFilter(text="anything", sort="meaning"), likeness=likeness)
    assert rows.tolist() == sorted(np.flatnonzero(likeness > 0), reverse=True)


@pytest.mark.parametrize(
    ("values", "said"),
    [({"sort": "luck"}, "cannot sort"), ({"state": "asleep"}, "no state"), ({"text": "/(/"}, "regular")],
)
def test_a_wrong_filter_is_refused_in_words(values, said):
    with pytest.raises(ValueError, match=said):
        UnitFilter.from_mapping(values)


@given(
    text=st.text(alphabet="abc -", max_size=6),
    state=st.sampled_from(["", *STATES]),
    sort=st.sampled_from(sorted(SORTS)),
    label=st.sampled_from(["", "labelled", "unlabelled"]),
)
def test_a_filter_survives_the_address(text, state, sort, label):
    choice = UnitFilter(text=text, state=state, sort=sort, label=label)
    assert UnitFilter.from_mapping(choice.to_mapping()) == choice
