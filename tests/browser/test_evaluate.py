"""The Evaluate page in a browser, on the bundled demo: intervals, and a figure that leads to the neurons behind it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_a_figure_of_the_leaderboard_has_an_interval_and_leads_to_its_neurons(visit):
    page = visit("evaluate?d=demo")
    page.wait_for_selector(".board[data-ready]")
    row = page.locator(".board tr.captioner", has_text="mami@scenery").first
    expect(row.locator(".interval").first).to_have_text("0.61–0.81")
    row.locator("td a").first.click()
    page.wait_for_url("**/neurons?d=demo&split=test&sort=names_top*")
    page.wait_for_selector(".units[data-ready='77']")
    expect(page.get_by_label("Split")).to_have_value("test")
    expect(page.locator(".names")).to_contain_text("names the top part, mami@scenery")
    page.go_back()
    page.wait_for_selector(".board[data-ready]")


def test_a_cell_of_table_2_leads_to_its_units_and_back(visit):
    page = visit("evaluate?d=demo&show=Tables")
    page.wait_for_selector(".board[data-ready]")
    page.locator(".board tr.captioner", has_text="MAMI").first.locator("td a").first.click()
    page.wait_for_selector(".rows[data-ready='20']")
    expect(page.get_by_text("MAMI trained on alexnet")).to_be_visible()
    expect(page.locator(".rows td.lines").first).not_to_be_empty()
    address = page.url
    page.get_by_role("button", name="Table 2", exact=True).last.click()
    page.wait_for_selector(".board[data-ready]")
    assert "row=" not in page.url
    page.goto(address)  # the address alone leads there
    page.wait_for_selector(".rows[data-ready='20']")


def test_a_caption_drawn_as_wrong_leads_to_its_neuron(visit):
    page = visit("evaluate?d=demo&show=Captions")
    page.wait_for_selector(".rows[data-ready='8']")
    page.locator(".rows .unit a").first.click()
    page.wait_for_selector(".neuron[data-painted]")
