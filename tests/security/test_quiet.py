"""The server asks nobody outside this machine for anything: every connection of its processes is written down."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from soak import switched

from mami_core.pipeline.benches.dashboard_parts.server import serving

HOME_PAGE = Path(__file__).parents[2] / "dashboard" / "Home.py"
# Python runs this in every process of the server before anything else; the interpreter itself tells of each event
LISTENER = """
import sys
def _note(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        with open({log!r}, "a") as file:
            file.write(repr(arguments[1] if event != "socket.getaddrinfo" else arguments[0]) + "\\n")
sys.addaudithook(_note)
"""
HERE = ("127.0.0.1", "::1", "localhost", "0.0.0.0", "None", "/")  # the last: a socket of this machine's file system


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that gets a line for every address that a process of the test asks for from now on."""
    log = tmp_path / "asked"
    (tmp_path / "listening").mkdir()
    (tmp_path / "listening" / "sitecustomize.py").write_text(LISTENER.format(log=str(log)))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "listening"))
    return log


def strangers(asked: Path) -> list[str]:
    lines = asked.read_text().splitlines() if asked.is_file() else []
    return [line for line in lines if not any(name in line for name in HERE)]


def test_a_stranger_that_is_asked_is_noted(asked):
    subprocess.run([sys.executable, "-c", "import socket; socket.getaddrinfo('stranger.invalid', 80)"], check=False)
    assert strangers(asked) == ["'stranger.invalid'"]


def test_a_dashboard_in_use_asks_nobody_outside(asked, squares, tmp_path):
    with serving(HOME_PAGE, [squares], tmp_path / "server") as server:
        found = switched(server, squares, 20, 10)
        for page in ("", "neurons", "compare", "search", "review", "jobs", "settings"):
            urllib.request.urlopen(f"{server.address}/{page}", timeout=60).close()
    assert (found["switches"], found["errors"]) == (20, [])
    assert strangers(asked) == []


@pytest.mark.parametrize(
    "command", [["doctor"], ["licences"], ["inspect", "{squares}"], ["layers", "torchvision:alexnet"]]
)
def test_a_command_asks_nobody_outside(asked, squares, command):
    arguments = [part.format(squares=squares) for part in command]
    done = subprocess.run([sys.executable, "-m", "mami_core", *arguments], env={**os.environ}, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert strangers(asked) == []
