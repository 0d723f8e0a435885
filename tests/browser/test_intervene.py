"""The page Intervene in a real browser: what is said where something is missing, and that it leads to a run."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_an_audit_of_dissections_without_a_captioner_in_common_says_so(visit):
    page = visit("intervene?d=squares&what=Audit&concept=window")
    page.get_by_text("no captioner captioned both").wait_for()


def test_without_a_run_the_page_offers_one_as_soon_as_a_query_is_typed(visit):
    page = visit("intervene?d=squares")
    page.get_by_text("Nothing silenced yet").wait_for()
    button = page.get_by_role("button", name="Silence", exact=True)
    button.wait_for()
    expect(button).to_be_disabled()
    page.get_by_label("Captions that say").fill("red")
    page.keyboard.press("Enter")
    page.wait_for_function(
        "[...document.querySelectorAll('button')].some(b => b.innerText === 'Silence' && !b.disabled)"
    )


def test_editing_says_what_it_costs_where_it_was_never_run(visit):
    page = visit("intervene?d=squares&what=Editing")
    page.get_by_text("Not run here yet").wait_for()
    page.get_by_role("button", name="Run the experiment").wait_for()
