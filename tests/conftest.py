"""Fixtures that every room's tests may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

GOLDEN = Path(__file__).parent / "golden"
settings.register_profile("mami", deadline=None)  # a busy machine is not a fault of the code
settings.load_profile("mami")


@pytest.fixture(scope="session")
def golden_dir() -> Path:
    """The vectors of the MILAN reference; MAMI_GOLDEN_DIR names another folder of the same layout."""
    folder = Path(os.environ.get("MAMI_GOLDEN_DIR", GOLDEN))
    if not folder.is_dir():
        pytest.skip(f"no golden vectors in {folder}; set MAMI_GOLDEN_DIR")
    return folder


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Real networks and photographs; they are not part of the repository."""
    named = os.environ.get("MAMI_DATA_DIR")
    if not named or not Path(named).is_dir():
        pytest.skip("real networks and photographs: set MAMI_DATA_DIR to their folder")
    return Path(named)
