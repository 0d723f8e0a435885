"""What people say of units: one label a unit and reviewer, every version kept, no writer ever overwritten unseen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, get_args

import pandas as pd
import sqlalchemy as sa

from mami_core.store.database import Database
from mami_core.store.log import log_event
from mami_core.store.tables import HISTORY, LABEL_KEY, LABELS

Verdict = Literal["accept", "edit", "reject", "unsure", "withdrawn"]
COLUMNS: Final = tuple(LABELS.columns.keys())


@dataclass(frozen=True, slots=True)
class Label:
    """One reviewer's word on one unit. `version` counts that label's changes; 0: never saved."""

    dissection: str
    layer: str
    unit: int
    reviewer: str
    verdict: Verdict
    text: str = ""  # what the unit does, in the reviewer's words or in those of the caption they accepted
    captioner: str | None = None  # whose caption was judged
    version: int = 0
    updated: datetime | None = None

    def __post_init__(self) -> None:
        if self.verdict not in get_args(Verdict):
            raise ValueError(f"no verdict {self.verdict!r}; there are {', '.join(get_args(Verdict))}")
        if not self.reviewer.strip():
            raise ValueError("a label needs a reviewer's name")
        if self.verdict in ("accept", "edit") and not self.text.strip():
            raise ValueError(f"{self.layer}/{self.unit}: {self.verdict!r} needs a text")

    @property
    def key(self) -> dict[str, Any]:
        """Return what makes a label this one: dissection, layer, unit and reviewer."""
        return {name: getattr(self, name) for name in LABEL_KEY}


class LabelConflict(Exception):  # noqa: N818  # it is a conflict between people, not an error of the program
    """Somebody saved this label since it was read; `current` is what they saved, None when it is not there."""

    def __init__(self, wanted: Label, current: Label | None) -> None:
        self.wanted, self.current = wanted, current
        now = f"now at version {current.version}: {current.verdict} {current.text!r}" if current else "not there"
        super().__init__(
            f"label of {wanted.layer}/{wanted.unit} by {wanted.reviewer} was read at version {wanted.version} and is "
            f"{now}; nothing was overwritten: read it again, then decide"
        )


class LabelStore:
    """Labels in SQLite (one file, several processes) or PostgreSQL (a group)."""

    def __init__(self, where: str | Path | None = None) -> None:
        """Open a file's path, a database URL, or (None) what MAMI_DATABASE_URL or MAMI_HOME name."""
        self._database = Database(where)

    @classmethod
    def default(cls) -> LabelStore:
        """Open the labels of this user, or of the group that MAMI_DATABASE_URL names."""
        return cls()

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def get(self, dissection: str, layer: str, unit: int, reviewer: str) -> Label | None:
        """Return one reviewer's label of one unit; None when there is none, or when it was withdrawn."""
        key = dict(zip(LABEL_KEY, (dissection, layer, unit, reviewer), strict=True))
        with self._database.reading() as connection:
            found = _current(connection, key)
        return None if found is None or found.verdict == "withdrawn" else found

    def save(self, label: Label) -> Label:
        """Save a label whose `version` is the one that the writer saw; return it as saved, one version on.

        LabelConflict when somebody else was quicker; nothing is changed then.
        """
        return self.save_all([label])[0]

    def save_all(self, labels: Iterable[Label]) -> list[Label]:
        """Save all of `labels` or, when one of them conflicts, none."""
        with self._database.writing() as connection:
            saved = [_save(connection, label) for label in labels]
        for label in saved:
            log_event("label saved", **label.key, verdict=label.verdict, version=label.version)
        return saved

    def take_in(self, labels: Iterable[Label]) -> list[Label]:
        """Save an import as `save_all` does, after a copy of all labels was made (`Database.back_up`)."""
        self._database.back_up(f"import-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
        return self.save_all(labels)

    def withdraw(self, label: Label) -> None:
        """Take a label back (undo of a first save); its history stays."""
        self.save(Label(**label.key, verdict="withdrawn", version=label.version))

    def frame(self, dissection: str) -> pd.DataFrame:
        """Return all labels of a dissection, a row each, columns `COLUMNS`, by layer, unit and reviewer."""
        chosen = sa.and_(LABELS.c.dissection == dissection, LABELS.c.verdict != "withdrawn")
        return self._frame(sa.select(LABELS).where(chosen).order_by(*(LABELS.c[name] for name in LABEL_KEY)))

    def history(self, dissection: str, layer: str | None = None, unit: int | None = None) -> pd.DataFrame:
        """Return every version ever saved, oldest first, columns `COLUMNS`."""
        query = sa.select(HISTORY).where(HISTORY.c.dissection == dissection)
        if layer is not None:
            query = query.where(HISTORY.c.layer == layer)
        if unit is not None:
            query = query.where(HISTORY.c.unit == unit)
        return self._frame(query.order_by(HISTORY.c.updated, HISTORY.c.version))

    def _frame(self, query: sa.Select) -> pd.DataFrame:
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        table = pd.DataFrame([tuple(row) for row in rows], columns=list(COLUMNS))
        table["updated"] = pd.to_datetime(table["updated"], utc=True)
        return table.astype({"unit": "int64", "version": "int64"})


def _current(connection: sa.Connection, key: Mapping[str, Any]) -> Label | None:
    row = connection.execute(sa.select(LABELS).where(_is(key))).mappings().first()
    if row is None:
        return None
    moment = row["updated"]
    return Label(**{**row, "updated": moment if moment.tzinfo else moment.replace(tzinfo=UTC)})


def _is(key: Mapping[str, Any]) -> sa.ColumnElement[bool]:
    return sa.and_(*(LABELS.c[name] == value for name, value in key.items()))


def _save(connection: sa.Connection, label: Label) -> Label:
    current = _current(connection, label.key)
    seen = label.version
    if current is not None and current.verdict == "withdrawn" and seen == 0:
        seen = current.version  # it read as "no label": versions go on, so that no old copy ever fits again
    now = datetime.now(UTC)
    if current is not None and current.updated is not None:
        now = max(now, current.updated)  # a clock that was set back must not put a version before its predecessor
    values = {**asdict(label), "unit": int(label.unit), "version": seen + 1, "updated": now}
    if seen:
        unseen = sa.update(LABELS).where(_is(label.key), LABELS.c.version == seen).values(**values)
        written = connection.execute(unseen).rowcount == 1
    else:
        written = _insert(connection, values)
    if not written:
        raise LabelConflict(label, _current(connection, label.key))
    connection.execute(sa.insert(HISTORY).values(**values))
    return Label(**values)


def _insert(connection: sa.Connection, values: Mapping[str, Any]) -> bool:
    try:
        with connection.begin_nested():  # on PostgreSQL a failed insert would end the whole transaction
            connection.execute(sa.insert(LABELS).values(**values))
    except sa.exc.IntegrityError:
        return False
    return True
