"""A real browser on a real server: the dashboard as its users start it, on the bundled demo and a small made one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from made_dissection import make_dissection
from made_image_captioner import make_captioner, make_encoder
from playwright.sync_api import Browser, Page

from mami_core.pipeline.benches.dashboard_parts.browser import chromium
from mami_core.pipeline.benches.dashboard_parts.server import serving

PATIENCE_MS = 120_000  # the machine may be busy; a test that is right does not wait
HOME_PAGE = Path(__file__).parents[2] / "dashboard" / "Home.py"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    with ExitStack() as stack:
        try:
            running = stack.enter_context(chromium())
        except FileNotFoundError as problem:
            refuse = pytest.fail if os.environ.get("MAMI_REQUIRE_BROWSER") else pytest.skip  # CI must not skip
            refuse(str(problem))
        yield running


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dissection of eleven units whose every value is known."""
    return make_dissection(tmp_path_factory.mktemp("dissections") / "squares")


@pytest.fixture(scope="session")
def server(made: Path, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The dashboard, started from an unrelated folder; gives its address."""
    assert browser.is_connected()
    folder = tmp_path_factory.mktemp("elsewhere")
    make_captioner("sat-soft", str(make_encoder(folder / "parts")), folder / "models" / "sat@made")
    with serving(HOME_PAGE, [made], folder) as running:
        yield running.address


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
        page.set_default_timeout(PATIENCE_MS)
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
