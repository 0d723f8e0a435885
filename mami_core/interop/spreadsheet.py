"""Keep a spreadsheet from running text as a formula, and take the guard off again without loss."""

from __future__ import annotations

import re
from typing import Final

import pandas as pd

# What spreadsheets take for the start of a formula or a command; the last four are full-width forms.
_STARTS: Final = r"=+\-@\t\r\n＝＋－＠"
_TO_GUARD: Final = re.compile(rf"^'*[{_STARTS}]")
_GUARDED: Final = re.compile(rf"^'+[{_STARTS}]")


def guard(text: str) -> str:
    """Return `text`, with a leading apostrophe where a spreadsheet would run it.

    Text that already looks guarded gets one more, so that `unguard(guard(text)) == text` for every text.

    >>> guard("=1+1"), guard("red cars")
    ("'=1+1", 'red cars')
    """
    return f"'{text}" if _TO_GUARD.match(text) else text


def unguard(text: str) -> str:
    """Return `text` without the apostrophe that `guard` put there."""
    return text[1:] if _GUARDED.match(text) else text


def guard_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return a copy of `table` with every text cell guarded; numbers and missing cells stay."""
    guarded = table.copy()
    for name in guarded.columns:
        if not pd.api.types.is_string_dtype(guarded[name].dtype):
            continue
        risky = guarded[name].str.match(_TO_GUARD.pattern).fillna(False).astype(bool)
        if risky.any():
            guarded.loc[risky, name] = "'" + guarded.loc[risky, name]
    return guarded
