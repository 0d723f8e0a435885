"""Read captions from peers' CSV files and from our own, and say file, line and column where one is wrong."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mami_core.interop.caption_forms import FORMS, OURS, Form, column_names, form_of
from mami_core.interop.spreadsheet import unguard
from mami_core.store import UnitKey

_LONGEST_CELL: Final = 1 << 24


@dataclass(frozen=True, slots=True)
class Cells:
    """One record of a CSV file, and the line of the file on which it begins."""

    line: int
    values: Mapping[str, str]  # by column


@dataclass(frozen=True, slots=True)
class CaptionRow:
    """What one file says of one unit."""

    layer: str
    unit: int
    caption: str
    score: float | None  # None: the file gives none
    source: str  # which of several captions of a unit: the column's name
    line: int


@dataclass(frozen=True, slots=True)
class CaptionFile:
    """A caption file that was understood."""

    path: Path
    form: str  # mami, milan, clip-dissect, netdissect, …
    rows: tuple[CaptionRow, ...]
    score_name: str | None

    @property
    def sources(self) -> tuple[str, ...]:
        """Return the columns that hold captions, in the file's order."""
        return tuple(dict.fromkeys(row.source for row in self.rows))

    def by_unit(self, source: str | None = None) -> dict[UnitKey, str]:
        """Return one caption per unit; a row that stands there twice counts once.

        ValueError when two rows say different things of one unit, or when the file has several captions a unit and
        `source` does not choose.
        """
        if source is None and len(self.sources) > 1:
            raise ValueError(f"{self.path} has several captions a unit; choose one of: {', '.join(self.sources)}")
        if source is not None and source not in self.sources:
            raise ValueError(f"{self.path} has no captions {source!r}; there are: {', '.join(self.sources)}")
        found: dict[UnitKey, CaptionRow] = {}
        for row in self.rows:
            if source in (None, row.source):
                first = found.setdefault((row.layer, row.unit), row)
                if first.caption != row.caption:
                    raise ValueError(
                        f"{self.path}, line {row.line}: {row.layer}/{row.unit} is {row.caption!r} here and "
                        f"{first.caption!r} on line {first.line}; keep one"
                    )
        return {key: row.caption for key, row in found.items()}

    def references(self) -> dict[UnitKey, list[str]]:
        """Return every text of every unit, in the file's order: what several people wrote of one unit."""
        found: dict[UnitKey, list[str]] = {}
        for row in self.rows:
            found.setdefault((row.layer, row.unit), []).append(row.caption)
        return found


def read_captions(path: Path | str, *, layer: str | None = None) -> CaptionFile:
    """Read a caption file whose form its header tells; `layer` names the layer where the file does not.

    A cell that is empty is no caption in forms that hold several, and an empty caption in the others. Raises
    FileNotFoundError, or ValueError with file, line and column.
    """
    path = Path(path)
    header, records = read_records(path)
    form = form_of(header)
    if form is None:
        known = "; ".join(f"{form.name}: {', '.join(sorted(form.needs))}" for form in FORMS)
        raise ValueError(f"{path}, line 1: no known form has the columns {', '.join(header)}; known are {known}")
    if "layer" not in header and layer is None:
        raise ValueError(f"{path}, line 1: {form.name} without a column 'layer'; say which layer it is of (--layer)")
    if form.unit_column(header) is None:
        raise ValueError(f"{path}, line 1: {form.name} without a column {' or '.join(form.unit)}")
    rows = tuple(row for cells in records for row in _rows(path, form, header, cells, layer))
    return CaptionFile(path, form.name, rows, form.score_name)


def read_records(path: Path) -> tuple[list[str], list[Cells]]:
    """Return the columns' names, as `column_names` spells them, and every record with its line number."""
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    csv.field_size_limit(_LONGEST_CELL)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _parsed(path, csv.reader(file, strict=True))
    except UnicodeDecodeError as problem:
        raise ValueError(f"{path} is not UTF-8 text (byte {problem.start}); save it as UTF-8") from None


def _parsed(path: Path, reader: Iterator[list[str]]) -> tuple[list[str], list[Cells]]:
    line = 1
    try:
        header = column_names(next(reader, []))
        if not any(header):
            raise ValueError(f"{path} is empty")
        twice = sorted({name for name in header if name and header.count(name) > 1})
        if twice:
            raise ValueError(f"{path}, line 1: two columns are called {twice[0]!r}")
        records = []
        line = reader.line_num + 1  # type: ignore[attr-defined]  # a cell may span lines
        for values in reader:
            if values and len(values) != len(header):
                raise ValueError(f"{path}, line {line}: {len(values)} cells under {len(header)} columns")
            if values:
                records.append(Cells(line, dict(zip(header, values, strict=True))))
            line = reader.line_num + 1  # type: ignore[attr-defined]
    except csv.Error as problem:
        raise ValueError(f"{path}, line {line}: not CSV ({problem})") from None
    return header, records


def _rows(path: Path, form: Form, header: Sequence[str], cells: Cells, layer: str | None) -> Iterator[CaptionRow]:
    values = cells.values
    where = values["layer"].strip() if "layer" in values else layer
    if where and form.name == OURS:
        where = unguard(where)
    if not where:
        raise ValueError(f"{path}, line {cells.line}, column 'layer': empty")
    unit = whole_number(path, cells, form.unit_column(header) or "unit", least=form.first_unit) - form.first_unit
    for place, column in enumerate(form.captions):
        if column not in header and form.name != "linear-explanations":
            continue
        caption = _caption(path, form, cells, column)
        if not caption and len(form.captions) > 1:
            continue
        score = _score(path, cells, form.scores[place]) if form.scores else None
        yield CaptionRow(where, unit, caption, score, column, cells.line)


def _caption(path: Path, form: Form, cells: Cells, column: str) -> str:
    if form.name == OURS:
        return unguard(cells.values[column])
    if form.name != "linear-explanations":
        return cells.values[column].strip()
    weights = [name for name in cells.values if name.startswith("weight") and name[6:].isdecimal()]
    used = [name[6:] for name in weights if number(path, cells, name)]  # weight 0 or none: no concept there
    return ", ".join(cells.values.get(f"concept{place}", "").strip() for place in used)


def _score(path: Path, cells: Cells, columns: Sequence[str]) -> float | None:
    found = [value for name in columns if name in cells.values and (value := number(path, cells, name)) is not None]
    return sum(found) / len(found) if found else None


def number(path: Path, cells: Cells, column: str) -> float | None:
    """Return a cell as a number; None when it is empty or says NaN."""
    text = cells.values[column].strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{path}, line {cells.line}, column {column!r}: {text!r} is no number") from None
    return None if math.isnan(value) else value


def whole_number(path: Path, cells: Cells, column: str, *, least: int = 0) -> int:
    """Return a cell as a whole number not below `least`."""
    text = cells.values[column].strip()
    if not (text.isascii() and text.isdecimal()) or int(text) < least:
        raise ValueError(
            f"{path}, line {cells.line}, column {column!r}: {text!r} is no whole number from {least} upwards"
        )
    return int(text)


def read_descriptions(path: Path | str, *, layer: str | None = None, source: str | None = None) -> dict[UnitKey, str]:
    """Return one caption per unit of any caption file; `source` chooses where it holds several."""
    return read_captions(path, layer=layer).by_unit(source)


def read_references(path: Path | str, *, layer: str | None = None) -> dict[UnitKey, list[str]]:
    """Return all references per unit: the rows of a caption file, or the columns reference_1…n of our own form."""
    path = Path(path)
    header, records = read_records(path)
    form = form_of(header)
    if form is None or form.name != OURS:
        return read_captions(path, layer=layer).references()
    columns = [name for name in header if name.startswith("reference_")]
    keys = [(unguard(cells.values["layer"]), whole_number(path, cells, "unit")) for cells in records]
    texts = [[text for name in columns if (text := unguard(cells.values[name]))] for cells in records]
    return {key: given for key, given in zip(keys, texts, strict=True) if given}
