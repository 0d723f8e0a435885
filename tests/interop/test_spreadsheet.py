"""Text that a spreadsheet would run is guarded, and nothing is lost."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mami_core.interop.spreadsheet import guard, guard_table, unguard

TEXTS = st.text() | st.text(alphabet="'=+-@a\t\n", max_size=6)


@given(text=TEXTS)
def test_the_guard_comes_off_without_loss(text: str) -> None:
    assert unguard(guard(text)) == text


@given(text=TEXTS)
def test_guarded_text_never_starts_a_formula(text: str) -> None:
    assert not guard(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝"))


@pytest.mark.parametrize(("text", "safe"), [("=1+1", "'=1+1"), ("'=x", "''=x"), ("dogs' noses", "dogs' noses")])
def test_only_what_would_run_is_touched(text: str, safe: str) -> None:
    assert guard(text) == safe


@given(texts=st.lists(TEXTS | st.none(), max_size=5))
def test_a_table_is_guarded_as_its_cells_are(texts: list[str | None]) -> None:
    table = pd.DataFrame({"text": pd.Series(texts, dtype="string"), "number": range(len(texts))})

    guarded = guard_table(table)["text"]

    assert [None if pd.isna(x) else x for x in guarded] == [None if x is None else guard(x) for x in texts]
