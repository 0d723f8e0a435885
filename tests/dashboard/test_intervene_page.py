"""The page Intervene without a browser: audits of made dissections, kept runs of silencing and editing."""

from __future__ import annotations

import os

import pytest
from made_dissection import make_dissection

from dashboard import loaders
from mami_core.probing.intervention.results import keep_result
from mami_core.store import Dissection


def figure(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.05, "high": value + 0.05}


@pytest.fixture
def a_run(squares) -> None:
    """A kept run of `mami silence` on the made dissection's network."""
    points = [{"fraction": count / 10, "silenced": count, "accuracy": figure(0.9 - count / 10),
               "random": figure(0.9), "worse_than_random": figure(count / 10)} for count in (0, 2)]  # fmt: skip
    rows = [{"class": "red", "images": 5, "before": 1.0, "after": 0.0}]
    figures = {"chosen": "captions of milan@made that fit 'red' (text)", "choosable": 2, "units": 10,
               "layers": ["early"], "images": 30, "controls": 5, "first": [["early", 0]],
               "curves": {"zero": points}, "classes": {"zero": rows}}  # fmt: skip
    keep_result("silence", Dissection.open(squares.path).manifest.weights_sha256, {"query": "red"}, figures)


@pytest.mark.usefixtures("a_run")
def test_a_kept_run_is_drawn_with_its_figures(opened_at):
    page = opened_at("intervene", d="squares")
    assert not page.exception
    assert [metric.value for metric in page.metric] == ["70.0%", "90.0%", "+20.0%"]
    assert page.dataframe[0].value["class"].tolist() == ["red"]


def test_an_audit_counts_both_dissections(opened_at, squares, tmp_path, monkeypatch):
    other = make_dissection(tmp_path / "others")
    monkeypatch.setenv(loaders.NAMED, os.pathsep.join([str(squares.path), str(other)]))
    page = opened_at("intervene", d="squares", what="Audit", concept="blue")
    assert not page.exception
    assert any("2 of 9" in text.value for text in page.markdown)


@pytest.mark.usefixtures("squares")
def test_without_a_second_dissection_an_audit_says_what_it_needs(opened_at):
    page = opened_at("intervene", d="squares", what="Audit")
    assert any("another one" in text.value for text in page.info)


@pytest.mark.usefixtures("squares")
def test_editing_draws_the_strength_that_is_chosen(opened_at):
    whole = {on: figure(value) for on, value in (("misleads", 0.5), ("agrees", 1.0), ("none", 0.8))}
    at = {"caption": figure(0.6), "random": figure(0.5), "truth": figure(0.65), "over_random": figure(0.1)}
    strength = {"test": {"whole": whole}, "misleads": {"0.1": at}, "named": [3, 5], "captions": ["black stoves"]}
    keep_result("editing", "networks", {"seeds": 2}, {"strengths": {"0.5": strength, "1": strength}, "edited": 0.1,
                                                      "scenes": 600, "units": 96})  # fmt: skip
    page = opened_at("intervene", d="squares", what="Editing")
    assert not page.exception
    assert [metric.value for metric in page.metric] == ["50.0%", "60.0%", "50.0%", "+10.0%"]
