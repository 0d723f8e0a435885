"""Claims: what captions are taken to mean, that rules' plainest words mean the rule, and two sanity tests."""

from __future__ import annotations

import numpy as np
import pytest

from mami_core.evaluation.claims import Kind, SceneTable, claim_of, rule_f1
from mami_core.evaluation.firing import firing_scores, mean_iou
from mami_core.scenery.images import SceneryImages
from mami_core.scenery.planted.rules import Rule, Term
from mami_core.scenery.planted.things import Things
from mami_core.scenery.planted.words import oracle_caption
from mami_core.scenery.wording import Meaning

RULES = {
    "single": Rule("single", (Term("roof"),)),
    "or": Rule("or", (Term("car"), Term("tree")), "or"),
    "and": Rule("and", (Term("car"), Term("tree")), "and"),
    "absent": Rule("not", (Term("tree"),), without=Term("water")),
    "unlike": Rule("not", (Term("roof"),), without=Term(colour="red")),
    "position": Rule("position", (Term("cloud"),), position="top"),
    "texture": Rule("texture", (Term(texture="striped"),)),
    "look": Rule("colour", (Term("roof", colour="red"),)),
    "relation": Rule("relation", (Term("roof"),), relation="above", other=Term("house")),
}


@pytest.fixture(scope="module")
def table() -> SceneTable:
    scenes = SceneryImages(160, 5)
    return SceneTable(tuple(Things.of(scenes.scene(index)) for index in range(len(scenes))))


@pytest.mark.parametrize("name", RULES)
def test_a_rules_plainest_words_claim_exactly_what_the_rule_says(table, name):
    rule = RULES[name]
    claim = claim_of(oracle_caption(rule))

    said, true = table.masks(claim), [rule.mask(things) for things in table.scenes]

    assert rule_f1(oracle_caption(rule), rule) == 1.0
    assert any(mask.any() for mask in true)
    assert all(np.array_equal(a, b) for a, b in zip(said, true, strict=True))


def test_looks_belong_to_the_next_part_and_trailing_ones_to_those_without():
    assert claim_of("red roofs and blue cars").kinds == (
        Kind("roof", frozenset({"red"})),
        Kind("car", frozenset({"blue"})),
    )
    assert claim_of("roofs and blue cars, mostly red").kinds == (
        Kind("roof", frozenset({"red"})),
        Kind("car", frozenset({"blue"})),
    )
    assert claim_of("striped things").kinds == (Kind(textures=frozenset({"striped"})),)


def test_a_caption_that_names_nothing_fits_nowhere(table):
    assert not table.strength(claim_of("various objects")).any()
    assert rule_f1("", RULES["single"]) == 0.0


def test_both_parts_are_expected_to_fire_more_than_one(table):
    strength = table.strength(claim_of("cars and trees together"))
    has = np.array([[(things.looks[things.seen, 0] == part).any() for part in (34, 10)] for things in table.scenes])
    pixels = table.strength(claim_of("cars or trees"))

    assert (strength[has.all(1)] == pixels[has.all(1)]).all()
    assert (strength[has.any(1) & ~has.all(1)] == pixels[has.any(1) & ~has.all(1)] / 4).all()


def test_small_and_large_are_of_the_things_own_kind(table):
    small, large = (table.selected(claim_of(f"{size} roofs")) for size in ("small", "large"))

    assert small.any()
    assert large.any()
    assert table.pixels[small].max() < table.pixels[large].min()


# Neuron_Eval's two sanity tests: a figure worth showing falls when true parts of the claim are left out, and when
# others are added.
NARROW, BROAD = "cars", "cars or trees or roofs or sky or people"


def figures(table: SceneTable, caption: str, rule: Rule) -> dict[str, float]:
    fires = np.array([rule.mask(things).sum() for things in table.scenes], dtype=float)
    claim = claim_of(caption)
    found = firing_scores(table.strength(claim), fires, 0.0)
    iou = mean_iou(table.masks(claim), [rule.mask(things) for things in table.scenes])
    return {"auprc": found.auprc, "lift": found.lift, "pearson": found.pearson, "iou": iou,
            "rule_f1": rule_f1(caption, rule)}  # fmt: skip


@pytest.mark.parametrize("made", [NARROW, BROAD], ids=["too narrow", "too broad"])
@pytest.mark.parametrize("measure", ["auprc", "lift", "pearson", "iou", "rule_f1"])
def test_captions_made_too_narrow_or_too_broad_lose_on_every_measure(table, measure, made):
    right, wrong = (figures(table, caption, RULES["or"])[measure] for caption in ("cars or trees", made))

    assert wrong < right - 0.02


def test_f1_counts_what_is_denied_as_denied():
    rule = RULES["absent"]

    assert rule_f1("trees and water", rule) == pytest.approx(2 * 1 / 4)
    assert rule.denied == {Meaning("part", "water")}
