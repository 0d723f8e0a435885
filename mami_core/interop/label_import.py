"""Take labels back in from our own CSV: first a preview, line by line, of what would change and what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from mami_core.interop.caption_forms import OURS, column_names, form_of
from mami_core.interop.csv_cells import Cells, read_records, whole_number
from mami_core.interop.spreadsheet import unguard
from mami_core.store import Dissection, UnitKey

if TYPE_CHECKING:
    from mami_core.store.labels import Label, LabelStore


@dataclass(frozen=True, slots=True)
class Change:
    """One label that the file would change. `before` is None where there was none."""

    line: int
    label: Label  # as it would be saved
    before: str | None


@dataclass(frozen=True, slots=True)
class Problem:
    """One line that cannot be taken in, and why."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class LabelImport:
    """What a file would do. Nothing is saved until `apply`."""

    path: Path
    changes: tuple[Change, ...]
    problems: tuple[Problem, ...]
    unchanged: int

    def apply(self, store: LabelStore) -> int:
        """Back up all labels, then save all changes or, when one was changed since the preview, none (LabelConflict).

        ValueError while there are problems: mend the file, or leave those lines out.
        """
        if self.problems:
            first = self.problems[0]
            raise ValueError(f"{self.path} has {len(self.problems)} problems, the first: {first.message}")
        return len(store.take_in([change.label for change in self.changes]))


def preview_labels(
    path: Path | str, dissection: Dissection, labels: pd.DataFrame, *, only: str | None = None
) -> LabelImport:
    """Compare a file of our full form with the `labels` there are (`LabelStore.frame`).

    `only`: the one reviewer whose labels may change; what the file changes of others is a problem.
    Only the columns `label` and `reviewer` are taken in, `label_version` says which version was edited; all other
    columns only identify the unit. Raises ValueError for a file that is not of our form.
    """
    path = Path(path)
    header, records = read_records(path, column_names)
    form = form_of(header)
    if form is None or form.name != OURS or not {"label", "reviewer", "label_version"} <= {*header}:
        raise ValueError(f"{path}, line 1: not our own full form, so it holds no labels; export one with `mami export`")
    known = _by_unit_and_reviewer(labels)
    units = set(dissection.unit_keys())
    changes, problems, unchanged, seen = [], [], 0, dict[tuple[UnitKey, str], int]()
    for cells in records:
        try:
            change = _change(path, dissection, units, known, cells)
            if change is not None:
                _only_own(path, change, only)
                _only_once(path, change, seen)
        except ValueError as problem:
            problems.append(Problem(cells.line, str(problem)))
            continue
        if change is None:
            unchanged += 1
        else:
            changes.append(change)
    return LabelImport(path, tuple(changes), tuple(problems), unchanged)


_Known = Mapping[tuple[str, int, str], tuple[str, int]]  # (layer, unit, reviewer) → text, version


def _by_unit_and_reviewer(labels: pd.DataFrame) -> _Known:
    columns = ("layer", "unit", "reviewer", "text", "version")
    rows = zip(*(labels[name] for name in columns), strict=True)
    return {(layer, int(unit), who): (text, int(version)) for layer, unit, who, text, version in rows}


def _change(path: Path, dissection: Dissection, units: set[UnitKey], known: _Known, cells: Cells) -> Change | None:
    from mami_core.store.labels import Label  # with it comes the database's library

    text, reviewer = unguard(cells.values["label"]).strip(), unguard(cells.values["reviewer"]).strip()
    if not text and not reviewer:
        return None
    layer, unit = unguard(cells.values["layer"]), whole_number(path, cells, "unit")
    _check_unit(path, dissection, units, cells, (layer, unit))
    if not reviewer:
        raise ValueError(f"{path}, line {cells.line}, column 'reviewer': a label needs to say whose it is")
    before, version = known.get((layer, unit, reviewer), (None, 0))
    if text == (before or ""):
        return None
    _check_version(path, cells, version)
    if not text:
        withdrawn = Label(dissection.name, layer, unit, reviewer, "withdrawn", version=version)
        return Change(cells.line, withdrawn, before)
    captioner = _whose_caption(text, cells)
    verdict = "edit" if captioner is None else "accept"
    label = Label(dissection.name, layer, unit, reviewer, verdict, text, captioner, version)  # type: ignore[arg-type]
    return Change(cells.line, label, before)


def _check_unit(path: Path, dissection: Dissection, units: set[UnitKey], cells: Cells, key: UnitKey) -> None:
    expected = {"network": dissection.manifest.network, "weights_sha256": dissection.manifest.weights_sha256 or ""}
    for column, value in expected.items():
        found = unguard(cells.values[column])
        if found != value:
            raise ValueError(
                f"{path}, line {cells.line}, column {column!r}: {found!r}, but {dissection.name} is of {value!r}"
            )
    if key not in units:
        raise ValueError(f"{path}, line {cells.line}, column 'unit': {dissection.name} has no {key[0]}/{key[1]}")


def _check_version(path: Path, cells: Cells, version: int) -> None:
    seen = whole_number(path, cells, "label_version") if cells.values["label_version"].strip() else 0
    if seen != version:
        raise ValueError(
            f"{path}, line {cells.line}, column 'label_version': edited from version {seen}, but {version} is saved; "
            "somebody changed it since the export: export again"
        )


def _whose_caption(text: str, cells: Cells) -> str | None:
    said = {name: value for name, value in cells.values.items() if name.endswith(".caption")}
    return next((name.removesuffix(".caption") for name, value in said.items() if unguard(value) == text), None)


def _only_own(path: Path, change: Change, only: str | None) -> None:
    if only not in (None, change.label.reviewer):
        raise ValueError(
            f"{path}, line {change.line}, column 'reviewer': {change.label.reviewer!r} is somebody else; "
            f"you are logged in as {only!r} and may change your own labels"
        )


def _only_once(path: Path, change: Change, seen: dict[tuple[UnitKey, str], int]) -> None:
    label = change.label
    first = seen.setdefault(((label.layer, label.unit), label.reviewer), change.line)
    if first != change.line:
        raise ValueError(
            f"{path}, line {change.line}: {label.layer}/{label.unit} by {label.reviewer} stands on line {first} too"
        )
