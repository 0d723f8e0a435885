"""A built wheel, installed where no repository is near: the demo, the dashboard and the library example run from it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LEFT_OUT = shutil.ignore_patterns(".*", "tests", "docs", "build", "*.egg-info", "__pycache__")
PATIENCE_S = 120
pytestmark = pytest.mark.slow


def run(*command: str | Path, **options: object) -> str:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return str(done.stdout)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: a build leaves its traces beside the sources. The copy has no links."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT, folder / "source", ignore=LEFT_OUT)
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder)
    run(sys.executable, "-m", "pip", "wheel", *options, folder / "source")
    shutil.rmtree(folder / "source")
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel in it; what it depends on is read from this one. Gives its scripts' folder."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / "python"
    run(sys.executable, "-m", "pip", "--quiet", "--python", python, "install", "--no-deps", wheel)
    own = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    (own / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")  # .pth files in there are not followed
    return scripts


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with a home of its own."""
    monkeypatch.setenv("MAMI_HOME", str(tmp_path / "home"))
    for name in ("PYTHONPATH", "MAMI_DISSECTIONS"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_the_wheel_holds_everything_and_no_link(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        settings = archive.read("dashboard/.streamlit/config.toml")
    assert settings == (ROOT / "streamlit_config.toml").read_bytes()
    for folder, packed in ((ROOT / "assets", "mami_core/assets"), (ROOT / "dashboard" / "components", None)):
        place = packed or "dashboard/components"
        wanted = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        assert {f"{place}/{name}" for name in wanted if not name.endswith(".pyc")} <= names
    assert "mami_core/py.typed" in names
    assert not [name for name in names if name.startswith(("tests/", "docs/", "examples/"))]


def test_it_is_read_from_where_it_was_installed(installed: Path, elsewhere: Path) -> None:
    script = "import mami_core, dashboard, sys; print(mami_core.__file__, dashboard.__file__, *sys.path, sep='\\n')"
    places = run(installed / "python", "-c", script, cwd=elsewhere).splitlines()
    assert Path(places[0]).is_relative_to(installed.parent)
    assert Path(places[1]).is_relative_to(installed.parent)
    assert str(ROOT) not in places


def test_the_bundled_demo_is_intact(installed: Path, elsewhere: Path) -> None:
    where = run(installed / "python", "-c", "from mami_core.store import DEMO; print(DEMO)", cwd=elsewhere).strip()
    assert Path(where).is_relative_to(installed.parent)
    summary = json.loads(run(installed / "mami", "inspect", where, "--verify", "--json", cwd=elsewhere))
    assert summary["verified"] is True


def test_the_demo_is_made_from_nothing(installed: Path, elsewhere: Path) -> None:
    run(installed / "mami", "demo", "demo", "--scale", "0.03", "--json", cwd=elsewhere)
    summary = json.loads(run(installed / "mami", "inspect", "demo", "--json", cwd=elsewhere))
    assert summary["captioners"] == ["milan@scenery", "mami@scenery"]


def test_the_library_example_runs(installed: Path, elsewhere: Path) -> None:
    shutil.copyfile(ROOT / "examples" / "own_network.py", elsewhere / "own_network.py")
    run(installed / "python", "own_network.py", "made", cwd=elsewhere)
    assert (elsewhere / "made" / "neurons.csv").is_file()


@pytest.fixture
def dashboard(installed: Path, elsewhere: Path) -> Iterator[str]:
    """The dashboard of the wheel, started by its own command; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(installed / "mami"), "dashboard", "--headless", "--port", str(port)]
    log = elsewhere / "log.txt"
    with log.open("w") as file:
        running = subprocess.Popen(command, cwd=elsewhere, stdout=file, stderr=file, start_new_session=True)
        try:
            _until_up(f"http://127.0.0.1:{port}", running, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(running.pid, 15)  # the command and the server that it started
            running.wait(timeout=20)


def _until_up(address: str, running: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(PATIENCE_S * 5):
        assert running.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    pytest.fail(f"the dashboard was not up after {PATIENCE_S} s:\n{log.read_text()}")


def test_the_dashboard_starts_and_answers_with_its_own_settings(dashboard: str) -> None:
    unit = json.load(urllib.request.urlopen(f"{dashboard}/mami/demo/layer4/3.json", timeout=60))
    assert (unit["layer"], unit["unit"]) == ("layer4", 3)
    page = urllib.request.urlopen(dashboard, timeout=60)
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    host = dashboard.removeprefix("http://")
    assert upgraded(host, asked_as=host) == 101
    assert upgraded(host, asked_as="elsewhere.example") == 403  # allowedHosts of our settings


def upgraded(server: str, *, asked_as: str) -> int:
    """Return the status with which a server answers the opening of a page's websocket under some host name."""
    headers = {
        "Host": asked_as,
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    with contextlib.closing(http.client.HTTPConnection(server, timeout=60)) as connection:
        connection.request("GET", "/_stcore/stream", headers=headers)
        return connection.getresponse().status
