"""A real browser on a real server: the dashboard as its users start it, on the bundled demo and a small made one."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from made_dissection import make_dissection
from playwright.sync_api import Browser, Page, sync_playwright

HOME_PAGE = Path(__file__).parents[2] / "dashboard" / "Home.py"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_S = 60


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        refuse = pytest.fail if os.environ.get("MAMI_REQUIRE_BROWSER") else pytest.skip  # CI must not skip
        refuse("no Chromium here: `make browser` gets it")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield running
        running.close()


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dissection of eleven units whose every value is known."""
    return make_dissection(tmp_path_factory.mktemp("dissections") / "squares")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def server(made: Path, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The dashboard, started from an unrelated folder; gives its address."""
    assert browser.is_connected()
    folder = tmp_path_factory.mktemp("elsewhere")
    port = _free_port()
    environment = {**os.environ, "MAMI_HOME": str(folder / "home"), "MAMI_DISSECTIONS": str(made)}
    command = [sys.executable, "-m", "streamlit", "run", str(HOME_PAGE), f"--server.port={port}"]
    log = (folder / "log.txt").open("w")
    running = subprocess.Popen(
        [*command, "--server.headless=true"], cwd=folder, env=environment, stdout=log, stderr=log
    )
    try:
        _until_up(f"http://127.0.0.1:{port}", running, folder / "log.txt")
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(timeout=20)
        log.close()


def _until_up(address: str, running: subprocess.Popen, log: Path) -> None:
    for _ in range(PATIENCE_S * 5):
        if running.poll() is not None:
            pytest.fail(f"the dashboard did not start:\n{log.read_text()}")
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    pytest.fail(f"the dashboard was not up after {PATIENCE_S} s:\n{log.read_text()}")


@pytest.fixture
def visit(browser: Browser, server: str) -> Iterator[Callable[..., Page]]:
    """Open an address of the dashboard; afterwards: nothing was asked of another machine, and nothing went wrong."""
    problems: list[str] = []
    contexts = []

    def opened(path: str, *, width: int = 1440, scheme: str = "light") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, accept_downloads=True
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: problems.append(f"script error: {error}"))
        page.on("console", lambda message: _heard(message, problems))
        page.on("request", lambda request: _asked(request.url, server, problems))
        page.goto(f"{server}/{path}")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert problems == []


def _heard(message, problems: list[str]) -> None:
    # Streamlit looks for its own health check beneath the page's address first; that one 404 a load is its habit.
    if message.type == "error" and "_stcore" not in message.location.get("url", ""):
        problems.append(f"console: {message.text} ({message.location.get('url')})")


def _asked(url: str, server: str, problems: list[str]) -> None:
    if not url.startswith((server, server.replace("http", "ws"), "data:", "blob:")):
        problems.append(f"asked another machine: {url}")
