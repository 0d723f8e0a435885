"""The direction of data is a law: a room imports only from rooms above it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = (
    "records", "config", "device", "store", "inputs", "scenery", "dissection", "captioning", "training",
    "evaluation", "probing", "interop", "exports", "pipeline", "library", "cli",
)  # fmt: skip
SOURCES = sorted((ROOT / "mami_core").rglob("*.py"))


def imported_modules(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names if node.module == "mami_core")


def room_of(path: Path) -> str:
    return path.relative_to(ROOT / "mami_core").parts[0].removesuffix(".py")


ROOMED = [path for path in SOURCES if room_of(path) in ROOMS]  # not the package's own doors


@pytest.mark.parametrize("path", ROOMED, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_room_imports_only_from_rooms_above_it(path: Path) -> None:
    room = room_of(path)
    above = {*ROOMS[: ROOMS.index(room) + 1]}
    for name in imported_modules(path):
        if name.startswith("mami_core.") and name.split(".")[1] in ROOMS:
            assert name.split(".")[1] in above, f"{path} is in {room} and imports {name}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_library_knows_nothing_of_the_screen(path: Path) -> None:
    for name in imported_modules(path):
        assert name.split(".")[0] not in ("streamlit", "dashboard"), f"{path} imports {name}"


@pytest.mark.parametrize(
    "path", sorted((ROOT / "dashboard").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_the_dashboard_trains_and_computes_nothing(path: Path) -> None:
    for name in imported_modules(path):
        assert not name.startswith(("mami_core.training", "mami_core.dissection")), f"{path} imports {name}"
        assert name.split(".")[0] not in ("torch", "sklearn", "scipy"), f"{path} computes with {name}"


def test_there_is_no_room_called_utils() -> None:
    assert not [path for path in SOURCES if "util" in path.name]
