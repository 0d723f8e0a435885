"""The neuron view in a real Chromium: what is painted, what keys do, what links keep."""

from __future__ import annotations

import hashlib
import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

TITLE = ".neuron h2"


def painted(page: Page, layer: str, unit: int) -> None:
    """Wait until the view shows a unit."""
    page.wait_for_selector(f".neuron[data-painted$='/{layer}/{unit}']")
    expect(page.locator(TITLE)).to_have_text(f"{layer} · unit {unit}")


def pixels(page: Page, selector: str) -> list[str]:
    """Return a digest of what each canvas shows."""
    urls = page.locator(selector).evaluate_all("canvases => canvases.map((canvas) => canvas.toDataURL())")
    return [hashlib.sha256(url.encode()).hexdigest() for url in urls]


def at(page: Page, layer: str, unit: int) -> None:
    """Wait until the address names a unit."""
    page.wait_for_url(re.compile(rf"layer={re.escape(layer)}&unit={unit}$"))


def test_a_link_opens_the_unit_with_its_exemplars_and_captions(visit):
    page = visit("neuron?d=squares&layer=late.conv&unit=2")
    painted(page, "late.conv", 2)
    assert len(set(pixels(page, ".cell canvas"))) == 15, "fifteen different exemplars are painted"
    cards = page.locator(".caption")
    expect(cards).to_have_count(2)
    expect(cards.nth(0)).to_contain_text("blue")
    expect(cards.nth(1)).to_contain_text("log p(d | E)")
    expect(page.locator(".head:not(.gate)")).to_have_count(4)
    expect(page.locator(".note")).to_contain_text("not proof of cause")


def test_a_bare_link_on_the_first_page_leads_to_the_unit(visit):
    page = visit("?d=squares&layer=early&unit=3")
    painted(page, "early", 3)


def test_pointing_at_a_word_repaints_the_heatmaps_and_a_click_keeps_them(visit):
    page = visit("neuron?d=squares&layer=early&unit=1")
    painted(page, "early", 1)
    mask, strips = pixels(page, ".cell canvas"), pixels(page, ".strip canvas")
    word = page.locator(".head.luong .word").nth(1)
    word.hover()
    expect(page.locator(".scale .meaning")).to_contain_text("Luong head")
    hovered = pixels(page, ".cell canvas")
    assert hovered != mask
    assert pixels(page, ".strip canvas") != strips
    word.click()
    page.mouse.move(2, 2)
    expect(word).to_have_attribute("aria-pressed", "true")
    assert pixels(page, ".cell canvas") == hovered, "a kept word stays when the pointer leaves"
    page.keyboard.press("ArrowRight")
    expect(page.locator(".head.luong .word").nth(2)).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    assert pixels(page, ".cell canvas") == mask


def test_mask_heatmap_and_plain_are_three_pictures_and_opacity_changes_them(visit):
    page = visit("neuron?d=squares&layer=early&unit=0")
    painted(page, "early", 0)
    seen = [pixels(page, ".cell canvas")]
    for key in "hp":
        page.keyboard.press(key)
        seen.append(pixels(page, ".cell canvas"))
    page.keyboard.press("m")
    assert pixels(page, ".cell canvas") == seen[0]
    page.locator("input[type=range]").fill("20")
    seen.append(pixels(page, ".cell canvas"))
    assert len({tuple(picture) for picture in seen}) == 4


def test_j_and_k_walk_the_layer_and_reload_and_back_keep_the_link(visit):
    page = visit("neuron?d=squares&layer=early&unit=0")
    painted(page, "early", 0)
    page.keyboard.press("j")
    painted(page, "early", 1)
    at(page, "early", 1)
    page.keyboard.press("j")
    painted(page, "early", 2)
    at(page, "early", 2)
    page.reload()
    painted(page, "early", 2)
    page.go_back()
    painted(page, "early", 1)
    page.keyboard.press("k")
    painted(page, "early", 0)
    page.keyboard.press("k")
    painted(page, "early", 5)


def test_fast_keys_lose_nothing_and_late_answers_never_turn_the_view_back(visit):
    page = visit("neuron?d=squares&layer=early&unit=0")
    painted(page, "early", 0)
    at_first = page.locator(TITLE)
    for _ in range(10):
        page.keyboard.press("j")
    expect(at_first).to_have_text("early · unit 4")  # ten steps through six units
    at(page, "early", 4)
    painted(page, "early", 4)
    page.locator("button", has_text="Next").click()
    painted(page, "early", 5)
    at(page, "early", 5)


def test_a_key_typed_into_a_field_is_text(visit):
    page = visit("neuron?d=squares&layer=early&unit=0")
    painted(page, "early", 0)
    field = page.get_by_label("In your own words")
    field.click()
    page.keyboard.type("jkm?")
    expect(field).to_have_value("jkm?")
    expect(page.locator(TITLE)).to_have_text("early · unit 0")


def test_question_mark_lists_the_keys(visit):
    page = visit("neuron?d=squares&layer=early&unit=0")
    painted(page, "early", 0)
    page.keyboard.press("?")
    expect(page.locator("dialog.keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog.keys")).to_be_hidden()


def test_an_exemplar_opens_full_size_and_reads_the_scalar_under_the_pointer(visit):
    page = visit("neuron?d=squares&layer=early&unit=0")
    painted(page, "early", 0)
    page.locator(".cell").first.click()
    canvas = page.locator("dialog.full canvas")
    expect(canvas).to_be_visible()
    canvas.hover(position={"x": 5, "y": 5})
    expect(page.locator("dialog.full output")).to_contain_text("activation")


def test_arrows_walk_the_exemplars_at_full_size(visit):
    page = visit("neuron?d=squares&layer=early&unit=0")
    painted(page, "early", 0)
    page.locator(".cell").nth(2).click()
    dialog = page.locator("dialog.full")
    expect(dialog).to_contain_text("3 of 15")
    page.keyboard.press("ArrowRight")
    expect(dialog).to_contain_text("4 of 15")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(dialog).to_contain_text("2 of 15")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_what_older_files_do_not_hold_has_its_own_words(visit):
    page = visit("neuron?d=squares&layer=late.conv&unit=2")
    painted(page, "late.conv", 2)
    expect(page.locator(".head.luong")).to_contain_text("without it: not stored")
    expect(page.locator(".head.gate")).to_contain_text("not stored")


def test_a_citation_is_copied_with_the_link_of_the_unit(visit, server):
    page = visit("neuron?d=squares&layer=late.conv&unit=2")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server)
    painted(page, "late.conv", 2)
    button = page.get_by_role("button", name="Cite")
    button.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("@misc{mami-squares-late-conv-2")
    assert f"{server}/neuron?d=squares&layer=late.conv&unit=2" in copied


def test_a_dead_unit_says_so_in_words(visit):
    page = visit("neuron?d=squares&layer=early&unit=4")
    painted(page, "early", 4)
    expect(page.locator(".badge.bad")).to_have_text("dead")
    expect(page.locator(".caption").first).to_contain_text("never fires")
    expect(page.locator(".pairs").last).to_contain_text("not computed")


WIDE = (
    "",
    "neurons?d=squares",
    "neurons?d=squares&in=grid&sort=maximum",
    "neuron?d=squares",
    "search?d=demo",
    "compare?d=squares",
    "compare?d=squares&what=Heads",
    "review?d=squares",
    "export?d=squares",
    "jobs",
    "settings",
)
REACH = """() => Math.max(...["stMain", "stApp"].map((id) => {
  const box = document.querySelector(`[data-testid=${id}]`);
  return box.scrollWidth - box.clientWidth;
}))"""


@pytest.mark.parametrize("width", [1440, 1024, 600])
@pytest.mark.parametrize("path", WIDE)
def test_nothing_scrolls_sideways(visit, path, width):
    page = visit(path, width=width)
    page.wait_for_selector("[data-testid=stMain] h1, .neuron[data-painted]")
    page.wait_for_load_state("networkidle")
    assert page.evaluate(REACH) <= 0


def test_dark_follows_the_system_without_a_reload(visit):
    page = visit("neuron?d=squares&layer=early&unit=0", scheme="dark")
    painted(page, "early", 0)
    expect(page.locator(".neuron")).to_have_attribute("data-dark", "true")
    page.emulate_media(color_scheme="light")
    expect(page.locator(".neuron")).to_have_attribute("data-dark", "false")
