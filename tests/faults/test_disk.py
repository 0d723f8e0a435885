"""A disk that is full, or may only be read: one sentence, nothing half written, and the next run goes on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from injected import run
from operations import OPERATIONS, check_old_or_new


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 16 MB of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=16m", "none", str(place)]
    if not sys.platform.startswith("linux") or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a disk of its own needs Linux and the right to mount one")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)


def fill(disk: Path, *, free: int) -> Path:
    """Fill the disk up to `free` bytes."""
    filler = disk / "filler"
    with filler.open("wb") as file:
        file.write(bytes(max(0, os.statvfs(disk).f_bavail * 4096 - free)))
    return filler


def fill_and_go_on(ready, disk: Path, free: int) -> str:
    operation = ready.operation
    folder = Path(shutil.copytree(ready.template, disk / "work"))
    filler = fill(disk, free=free)
    ended, said = run(lambda: operation.run(folder), folder)
    filler.unlink()
    check_old_or_new(operation, folder, ready.old, ready.new)
    if ended == "said":
        assert "\n" not in said.strip()
        assert any(word in said.lower() for word in ("space", "full", "written", "free", "opened"))
    operation.run(folder)
    assert operation.result(folder) == ready.new
    return ended


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_full_disk_costs_nothing_that_was_there(prepared, tally, disk, name):
    ended = fill_and_go_on(prepared(name), disk, 0)
    assert ended == "said"
    tally("disk full", name, ended)


@pytest.mark.slow
@pytest.mark.parametrize("free", [4096, 12288, 32768, 65536, 131072])
@pytest.mark.parametrize("name", OPERATIONS)
def test_a_disk_that_fills_up_meanwhile_costs_nothing_that_was_there(prepared, tally, disk, name, free):
    tally("disk full", name, fill_and_go_on(prepared(name), disk, free))


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_folder_that_may_only_be_read_is_said(prepared, tally, disk, name):
    ready = prepared(name)
    folder = Path(shutil.copytree(ready.template, disk / "work"))
    remount(disk, "ro")
    ended, said = run(lambda: ready.operation.run(folder), folder)
    remount(disk, "rw")
    assert ended == "said"
    assert any(word in said.lower() for word in ("read-only", "readonly", "written", "opened"))
    assert ready.operation.result(folder) == ready.old
    ready.operation.run(folder)
    assert ready.operation.result(folder) == ready.new
    tally("read-only folder", name, ended)
