"""One made-up dissection for the exports."""

from __future__ import annotations

from pathlib import Path

import pytest
from uneven_dissection import open_made

from mami_core.store import Dissection


@pytest.fixture
def dissection(tmp_path: Path) -> Dissection:
    return open_made(tmp_path / "made")
