"""The benchmark's units are no easier than the study's: what is bundled, described by today's annotators, shows it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mami_core.evaluation.difficulty import Difficulty, difficulty
from mami_core.pipeline.worlds.describe import references_for
from mami_core.records import Reference
from mami_core.scenery.content import Share, UnitContent
from mami_core.store import DEMO, Dissection


def test_real_units_described_by_todays_annotators_are_as_hard_as_the_studys():
    demo = Dissection.open(DEMO)
    contents = {("demo", *key): UnitContent.from_dict(saved) for key, saved in demo.truth.items()}
    references = {key: references_for(key[1:], content, 0) for key, content in contents.items()}

    found = difficulty(contents, references, {"demo": "resnet"})

    assert found.complaints() == []
    assert all(0.2 <= share <= 0.45 for share in found.shares.values())
    assert found.impure >= 0.25
    assert all(0.74 <= round(named, 2) <= 0.84 for named in found.annotators.values())


def content(purity: float) -> UnitContent:
    demo = Dissection.open(DEMO)
    first = UnitContent.from_dict(next(iter(demo.truth.values())))
    return replace(first, parts=(Share("car", purity, 1.0), Share("road", 0.1, 0.2)))


def test_every_figure_is_what_counting_gives():
    contents = {("a-0", "conv1", 0): content(0.2), ("a-1", "conv1", 0): content(0.5), ("a-0", "conv2", 0): content(0.9)}
    said = {
        ("a-0", "conv1", 0): [Reference("short", 0, "red cars"), Reference("short", 1, "roads")],
        ("a-1", "conv1", 0): [Reference("short", 0, "a car"), Reference("long", 0, "cars on roads")],
        ("a-0", "conv2", 0): [Reference("short", 0, "things")],
    }

    found = difficulty(contents, said, {"a-0": "a", "a-1": "a"})

    assert found.shares == pytest.approx({"a/conv1": 0.35, "a/conv2": 0.9})
    assert found.impure == pytest.approx(1 / 3)
    assert found.annotators == pytest.approx({"short": 2 / 4, "long": 1.0})
    assert found.vocabulary == len({"red", "cars", "roads", "a", "car", "on", "things"})


def test_what_is_too_easy_is_complained_of_by_name():
    easy = Difficulty({"a/conv1": 0.3, "a/conv2": 0.6}, impure=0.1, annotators={"short": 0.95}, vocabulary=300)

    complaints = easy.complaints()

    assert len(complaints) == 4
    assert complaints[0].startswith("a/conv2: the top part holds 0.60")
    assert Difficulty({"a/conv1": 0.3}, 0.3, {"short": 0.8}, 900).complaints() == []
