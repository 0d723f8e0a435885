"""Made-up dissections for the store: one to read, one to damage."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from uneven_dissection import make_dissection


@pytest.fixture(scope="session")
def intact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dissection(tmp_path_factory.mktemp("intact") / "made")


@pytest.fixture
def folder(intact: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(intact, tmp_path / "made"))
