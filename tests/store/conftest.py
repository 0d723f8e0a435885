"""Made-up dissections for the store: one to read, one to damage."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa
from postgres import find_postgres, running
from uneven_dissection import make_dissection


@pytest.fixture(scope="session")
def intact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dissection(tmp_path_factory.mktemp("intact") / "made")


@pytest.fixture
def folder(intact: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(intact, tmp_path / "made"))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a PostgreSQL: the one that MAMI_TEST_DATABASE_URL names, else one that is started here."""
    with ExitStack() as stack:
        url = os.environ.get("MAMI_TEST_DATABASE_URL")
        if not url:
            place = find_postgres()
            if place is None:
                pytest.skip("no PostgreSQL here: install Debian's `postgresql`, or name one by MAMI_TEST_DATABASE_URL")
            pytest.importorskip("psycopg", reason="PostgreSQL needs its driver: pip install psycopg[binary]")
            url = stack.enter_context(running(place))
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database: a file, or one of a group's server."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'labels.sqlite'}"
        return
    server, name = sa.make_url(request.getfixturevalue("postgresql")), f"mami_{uuid.uuid4().hex}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
        yield server.set(database=name).render_as_string(hide_password=False)
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    engine.dispose()
