"""A real server, started once as its users start it, and dissections made for the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from made_dissection import make_dissection

from mami_core.pipeline.benches.dashboard_parts.server import Server, serving

HOME_PAGE = Path(__file__).parents[2] / "dashboard" / "Home.py"


@pytest.fixture(scope="session")
def squares(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dissection(tmp_path_factory.mktemp("dissections") / "squares")


@pytest.fixture(scope="session")
def server(squares: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(HOME_PAGE, [squares], tmp_path_factory.mktemp("server")) as running:
        yield running
