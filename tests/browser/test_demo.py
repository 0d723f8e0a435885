"""The bundled demo, as a new user meets it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from mami_core.store import DEMO, Dissection
from mami_core.store.layout import MANIFEST

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not (DEMO / MANIFEST).is_file(), reason="no bundled demo: make it with `make demo`"),
]


def test_the_demo_opens_says_simulated_and_leads_to_captioned_neurons(visit):
    demo = Dissection.open(DEMO)
    page = visit(f"neurons?d={DEMO.name}")
    page.wait_for_selector(f".units[data-ready='{len(demo.units)}']")
    page.locator("a.row").first.click()
    page.wait_for_selector(".neuron[data-painted]")
    expect(page.locator(".top .badge", has_text="simulated")).to_be_visible()
    expect(page.locator(".caption")).to_have_count(len(demo.captioners))
    for name in demo.captioners:
        assert "@scenery" in name
        expect(page.locator(".caption header", has_text=name)).to_contain_text("simulated")
    page.locator(".head .word").first.hover()
    expect(page.locator(".scale .meaning")).to_contain_text("attention of")


def test_an_image_of_the_demo_finds_units_that_fire_for_it(visit):
    page = visit(f"search?d={DEMO.name}")
    page.wait_for_selector(".firing[data-ready]")
    expect(page.locator(".firing a.card").first).to_contain_text("%")


def test_a_picked_image_is_captioned_word_by_word_and_stays_in_the_link(visit):
    page = visit(f"search?d={DEMO.name}")
    page.wait_for_selector(".firing[data-ready]")
    page.locator(".picker button[aria-label^=image]").nth(3).click()
    page.wait_for_url("**image=*")
    chosen = page.locator(".picker button[aria-pressed=true]")
    expect(chosen).to_have_count(1)
    name = chosen.get_attribute("aria-label")
    page.wait_for_selector(".seen[data-ready]")
    words = page.locator(".seen figcaption b").count()
    assert words == page.locator(".seen canvas").count() > 0
    expect(page.locator(".seen figcaption").first).to_contain_text("β 0.")
    page.reload()
    page.wait_for_selector(".seen[data-ready]")
    expect(page.locator(".picker button[aria-pressed=true]")).to_have_attribute("aria-label", name)
