"""The one database: SQLite beside the dissections, or a group's own; opened, brought up to date, never half written."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from mami_core.store.atomic import replacing
from mami_core.store.home import home

MIGRATIONS: Final = Path(__file__).parent / "migrations"
_WAIT_MS: Final = 30_000  # how long a writer waits for another one
_UPGRADE_LOCK: Final = 0x6D616D69  # any number that no other program takes as its advisory lock


def database_url() -> str:
    """Return `MAMI_DATABASE_URL`, else the SQLite file in `MAMI_HOME`."""
    return os.environ.get("MAMI_DATABASE_URL") or f"sqlite:///{home() / 'labels.sqlite'}"


class Database:
    """An engine whose schema is the newest. Writers take their turn; readers never wait for them (WAL)."""

    def __init__(self, where: str | Path | None = None) -> None:
        """Open a file's path, a URL, or (None) what `database_url` names.

        ValueError when it cannot be reached, or when a newer version of this program made it.
        """
        text = database_url() if where is None else str(where)
        self.url = sa.make_url(text if "://" in text else f"sqlite:///{text}")
        if self.is_sqlite and self.url.database:
            Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
        try:
            self._engine = sa.create_engine(self.url)
        except ImportError as problem:
            raise ValueError(f"{self._shown} needs a driver ({problem}); try `pip install psycopg[binary]`") from None
        if self.is_sqlite:
            sa.event.listen(self._engine, "connect", _set_up_sqlite)
            sa.event.listen(self._engine, "begin", _begin)
        try:
            self._upgrade()
        except (sa.exc.DatabaseError, OSError) as problem:
            reason = getattr(problem, "orig", problem)
            raise ValueError(f"{self._shown} cannot be opened: {reason}") from problem

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    @property
    def _shown(self) -> str:
        return self.url.render_as_string(hide_password=True)

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Give a connection inside one transaction that begins by taking the turn to write.

        OSError where the database cannot be written (disk full, read-only, gone): nothing of the block was saved.
        """
        try:
            with self._engine.execution_options(writes=True).begin() as connection:
                yield connection
        except sa.exc.OperationalError as problem:
            raise OSError(f"{self._shown} cannot be written: {problem.orig}; nothing of this was saved") from problem

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Give a connection that sees one unchanging state."""
        with self._engine.connect() as connection:
            yield connection

    def back_up(self, why: str, connection: sa.Connection | None = None) -> Path:
        """Copy the labels as they are, so that what comes next costs nothing if it goes wrong; return the copy.

        It lies beside a SQLite file, of a group's database in `MAMI_HOME/backups`; `why` is in its name.
        """
        if self.is_sqlite:
            path = Path(str(self.url.database))
            target = path.with_name(f"{path.name}.{why}.bak")
            _copy_file(path, target)
            return target
        target = home() / "backups" / f"labels.sqlite.{why}.bak"
        if connection is not None:
            _copy_tables(connection, target)
            return target
        with self.reading() as own:
            _copy_tables(own, target)
        return target

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()

    def _upgrade(self) -> None:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        known = ScriptDirectory.from_config(config)
        with self.reading() as connection:
            if self._revision(connection, known) == known.get_current_head():
                return
        with self.writing() as connection:
            if not self.is_sqlite:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_UPGRADE_LOCK)))
            found = self._revision(connection, known)  # another process may have been quicker
            if found == known.get_current_head():
                return
            if found is not None:
                self.back_up(f"schema-{found}", connection)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def _revision(self, connection: sa.Connection, known: ScriptDirectory) -> str | None:
        found = MigrationContext.configure(connection).get_current_revision()
        if found is not None and found not in {script.revision for script in known.walk_revisions()}:
            raise ValueError(f"{self._shown} was made by a newer version (schema {found}); update this program")
        return found


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves: the driver would begin only at the first write
    connection.execute(f"PRAGMA busy_timeout = {_WAIT_MS}")
    if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # a saved label outlives a power cut


def _begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _copy_file(path: Path, target: Path) -> None:
    source, copy = sqlite3.connect(path), sqlite3.connect(target)
    try:
        source.backup(copy)
    finally:
        source.close()
        copy.close()


def _copy_tables(connection: sa.Connection, target: Path) -> None:
    """Copy all tables, in whatever schema they are, into a SQLite file: it opens without the group's server."""
    found = sa.MetaData()
    found.reflect(connection)
    for table in found.tables.values():
        for column in table.columns:
            column.type, column.server_default = column.type.as_generic(), None
    with replacing(target) as partial:
        engine = sa.create_engine(f"sqlite:///{partial}")
        with engine.begin() as copy:
            found.create_all(copy)
            for table in found.sorted_tables:
                rows = [dict(row) for row in connection.execute(sa.select(table)).mappings()]
                if rows:
                    copy.execute(sa.insert(table), rows)
        engine.dispose()
