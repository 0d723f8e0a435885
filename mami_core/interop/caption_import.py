"""Turn a peer's file into captions of a dissection's units, and refuse units that the dissection does not have."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

from mami_core.config import settings_sha256
from mami_core.interop.captions_csv import CaptionFile, CaptionRow
from mami_core.records import Caption, Reference
from mami_core.store import Dissection, UnitKey

Unknown = Literal["refuse", "skip", "add"]  # what to do with units that the dissection lacks
REFERENCES: Final = "milannotations"  # the form whose rows are what people wrote: references, not captions
_NOTHING: Final = float("nan")


def captions_from(file: CaptionFile, name: str, source: str | None = None) -> dict[str, dict[UnitKey, Caption]]:
    """Return captions by captioner and unit: `name`, or `name:column` for each column where the file has several.

    ValueError for a column that is not there, and where two rows say different things of one unit.
    """
    if source is not None or len(file.sources) <= 1:
        return {name: _captions(name, file.row_by_unit(source))}
    named = {f"{name}:{_stem(column)}": column for column in file.sources}
    return {title: _captions(title, file.row_by_unit(column)) for title, column in named.items()}


def _stem(column: str) -> str:
    return column.removesuffix(".caption").removesuffix("_label")


def _captions(name: str, rows: Mapping[UnitKey, CaptionRow]) -> dict[UnitKey, Caption]:
    return {
        key: Caption(
            name,
            tuple(row.caption.split()),
            _NOTHING,
            _NOTHING,
            state="ok" if row.caption else "failed",
            written=row.caption,
            score=_NOTHING if row.score is None else row.score,
        )
        for key, row in rows.items()
    }


def references_from(file: CaptionFile, name: str) -> dict[UnitKey, list[Reference]]:
    """Return what people wrote of each unit, as the set `name`, in the file's order."""
    return {
        key: [Reference(name, place, text) for place, text in enumerate(texts)]
        for key, texts in file.references().items()
    }


def joined_references(
    dissection: Dissection, new: Mapping[UnitKey, Sequence[Reference]], name: str
) -> dict[UnitKey, list[Reference]]:
    """Return a dissection's references, those of the set `name` replaced for the units that `new` speaks of."""
    return {
        key: [entry for entry in dissection.references_of(*key) if key not in new or entry.set != name]
        + list(new.get(key, ()))
        for key in dissection.unit_keys()
    }


def provenance_of(file: CaptionFile, content: bytes) -> dict[str, Any]:
    """Return what is written beside imported captions: which file they come from, and what their scores measure."""
    facts = {
        "decoding": f"imported from {file.path.name} ({file.form})",
        "form": file.form,
        "imported_from": file.path.name,
        "source_sha256": hashlib.sha256(content).hexdigest(),
        "score_name": file.score_name,
        "simulated": False,
    }
    return {**facts, "settings_sha256": settings_sha256(facts)}


def unknown_rows(file: CaptionFile, units: Iterable[UnitKey]) -> list[CaptionRow]:
    """Return the rows that speak of a unit which is not among `units`."""
    known = set(units)
    return [row for row in file.rows if (row.layer, row.unit) not in known]


def complaint(file: CaptionFile, row: CaptionRow, dissection: Dissection) -> str:
    """Return the sentence that says why a row fits no unit of a dissection, with file, line and column."""
    have = [unit for layer, unit in dissection.unit_keys() if layer == row.layer]
    where = f"{file.path}, line {row.line}, column"
    advice = "--unknown skip leaves such rows out"
    if not have:
        return f"{where} 'layer': {dissection.name} has no {row.layer!r}, but {', '.join(dissection.layers)}; {advice}"
    return (
        f"{where} 'unit': {dissection.name} has no {row.layer}/{row.unit}; its {row.layer} has units "
        f"{min(have)} to {max(have)}, counted from 0; {advice}"
    )
