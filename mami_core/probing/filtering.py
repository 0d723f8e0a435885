"""Choose units: one table of what lists show, and one filter that the screen and the export share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final, Literal

import numpy as np
import pandas as pd

from mami_core.probing.disagreement import captioner_disagreement
from mami_core.probing.search import as_column, says
from mami_core.store import Dissection, UnitKey

Sort = Literal["unit", "maximum", "words", "pmi", "disagreement", "meaning"]
SORTS: Final[dict[str, str]] = {
    "unit": "layer and unit",
    "maximum": "maximum activation",
    "words": "caption length",
    "pmi": "PMI of the first captioner",
    "disagreement": "disagreement of captioners",
    "meaning": "likeness to the text (TF-IDF)",
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
        says(as_column([""]), self.text)  # refuses a broken pattern, and one that could run away

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
    table["words"] = _words([table[f"caption:{name}"] for name in dissection.captioners], len(table))
    table["disagreement"] = captioner_disagreement(dissection)
    return table.reset_index(drop=True)


def _words(captions: Sequence[pd.Series], count: int) -> np.ndarray:
    lengths = [np.array([len(text.split()) if text else np.nan for text in column]) for column in captions]
    return np.fmax.reduce(lengths) if lengths else np.full(count, np.nan)


def chosen_rows(
    table: pd.DataFrame,
    choice: UnitFilter,
    labelled: frozenset[UnitKey] = frozenset(),
    likeness: np.ndarray | None = None,
) -> np.ndarray:
    """Return the rows of `unit_table` that a filter keeps, in the filter's order.

    `labelled` are the units with a label. `likeness` is what sorting by meaning goes by, one figure a row: rows of 0
    are left out, and the words themselves need not occur.
    """
    if choice.sort == "meaning" and choice.text.strip() and likeness is not None:
        rows = chosen_rows(table, replace(choice, text="", sort="unit"), labelled)
        rows = rows[np.nan_to_num(likeness[rows]) > 0]
        return rows[np.argsort(-likeness[rows], kind="stable")]
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
    return rows if choice.sort in ("unit", "meaning") else rows[_order(table, choice.sort, rows)]


def _says(table: pd.DataFrame, choice: UnitFilter) -> np.ndarray:
    """Tell for each row whether any caption, or the unit's own number, is what is looked for."""
    found = (table["unit"].astype(str) == choice.text.strip()).to_numpy()
    for name in table.columns:
        if name.startswith("caption:"):
            found = found | says(as_column(table[name].tolist()), choice.text)
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
