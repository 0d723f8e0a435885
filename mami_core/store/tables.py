"""The database's tables as the newest migration leaves them: what people say, and what runs."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, DateTime, Float, Index, Integer, MetaData, PrimaryKeyConstraint, String, Table, Text

METADATA: Final = MetaData()


def _label_columns() -> list[Column]:
    return [
        Column("dissection", String(255), nullable=False),
        Column("layer", String(255), nullable=False),
        Column("unit", Integer, nullable=False),
        Column("reviewer", String(255), nullable=False),
        Column("verdict", String(16), nullable=False),  # accept, edit, reject, unsure, withdrawn
        Column("text", Text, nullable=False),
        Column("captioner", String(255)),
        Column("version", Integer, nullable=False),
        Column("updated", DateTime(timezone=True), nullable=False),
    ]


LABEL_KEY: Final = ("dissection", "layer", "unit", "reviewer")
LABELS: Final = Table("labels", METADATA, *_label_columns(), PrimaryKeyConstraint(*LABEL_KEY, name="labels_key"))
HISTORY: Final = Table(
    "label_history",
    METADATA,
    *_label_columns(),
    PrimaryKeyConstraint(*LABEL_KEY, "version", name="label_history_key"),
)

JOBS: Final = Table(
    "jobs",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("command", Text, nullable=False),  # JSON list of arguments
    Column("state", String(16), nullable=False),  # running, done, failed, cancelled, lost
    Column("message", Text, nullable=False),
    Column("done", Float),  # so much is done …
    Column("total", Float),  # … of so much; null: not said yet
    Column("host", String(255), nullable=False),
    Column("pid", Integer),
    Column("process_mark", String(64)),  # when that process began: a pid alone may be somebody else's by now
    Column("log", Text, nullable=False),
    Column("exit_code", Integer),
    Column("started", DateTime(timezone=True), nullable=False),
    Column("heartbeat", DateTime(timezone=True), nullable=False),
    Column("finished", DateTime(timezone=True)),
    Index("jobs_by_state", "state"),
)
