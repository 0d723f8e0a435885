"""From the first page to a file: open, filter, choose a unit, label it, download, read the file back."""

from __future__ import annotations

import pandas as pd
import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_a_filter_narrows_the_list_stays_in_the_link_and_leads_to_a_unit(visit):
    page = visit("neurons?d=squares")
    page.wait_for_selector(".units[data-ready='11']")
    page.get_by_label("Filter captions").fill("blue")
    page.wait_for_selector(".units[data-ready='2']")
    page.wait_for_url("**text=blue*")
    page.reload()
    page.wait_for_selector(".units[data-ready='2']")
    expect(page.get_by_label("Filter captions")).to_have_value("blue")
    page.get_by_role("link", name="late.conv unit 2").click()
    page.wait_for_selector(".neuron[data-painted$='/late.conv/2']")
    page.go_back()
    page.wait_for_selector(".units[data-ready='2']")


def test_the_layer_tree_counts_and_chooses(visit):
    page = visit("neurons?d=squares")
    page.wait_for_selector(".units[data-ready='11']")
    layer = page.locator(".tree button", has_text="late.conv")
    expect(layer).to_contain_text("5")
    layer.click()
    page.wait_for_selector(".units[data-ready='5']")
    page.get_by_role("button", name="Grid").click()
    expect(page.locator("a.card img")).to_have_count(5)


def test_lists_sort_by_a_figure_and_bound_it_and_the_link_keeps_both(visit):
    page = visit("neurons?d=squares")
    page.wait_for_selector(".units[data-ready='11']")
    page.get_by_label("Sort", exact=True).select_option("references:mami@made")
    expect(page.locator(".names")).to_contain_text("word F1 with the nearest reference")
    page.get_by_label("Least of the figure").fill("0.1")
    page.keyboard.press("Enter")
    page.wait_for_selector(".units[data-ready='9']")  # without the dead and the failed one
    page.wait_for_url("**least=0.1*")
    page.reload()
    page.wait_for_selector(".units[data-ready='9']")
    expect(page.get_by_label("Least of the figure")).to_have_value("0.1")


def test_the_filtered_csv_is_downloaded_and_read_back(visit, tmp_path):
    page = visit("export?d=squares&text=blue")
    button = page.get_by_role("button", name="Download", exact=True)
    with page.expect_download() as caught:
        button.click()
    file = tmp_path / "neurons.csv"
    caught.value.save_as(file)
    table = pd.read_csv(file)
    assert table[["layer", "unit"]].values.tolist() == [["early", 2], ["late.conv", 2]]
    assert table["mami@made.caption"].tolist() == ["the blue squares on gray"] * 2
    assert table["simulated"].all()


def test_a_label_saved_on_the_page_is_in_the_list_and_in_the_file(visit, tmp_path):
    page = visit("neuron?d=squares&layer=early&unit=5")
    page.wait_for_selector(".neuron[data-painted$='/early/5']")
    page.get_by_label("In your own words").fill("purple patches")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("version 1")).to_be_visible()
    page.get_by_role("link", name="Export").click()
    page.get_by_text("all 11 units").click()
    with page.expect_download() as caught:
        page.get_by_role("button", name="Download", exact=True).click()
    caught.value.save_as(tmp_path / "all.csv")
    table = pd.read_csv(tmp_path / "all.csv").set_index(["layer", "unit"])
    assert len(table) == 11
    assert table.loc[("early", 5), "label"] == "purple patches"


def test_pages_keep_the_dissection_and_the_unit(visit):
    page = visit("neuron?d=squares&layer=early&unit=2")
    page.wait_for_selector(".neuron[data-painted$='/early/2']")
    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.get_by_role("link", name="Neuron", exact=True).click()
    page.wait_for_selector(".neuron[data-painted$='/early/2']")


def test_answers_carry_the_security_headers(visit, server):
    page = visit("?d=squares")
    headers = page.request.get(f"{server}/mami/squares/early/0.json").headers
    assert headers["x-frame-options"] == "DENY"
    assert "default-src 'self'" in headers["content-security-policy"]


def test_a_review_is_blind_goes_by_keys_and_can_be_undone(visit):
    page = visit("review?d=squares")
    page.wait_for_selector(".neuron.blind[data-painted]")
    expect(page.locator(".neuron").get_by_text("@made")).to_have_count(0)
    expect(page.get_by_role("button").filter(has_text="@made")).to_have_count(0)
    before = page.get_by_text("judged by").inner_text()
    page.keyboard.press("1")
    expect(page.get_by_text("judged by")).not_to_have_text(before)
    expect(page.get_by_role("button", name="Undo")).to_be_enabled()
    page.keyboard.press("z")
    expect(page.get_by_text("judged by")).to_have_text(before)
