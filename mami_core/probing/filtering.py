"""Choose units: one table of what lists show, and one filter that the screen and the export share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Final, get_args

import numpy as np
import pandas as pd

from mami_core.probing.figures import is_known
from mami_core.probing.search import as_column, says
from mami_core.probing.unit_lists import is_unit_list, parse_unit_list
from mami_core.store import Dissection, UnitKey
from mami_core.store.labels import Verdict

STATES: Final = ("alive", "dead", "constant", "not_finite")
SPOKEN_STATES: Final = ("failed", "not_captioned")  # by any captioner
LABELS: Final = ("labelled", "unlabelled", *(verdict for verdict in get_args(Verdict) if verdict != "withdrawn"))
_KEY: Final = ["layer", "unit"]


@dataclass(frozen=True, slots=True)
class UnitFilter:
    """Which units, and in what order.

    `text` is looked for in captions: as it stands, as a whole "word" between quotes, as a /regular expression/ between
    slashes, as a unit's number, or as a list: `units layer4:1-4,9`. `least` and `most` bound the figure that is
    sorted by; units without one are left out then.
    """

    text: str = ""
    layer: str = ""  # empty: all
    state: str = ""  # empty: all
    split: str = ""  # empty: all
    label: str = ""  # empty: all
    sort: str = "unit"  # a figure of `figures.figure_names`
    least: float | None = None
    most: float | None = None

    def __post_init__(self) -> None:
        if not is_known(self.sort):
            raise ValueError(f"cannot sort by {self.sort!r}; try maximum, disagreement or pmi:<captioner>")
        if self.state and self.state not in (*STATES, *SPOKEN_STATES):
            raise ValueError(f"no state {self.state!r}; choose one of {', '.join((*STATES, *SPOKEN_STATES))}")
        if self.label and self.label not in LABELS:
            raise ValueError(f"no label {self.label!r}; choose one of {', '.join(LABELS)}")
        if is_unit_list(self.text):
            parse_unit_list(self.text)
            return
        says(as_column([""]), self.text)  # refuses a broken pattern, and one that could run away

    @classmethod
    def from_mapping(cls, values: Mapping[str, str]) -> UnitFilter:
        """Return the filter that an address's parameters name; others are ignored."""
        known = {entry.name for entry in fields(cls)}
        named = {name: value for name, value in values.items() if name in known and value not in ("", None)}
        return cls(**{name: _bound(name, value) for name, value in named.items()})  # type: ignore[arg-type]

    def to_mapping(self) -> dict[str, str]:
        """Return what an address needs to name this filter: only what differs from choosing everything."""
        plain = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        named = {name: value for name, value in plain.items() if value not in ("", None)}
        return {name: str(value) for name, value in named.items() if (name, value) != ("sort", "unit")}


def _bound(name: str, value: str) -> str | float:
    if name not in ("least", "most"):
        return value
    try:
        return float(value)
    except ValueError:
        raise ValueError(f"{name} must be a number, got {value!r}") from None


def unit_table(dissection: Dissection) -> pd.DataFrame:
    """Return a row per unit, in the dissection's order: `layer, unit, state, maximum, split`, and of each captioner
    `caption:<name>` and `captioned:<name>`. Of a unit that one said nothing of it has None, and `captioned` says why.
    """
    units = dissection.units
    table = units[["layer", "unit", "state"]].copy()
    table["maximum"] = units["max"]
    of_split = {key: name for name, keys in dissection.splits.items() for key in keys}
    table["split"] = [of_split.get(key) for key in dissection.unit_keys()]
    index = pd.MultiIndex.from_frame(units[_KEY])
    for name in dissection.captioners:
        said = dissection.captions(name).reindex(index)
        spoken = (said["state"] == "ok").to_numpy()
        texts = [text if ok else None for text, ok in zip(said["caption"], spoken, strict=True)]
        table[f"caption:{name}"] = pd.Series(texts, dtype=object, index=table.index)  # None, not NaN: it is no text
        table[f"captioned:{name}"] = said["state"].fillna("not_captioned").to_numpy(dtype=object)
    return table.reset_index(drop=True)


def chosen_rows(
    table: pd.DataFrame,
    choice: UnitFilter,
    labelled: frozenset[UnitKey] = frozenset(),
    figure: np.ndarray | None = None,
) -> np.ndarray:
    """Return the rows of `unit_table` that a filter keeps, in the filter's order.

    `labelled` are the units whose label is the one asked for. `figure` is what the filter sorts by, one a row: largest
    first, NaN last. By meaning, rows of 0 or less are left out, and the words themselves need not occur.
    """
    if choice.sort == "meaning" and choice.text.strip() and figure is not None:
        alike = np.where(figure > 0, figure, np.nan)
        rows = chosen_rows(table, replace(choice, text=""), labelled, alike)
        return rows[np.isfinite(alike[rows])]
    keep = _of_layer_state_label(table, choice, labelled)
    if choice.text.strip():
        keep &= _says(table, choice)
    rows = np.flatnonzero(keep)
    if figure is None:
        return rows
    values = figure[rows]
    inside = (values >= _or(choice.least, -np.inf)) & (values <= _or(choice.most, np.inf))
    if choice.least is not None or choice.most is not None:
        rows, values = rows[inside], values[inside]
    return rows[np.argsort(np.where(np.isfinite(values), -values, np.inf), kind="stable")]


def _or(bound: float | None, otherwise: float) -> float:
    return otherwise if bound is None else bound


def _of_layer_state_label(table: pd.DataFrame, choice: UnitFilter, labelled: frozenset[UnitKey]) -> np.ndarray:
    keep = np.ones(len(table), dtype=bool)
    if choice.layer:
        keep &= (table["layer"] == choice.layer).to_numpy()
    if choice.split:
        keep &= (table["split"] == choice.split).to_numpy()
    if choice.state in SPOKEN_STATES:
        columns = [name for name in table.columns if name.startswith("captioned:")]
        keep &= (table[columns] == choice.state).to_numpy().any(axis=1)
    elif choice.state:
        keep &= (table["state"] == choice.state).to_numpy()
    if choice.label:
        has = np.array([key in labelled for key in zip(table["layer"], table["unit"], strict=True)], dtype=bool)
        keep &= ~has if choice.label == "unlabelled" else has
    return keep


def _says(table: pd.DataFrame, choice: UnitFilter) -> np.ndarray:
    """Tell for each row whether any caption, or the unit's own number, is what is looked for; or the list names it."""
    if is_unit_list(choice.text):
        named = parse_unit_list(choice.text)
        return np.array([key in named for key in zip(table["layer"], table["unit"], strict=True)], dtype=bool)
    found = (table["unit"].astype(str) == choice.text.strip()).to_numpy()
    for name in table.columns:
        if name.startswith("caption:"):
            found = found | says(as_column(table[name].tolist()), choice.text)
    return found


def chosen_keys(table: pd.DataFrame, rows: np.ndarray) -> list[UnitKey]:
    """Return (layer, unit) of rows of `unit_table`."""
    chosen = table.iloc[rows]
    return [(layer, int(unit)) for layer, unit in zip(chosen["layer"], chosen["unit"], strict=True)]
