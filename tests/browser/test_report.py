"""The static report in a real browser, opened from disk: it draws, filters and asks for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from mami_core.exports.report import layer_report
from mami_core.store import Dissection

pytestmark = pytest.mark.browser


@pytest.fixture
def report(browser: Browser, made: Path, tmp_path: Path) -> Iterator[Page]:
    """The report of a layer, from file://; afterwards: it asked for nothing but itself, and nothing went wrong."""
    dissection = Dissection.open(made)
    file = tmp_path / "early.html"
    file.write_text(layer_report(dissection, dissection.unit_keys("early")), encoding="utf-8")
    page = browser.new_page()
    asked: list[str] = []
    problems: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: problems.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda problem: problems.append(str(problem)))
    page.goto(file.as_uri())
    yield page
    assert [url for url in asked if not url.startswith("data:")] == [file.as_uri()]
    assert problems == []
    page.close()


def alpha(page: Page, kind: str) -> str:
    return page.locator(f"i .{kind}").first.evaluate("element => getComputedStyle(element).visibility")


def test_pictures_and_heatmaps_are_drawn(report: Page) -> None:
    assert report.locator("section").count() == 6
    drawn = report.locator("section i").first.evaluate(
        """async element => {
            const image = new Image();
            image.src = getComputedStyle(element).backgroundImage.slice(5, -2);
            await image.decode();
            return image.naturalWidth;
        }"""
    )
    assert drawn == 56
    assert (alpha(report, "heat"), alpha(report, "mask")) == ("visible", "hidden")


def test_the_switch_shows_masks_or_bare_pictures(report: Page) -> None:
    report.get_by_label("mask").check()
    assert (alpha(report, "heat"), alpha(report, "mask")) == ("hidden", "visible")
    report.get_by_label("picture").check()
    assert (alpha(report, "heat"), alpha(report, "mask")) == ("hidden", "hidden")


def test_the_field_keeps_units_that_speak_of_every_word(report: Page) -> None:
    report.get_by_label("Filter units").fill("squares blue")
    assert report.locator("section:visible h3").all_inner_texts()[0].startswith("early · 2")
    assert report.locator("output").inner_text() == "1"
    report.get_by_label("Filter units").fill("")
    assert report.locator("section:visible").count() == 6
