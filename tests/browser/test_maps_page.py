"""The page of maps: points, exact neighbours, lists drawn around, words and who says them, there and back."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from mami_core.probing.spaces.units import unit_space
from mami_core.store import Dissection

pytestmark = pytest.mark.browser
PROFILE, CAPTIONS = "Units by activation profile", "Units by captions, mami@made"


def drawn_around(page: Page, corners: list[tuple[float, float]]) -> None:
    """Draw a line around points, corners as shares of the map's width and height, with Shift held."""
    box = page.locator(".above").bounding_box()
    assert box is not None
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    page.keyboard.down("Shift")
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=5)
    page.mouse.up()
    page.keyboard.up("Shift")


def inside_by_a_loop(points: list[tuple[float, float]], polygon: list[tuple[float, float]]) -> list[int]:
    """Return which points lie in a polygon: how often a ray to the right crosses its sides, point by point."""
    found = []
    for at, (x, y) in enumerate(points):
        crossings = 0
        for (ax, ay), (bx, by) in zip(polygon, polygon[1:] + polygon[:1], strict=True):
            if (ay > y) != (by > y) and x < ax + (bx - ax) * (y - ay) / (by - ay):
                crossings += 1
        if crossings % 2:
            found.append(at)
    return found


def open_map(visit, by: str, more: str = "") -> Page:
    page = visit(f"maps?d=squares&by={by.replace(' ', '+').replace('@', '%40')}{more}")
    page.wait_for_selector(".spaces[data-ready]")
    return page


def test_a_line_around_points_chooses_those_inside_and_leads_to_a_list_and_a_file(visit, tmp_path):
    page = open_map(visit, CAPTIONS)
    drawn_around(page, [(0.02, 0.02), (0.9, 0.05), (0.55, 0.97), (0.03, 0.6)])
    page.wait_for_selector(".spaces[data-chosen]")
    line = json.loads(page.locator(".spaces").get_attribute("data-lasso") or "")
    chosen = json.loads(page.locator(".spaces").get_attribute("data-chosen") or "")
    source = page.evaluate(
        "performance.getEntriesByType('resource').map((e) => e.name).find((n) => n.includes('map.json'))"
    )
    places = page.evaluate(
        """async (source) => { const body = await (await fetch(source)).json();
        return [...new Float32Array(Uint8Array.from(atob(body.places), (c) => c.charCodeAt(0)).buffer)]; }""",
        source,
    )
    points = [(places[i], -places[i + 1]) for i in range(0, len(places), 2)]  # up is up
    assert chosen == inside_by_a_loop(points, [(line[i], line[i + 1]) for i in range(0, len(line), 2)])
    assert 0 < len(chosen) < len(points)

    with page.expect_download() as caught:
        page.get_by_role("button", name="Download CSV").click()
    caught.value.save_as(tmp_path / "units.csv")
    table = pd.read_csv(tmp_path / "units.csv")
    assert len(table) == len(chosen)
    page.get_by_role("link", name="Open in Neurons").click()
    page.wait_for_selector(f".units[data-ready='{len(chosen)}']")
    assert page.get_by_label("Filter captions").input_value().startswith("units ")


def test_a_point_shows_its_exact_neighbours_and_leads_to_the_neuron_and_back(visit, made):
    space = unit_space(Dissection.open(made), "profile")
    layer, unit = space.keys[space.neighbours(space.rows["early", 2], 1)[0][0]]
    nearest = f"{layer} · {unit}"
    page = open_map(visit, PROFILE, "&layer=early&unit=2")
    card = page.get_by_label("Chosen point")
    expect(card.get_by_role("heading", name="early · 2")).to_be_visible()
    expect(card.locator(".near li").first).to_contain_text(nearest)
    card.locator(".near button").first.click()
    expect(card.get_by_role("heading", name=nearest)).to_be_visible()
    page.wait_for_url(f"**layer={layer}&unit={unit}**")
    card.get_by_role("link", name="Open the neuron").click()
    page.wait_for_selector(f".neuron[data-painted$='/{layer}/{unit}']")
    page.get_by_role("link", name="Show on the map").click()
    page.wait_for_selector(".spaces[data-ready]")
    expect(page.get_by_label("Chosen point").get_by_role("heading", name=nearest)).to_be_visible()


def test_what_is_typed_stands_out_and_a_colour_can_be_looked_at_alone(visit):
    page = open_map(visit, CAPTIONS)
    page.get_by_label("Find units").fill("blue")
    expect(page.locator(".spaces")).to_have_attribute("data-shown", "2")
    page.get_by_label("Find units").fill("")
    page.get_by_label("Colour by").select_option("layer")
    page.get_by_label("Colours").get_by_role("button", name="late.conv").click()
    expect(page.locator(".spaces")).to_have_attribute("data-shown", "4")  # of five, one has no caption


def test_a_typed_word_shows_its_neighbours_and_the_units_that_say_it(visit):
    page = visit("maps?d=demo&by=Words+of+mami%40scenery")
    page.wait_for_selector(".spaces[data-ready]")
    page.get_by_label("Find a word").fill("roofs")
    page.keyboard.press("Enter")
    page.wait_for_selector(".card[data-near]")
    card = page.get_by_label("Chosen point")
    expect(card.get_by_role("heading", name="roofs", exact=True)).to_be_visible()
    expect(card.locator(".sayers .said").first).to_contain_text("roofs")
    page.wait_for_url("**word=roofs**")
    card.get_by_role("link", name="Open as a list").click()
    page.wait_for_selector(".units[data-ready]")


def test_a_map_is_moved_by_keys_and_is_whole_again(visit):
    page = open_map(visit, PROFILE)
    plane = page.locator(".plane")
    page.locator(".above").focus()
    page.keyboard.press("0")  # so that the focus is drawn as keys leave it
    page.wait_for_timeout(300)
    whole = plane.screenshot()
    for key in ("ArrowLeft", "+"):
        before = plane.get_attribute("data-frames") or ""
        page.keyboard.press(key)
        expect(plane).not_to_have_attribute("data-frames", before)
        assert plane.screenshot() != whole
    before = plane.get_attribute("data-frames") or ""
    page.keyboard.press("0")
    expect(plane).not_to_have_attribute("data-frames", before)
    assert plane.screenshot() == whole


def test_t_sne_is_made_beside_the_page_and_then_drawn(visit):
    page = visit(f"maps?d=squares&by={PROFILE.replace(' ', '+')}&method=t-SNE")
    page.get_by_role("button", name="Make it").click()
    page.wait_for_selector(".spaces[data-ready]")
    expect(page.get_by_text("t-SNE, trustworthiness")).to_be_visible()
