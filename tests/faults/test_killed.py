"""`kill -9` at any change, and a dissection that goes away: the old state or the new one, and the next run goes on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from injected import removing, run
from operations import OPERATIONS, check_old_or_new

from mami_core.store import Dissection


def kill_and_go_on(ready, tmp_path: Path, share: float) -> str:
    """Kill the operation when `share` of its changes are made; then do it again undisturbed."""
    operation = ready.operation
    undisturbed = Path(shutil.copytree(ready.template, tmp_path / "count"))
    _, changes = run(lambda: operation.run(undisturbed), undisturbed)
    assert changes >= 4
    folder = Path(shutil.copytree(ready.template, tmp_path / "disturbed"))
    ended, _ = run(lambda: operation.run(folder), folder, at=max(1, round(share * (changes - 1))))
    check_old_or_new(operation, folder, ready.old, ready.new)
    operation.run(folder)
    assert operation.result(folder) == ready.new
    if (folder / "d").is_dir():
        assert Dissection.open(folder / "d").verify() == []
    return ended


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_killed_command_leaves_the_old_or_the_new_and_the_next_goes_on(prepared, tally, tmp_path, name):
    ended = kill_and_go_on(prepared(name), tmp_path, 0.6)
    assert ended == "killed"
    tally("kill -9", name, ended)


@pytest.mark.slow
@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("share", [0.0, 0.1, 0.25, 0.4, 0.5, 0.7, 0.8, 0.9, 0.97])
def test_killed_at_many_moments(prepared, tally, tmp_path, name, share):
    tally("kill -9", name, kill_and_go_on(prepared(name), tmp_path, share))


@pytest.mark.parametrize("name", ["caption", "import"])
def test_a_dissection_removed_meanwhile_is_named_and_does_not_come_back(prepared, tally, tmp_path, name):
    ready = prepared(name)
    folder = Path(shutil.copytree(ready.template, tmp_path / "disturbed"))
    ended, said = run(lambda: ready.operation.run(folder), folder, at=6, act=removing(folder / "d"))
    assert ended == "said"
    assert str(folder / "d") in said
    left = [path for path in (folder / "d").rglob("*") if path.is_file() and not path.name.endswith(".partial")]
    assert left == []
    tally("dissection removed", name, ended)
