"""Read captions from peers' CSV files and from our own, and say file, line and column where one is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mami_core.interop.caption_forms import OURS, Form, column_names, form_of, unknown_header
from mami_core.interop.csv_cells import Cells, number, read_records, whole_number
from mami_core.interop.spreadsheet import unguard
from mami_core.store import UnitKey


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
        return {key: row.caption for key, row in self.row_by_unit(source).items()}

    def row_by_unit(self, source: str | None = None) -> dict[UnitKey, CaptionRow]:
        """Return the row that speaks of each unit, in the file's order; errors as in `by_unit`."""
        self._check_source(source)
        found: dict[UnitKey, CaptionRow] = {}
        for row in self.rows:
            if source in (None, row.source):
                first = found.setdefault((row.layer, row.unit), row)
                if first.caption != row.caption:
                    raise ValueError(
                        f"{self.path}, line {row.line}, column {row.source!r}: {row.layer}/{row.unit} is "
                        f"{row.caption!r} here and {first.caption!r} on line {first.line}; keep one"
                    )
        return found

    def _check_source(self, source: str | None) -> None:
        if source is None and len(self.sources) > 1:
            raise ValueError(f"{self.path} has several captions a unit; choose one of: {', '.join(self.sources)}")
        if source is not None and source not in self.sources:
            raise ValueError(f"{self.path} has no captions {source!r}; there are: {', '.join(self.sources)}")

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
    header, records = read_records(path, column_names)
    form = form_of(header)
    if form is None:
        raise ValueError(f"{path}, line 1, {unknown_header(header)}")
    if "layer" not in header and layer is None:
        raise ValueError(f"{path}, line 1: {form.name} without a column 'layer'; say which layer it is of (--layer)")
    if form.unit_column(header) is None:
        raise ValueError(f"{path}, line 1: {form.name} without a column {' or '.join(form.unit)}")
    rows = tuple(row for cells in records for row in _rows(path, form, header, cells, layer))
    return CaptionFile(path, form.name, rows, form.score_name)


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


def read_descriptions(path: Path | str, *, layer: str | None = None, source: str | None = None) -> dict[UnitKey, str]:
    """Return one caption per unit of any caption file; `source` chooses where it holds several."""
    return read_captions(path, layer=layer).by_unit(source)


def read_references(path: Path | str, *, layer: str | None = None) -> dict[UnitKey, list[str]]:
    """Return all references per unit: the rows of a caption file, or the columns reference_1…n of our own form."""
    path = Path(path)
    header, records = read_records(path, column_names)
    form = form_of(header)
    if form is None or form.name != OURS:
        return read_captions(path, layer=layer).references()
    columns = [name for name in header if name.startswith("reference_")]
    keys = [(unguard(cells.values["layer"]), whole_number(path, cells, "unit")) for cells in records]
    texts = [[text for name in columns if (text := unguard(cells.values[name]))] for cells in records]
    return {key: given for key, given in zip(keys, texts, strict=True) if given}
