"""What one person waits for, in a real Chromium: opening, the next neuron, a word's heatmaps, a filter."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
TIMING: Final = Path(__file__).with_name("timing.js")
WIDTHS: Final = {112: 1535, 224: 2604}  # of a window in which the exemplars have about so many pixels
PAUSE_MS: Final = 400  # between key presses: a quick reader
PAINTED: Final = ".neuron[data-painted]"
WORDS: Final = ".head .word"
AT_REST: Final = "[data-testid=stApp][data-test-script-state=notRunning]"


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run a headless Chromium; a sentence says what to install where that cannot be."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise ValueError(
            "this bench drives a browser: install Playwright with `pip install -r requirements-dev.txt`"
        ) from None
    if found is None:
        raise FileNotFoundError(f"no Chromium here (looked for {', '.join(NAMES)}): install it, or run `make browser`")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield running
        running.close()


@contextmanager
def window(browser: Browser, width: int) -> Iterator[Page]:
    """Open a window with nothing in its cache."""
    context = browser.new_context(viewport={"width": width, "height": 1000}, color_scheme="light")
    context.add_init_script(path=TIMING)
    page = context.new_page()
    page.set_default_timeout(120_000)
    yield page
    context.close()


def open_unit(page: Page, address: str, **names: Any) -> float:
    """Go to a unit's page; return the seconds until it is painted."""
    began = time.perf_counter()
    page.goto(f"{address}/neuron?{urlencode(names)}")
    page.wait_for_selector(PAINTED)
    return time.perf_counter() - began


def tile_width(page: Page) -> int:
    """Return how many pixels wide an exemplar is on the screen."""
    return int(page.locator(".cell canvas").first.evaluate("canvas => canvas.width"))


def _measured(page: Page, arm: str, act: Callable[[], Any]) -> Any:
    page.evaluate(f"bench.{arm}")
    act()
    return page.evaluate("bench.answer")


def switches(page: Page, count: int, pause_ms: int = PAUSE_MS) -> list[float]:
    """Press J `count` times; return each press's milliseconds until the next neuron is on the screen."""
    taken = []
    for _ in range(count):
        taken.append(float(_measured(page, "armSwitch()", lambda: page.keyboard.press("j"))))
        page.wait_for_timeout(pause_ms)
    return taken


def hovers(page: Page, count: int) -> tuple[list[float], list[float]]:
    """Point at words never pointed at before; return milliseconds of script, and until the heatmaps are repainted."""
    script: list[float] = []
    painted: list[float] = []
    while len(script) < count:
        for index in range(min(page.locator(WORDS).count(), count - len(script))):
            word = page.locator(WORDS).nth(index)
            word.scroll_into_view_if_needed()
            page.mouse.move(2, 2)  # off the word before, whose leaving repaints too
            computing, shown = _measured(page, "armHover()", word.hover)
            script.append(float(computing))
            painted.append(float(shown))
        page.mouse.move(2, 2)
        switches(page, 1)
    return script, painted


def filters(page: Page, address: str, texts: list[str], **names: Any) -> list[float]:
    """Type texts into the list's filter; return the milliseconds until what is found is on the screen."""
    page.goto(f"{address}/neurons?{urlencode(names)}")
    page.wait_for_selector(".units[data-ready]")
    field = page.get_by_label("Filter captions")
    taken = []
    for text in texts:
        taken.append(float(_measured(page, "armFilter()", partial(field.fill, text))))
        page.wait_for_timeout(PAUSE_MS)
    return taken


def image_columns(page: Page, address: str, count: int, **names: Any) -> list[float]:
    """Walk the same view made of `st.image`, to make its pictures, then back: return the times of the way back."""
    page.goto(f"{address}/?{urlencode(names)}")
    page.get_by_text("shown 0", exact=True).wait_for()
    for unit in range(1, count + 1):
        _columns_at(page, unit, "j")
    return [_columns_at(page, unit, "k") for unit in reversed(range(count))]


def _columns_at(page: Page, unit: int, key: str) -> float:
    """Press a key once the page is at rest, for a key during a run is lost; return the milliseconds to `unit`."""
    page.wait_for_selector(AT_REST)
    page.wait_for_timeout(PAUSE_MS)
    return float(_measured(page, f"armColumns({unit})", lambda: page.keyboard.press(key)))


def rounded_median(values: list[float]) -> float:
    """Return the median to a tenth."""
    return round(median(values), 1)
