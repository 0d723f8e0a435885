"""Read a CSV file cell by cell, so that whatever is wrong can be named by file, line and column."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_LONGEST_CELL: Final = 1 << 24
_MOST_DIGITS: Final = 9  # a unit's number; Python refuses to read thousands of digits


@dataclass(frozen=True, slots=True)
class Cells:
    """One record of a CSV file, and the line of the file on which it begins."""

    line: int
    values: Mapping[str, str]  # by column


def read_records(path: Path, spell: Callable[[Sequence[str]], list[str]] = list) -> tuple[list[str], list[Cells]]:
    """Return the columns' names, as `spell` writes a header, and every record with its line number.

    Raises FileNotFoundError, or ValueError with file, line and column for what is no CSV of UTF-8 text.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    csv.field_size_limit(_LONGEST_CELL)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _parsed(path, csv.reader(file, strict=True), spell)
    except UnicodeDecodeError:
        raise ValueError(_where_not_utf8(path)) from None


def _parsed(
    path: Path, reader: Iterator[list[str]], spell: Callable[[Sequence[str]], list[str]]
) -> tuple[list[str], list[Cells]]:
    line = 1
    try:
        header = spell(next(reader, []))
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


def _where_not_utf8(path: Path) -> str:
    """Return the sentence that says on which line and in which column a file stops being UTF-8."""
    content = path.read_bytes()
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return f"{path}, line 1, column 1: the file is UTF-16, not UTF-8; save it as UTF-8"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as problem:
        before = content[: problem.start]
    line = before.count(b"\n") + 1
    header, cells = _latin1_cells(content.partition(b"\n")[0]), _latin1_cells(before.rpartition(b"\n")[2])
    place = max(len(cells), 1) - 1
    column = repr(header[place].strip()) if line > 1 and place < len(header) else str(place + 1)
    return f"{path}, line {line}, column {column}: not UTF-8 (byte {len(before)} of the file); save it as UTF-8"


def _latin1_cells(line: bytes) -> list[str]:
    """Return the cells of a line in an encoding that is not known: Latin-1 has a character for every byte."""
    text = line.decode("latin-1").replace("\r", " ").replace("\0", " ")  # neither may stand outside of quotes
    return next(csv.reader([text]), [])


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
    if not (text.isascii() and text.isdecimal()) or len(text) > _MOST_DIGITS or int(text) < least:
        raise ValueError(
            f"{path}, line {cells.line}, column {column!r}: {text!r} is no whole number from {least} upwards"
        )
    return int(text)
