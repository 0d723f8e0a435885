"""Choose units: one table of what lists show, and one filter that the screen and the export share."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final, Literal

import numpy as np
import pandas as pd

from mami_core.store import Dissection, UnitKey

Sort = Literal["unit", "maximum", "words", "pmi", "disagreement"]
SORTS: Final[dict[str, str]] = {
    "unit": "layer and unit",
    "maximum": "maximum activation",
    "words": "caption length",
    "pmi": "PMI of the first captioner",
    "disagreement": "captioners disagree",
}
STATES: Final = ("alive", "dead", "constant", "not_finite")
_KEY: Final = ["layer", "unit"]


@dataclass(frozen=True, slots=True)
class UnitFilter:
    """Which units, and in what order. `text` is looked for in captions; between slashes it is a regular expression."""

    text: str = ""
    layer: str = ""  # empty: all
    state: str = ""  # empty: all
    label: str = ""  # empty: all; else labelled | unlabelled
    sort: Sort = "unit"

    def __post_init__(self) -> None:
        if self.sort not in SORTS:
            raise ValueError(f"cannot sort by {self.sort!r}; choose one of {', '.join(SORTS)}")
        if self.state and self.state not in STATES:
            raise ValueError(f"no state {self.state!r}; choose one of {', '.join(STATES)}")
        if self.label not in ("", "labelled", "unlabelled"):
            raise ValueError(f"label must be labelled, unlabelled or empty, got {self.label!r}")
        self.pattern()

    def pattern(self) -> re.Pattern[str]:
        """Return what captions are searched for, whatever the case. ValueError for a broken regular expression."""
        wanted = self.text.strip()
        if len(wanted) > 2 and wanted.startswith("/") and wanted.endswith("/"):
            try:
                return re.compile(wanted[1:-1], re.IGNORECASE)
            except re.error as problem:
                raise ValueError(f"{wanted} is not a regular expression: {problem}") from None
        return re.compile(re.escape(wanted), re.IGNORECASE)

    @classmethod
    def from_mapping(cls, values: Mapping[str, str]) -> UnitFilter:
        """Return the filter that an address's parameters name; others are ignored."""
        known = {entry.name for entry in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known and value})  # type: ignore[arg-type]

    def to_mapping(self) -> dict[str, str]:
        """Return what an address needs to name this filter: only what differs from choosing everything."""
        plain = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        return {name: value for name, value in plain.items() if value and (name, value) != ("sort", "unit")}


def unit_table(dissection: Dissection) -> pd.DataFrame:
    """Return a row per unit: `layer, unit, state, maximum`, per captioner `caption:<name>` and `pmi:<name>`, and
    `words` and `disagreement` (NaN where it cannot be told), in the dissection's order.
    """
    units = dissection.units
    table = units[["layer", "unit", "state"]].copy()
    table["maximum"] = units["max"]
    index = pd.MultiIndex.from_frame(units[_KEY])
    for name in dissection.captioners:
        said = dissection.captions(name).reindex(index)
        spoken = (said["state"] == "ok").to_numpy()
        texts = [text if ok else None for text, ok in zip(said["caption"], spoken, strict=True)]
        table[f"caption:{name}"] = pd.Series(texts, dtype=object, index=table.index)  # None, not NaN: it is no text
        table[f"captioned:{name}"] = said["state"].fillna("not_captioned").to_numpy(dtype=object)
        table[f"pmi:{name}"] = np.where(spoken, said["pmi"].to_numpy(dtype=np.float64), np.nan)
    captions = [table[f"caption:{name}"] for name in dissection.captioners]
    table["words"] = _words(captions, len(table))
    table["disagreement"] = _disagreement(captions, len(table))
    return table.reset_index(drop=True)


def _words(captions: Sequence[pd.Series], count: int) -> np.ndarray:
    lengths = [np.array([len(text.split()) if text else np.nan for text in column]) for column in captions]
    return np.fmax.reduce(lengths) if lengths else np.full(count, np.nan)


def _disagreement(captions: Sequence[pd.Series], count: int) -> np.ndarray:
    """Return one minus the mean over pairs of captioners of the F1 of their captions' sets of words."""
    if len(captions) < 2:
        return np.full(count, np.nan)
    sets = [[frozenset(text.split()) if text else None for text in column] for column in captions]
    pairs = [(one, other) for place, one in enumerate(sets) for other in sets[place + 1 :]]
    scores = np.array([[_f1(a, b) for a, b in zip(one, other, strict=True)] for one, other in pairs])  # (pairs, units)
    known = np.isfinite(scores).sum(axis=0)
    return np.where(known > 0, 1 - np.nansum(scores, axis=0) / np.maximum(known, 1), np.nan)


def _f1(one: frozenset[str] | None, other: frozenset[str] | None) -> float:
    if one is None or other is None:
        return float("nan")
    return 2 * len(one & other) / (len(one) + len(other))


def chosen_rows(table: pd.DataFrame, choice: UnitFilter, labelled: frozenset[UnitKey] = frozenset()) -> np.ndarray:
    """Return the rows of `unit_table` that a filter keeps, in the filter's order."""
    keep = np.ones(len(table), dtype=bool)
    if choice.layer:
        keep &= (table["layer"] == choice.layer).to_numpy()
    if choice.state:
        keep &= (table["state"] == choice.state).to_numpy()
    if choice.label:
        has = np.array([key in labelled for key in zip(table["layer"], table["unit"], strict=True)], dtype=bool)
        keep &= has if choice.label == "labelled" else ~has
    if choice.text.strip():
        keep &= _says(table, choice)
    rows = np.flatnonzero(keep)
    return rows if choice.sort == "unit" else rows[_order(table, choice.sort, rows)]


def _says(table: pd.DataFrame, choice: UnitFilter) -> np.ndarray:
    """Tell for each row whether any caption, or the unit's own number, is what is looked for."""
    found = (table["unit"].astype(str) == choice.text.strip()).to_numpy()
    search = choice.pattern().search
    for name in table.columns:
        if name.startswith("caption:"):
            found = found | np.array([bool(text and search(text)) for text in table[name]], dtype=bool)
    return found


def _order(table: pd.DataFrame, sort: Sort, rows: np.ndarray) -> np.ndarray:
    """Return the order of `rows`, largest first; where there is no figure, last."""
    measured = next((name for name in table.columns if name.startswith("pmi:")), "maximum")
    column = measured if sort == "pmi" else sort
    values = table[column].to_numpy(dtype=np.float64)[rows]
    return np.argsort(np.where(np.isfinite(values), -values, np.inf), kind="stable")


def chosen_keys(table: pd.DataFrame, rows: np.ndarray) -> list[UnitKey]:
    """Return (layer, unit) of rows of `unit_table`."""
    chosen = table.iloc[rows]
    return [(layer, int(unit)) for layer, unit in zip(chosen["layer"], chosen["unit"], strict=True)]
