"""The Evaluate page: what it shows of a dissection, what it says where something is missing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from made_dissection import make_dissection

from dashboard import loaders
from mami_core.store.home import bundled_assets


def board(test: Any, number: int = 0) -> dict:
    return json.loads(test.get("bidi_component")[number].proto.json)


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch) -> loaders.Found:
    """The bundled demo."""
    monkeypatch.setenv(loaders.NAMED, str(bundled_assets() / "demo"))
    return loaders.found_dissections()["demo"]


@pytest.mark.usefixtures("demo")
def test_every_captioner_stands_beside_floors_and_people_with_intervals(opened_at):
    test = opened_at("evaluate")
    assert not test.exception
    shown = board(test)
    kinds = {row["kind"] for row in shown["rows"]}
    assert {"captioner", "shuffled", "constant", "annotator"} <= kinds
    cell = next(row for row in shown["rows"] if row["name"] == "mami@scenery")["cells"][0]
    assert cell["low"] < cell["value"] < cell["high"]
    assert cell["href"] == "neurons?d=demo&split=test&sort=names_top%3Amami%40scenery"
    assert shown["rows"][0]["cells"][-1]["why"] == "not asked for"
    assert test.button(key="measure").label == "Measure them"


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize("show", ["Breakdown", "Captions", "Length", "Training", "Tables"])
def test_every_view_opens(opened_at, show):
    test = opened_at("evaluate", show=show)
    assert not test.exception
    assert not test.error


@pytest.mark.usefixtures("squares")
def test_units_of_unknown_truth_are_measured_by_text_alone(opened_at):
    test = opened_at("evaluate")
    assert not test.exception
    assert "not known" in test.info[0].value
    assert [column["name"] for column in board(test)["columns"]][:2] == ["BLEU-4, milan", "brevity penalty"]


def test_without_captions_the_page_says_what_is_needed(opened_at, tmp_path, monkeypatch):
    monkeypatch.setenv(loaders.NAMED, str(make_dissection(tmp_path / "bare", captioned=False)))
    assert "Captions and references are needed" in opened_at("evaluate").info[0].value
