"""The page Intervene in a real browser: what is said where something is missing."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_an_audit_of_dissections_without_a_captioner_in_common_says_so(visit):
    page = visit("intervene?d=squares&what=Audit&concept=window")
    expect(page.get_by_role("heading", name="Intervene")).to_be_visible()
    expect(page.get_by_text("no captioner captioned both")).to_be_visible()


def test_without_a_run_the_page_says_how_to_make_one(visit):
    page = visit("intervene?d=squares")
    expect(page.get_by_text("Nothing silenced yet")).to_be_visible()
    expect(page.get_by_role("button", name="Silence", exact=True)).to_be_disabled()
    page.get_by_label("Captions that say").fill("red")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Silence", exact=True)).to_be_enabled()


def test_editing_says_what_it_costs_where_it_was_never_run(visit):
    page = visit("intervene?d=squares&what=Editing")
    expect(page.get_by_text("Not run here yet")).to_be_visible()
    expect(page.get_by_role("button", name="Run the experiment")).to_be_visible()
