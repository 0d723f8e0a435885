"""Pictures are asked for on the page, made by a job, and stand beside their exemplars."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow]

A_JOB_MS, A_PAGE_MS = 240_000, 60_000


def test_pictures_are_made_by_a_job_and_then_are_there_at_once(visit):
    page = visit("visualise?d=demo&layer=layer4")
    page.get_by_text("Make pictures").first.click()
    page.get_by_label("Units").fill("3 17")
    page.get_by_label("Steps").fill("8")
    page.get_by_role("button", name="Make pictures").click()
    expect(page.locator(".pictures figure")).to_have_count(2, timeout=A_JOB_MS)
    expect(page.locator(".pictures .made img").first).to_be_visible()
    page.reload()
    expect(page.locator(".pictures figure")).to_have_count(2, timeout=A_PAGE_MS)
    page.locator(".pictures a").first.click()
    page.wait_for_selector(".neuron[data-painted$='/layer4/3']")
