"""Rules of planted neurons: exact masks of a scene made by hand, and the same rule after a passage through JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pytest

from mami_core.scenery.images import SceneryImages
from mami_core.scenery.parts import COLOURS, LIGHTS, PARTS, PLACES, TEXTURES
from mami_core.scenery.planted.rules import Rule, Term
from mami_core.scenery.planted.things import LEAST_PIXELS, Things
from mami_core.scenery.wording import Meaning

SIDE = 56


@dataclass(frozen=True)
class MadeScene:
    instances: np.ndarray
    objects: np.ndarray
    place: int
    light: str


def looks(part: str, colour: str, texture: str) -> tuple[int, int, int]:
    return PARTS.index(part), COLOURS.index(colour), TEXTURES.index(texture)


@pytest.fixture(scope="module")
def things() -> Things:
    """Sky over grass; a large red car on the left, a small blue one on the right, a striped boat between, a speck."""
    instances = np.zeros((SIDE, SIDE), np.uint8)  # 0: sky
    instances[20:] = 1  # grass
    instances[18:28, 2:16] = 2  # large red car
    instances[18:24, 46:52] = 3  # small blue car
    instances[30:40, 24:34] = 4  # red striped boat
    instances[50:52, 50:52] = 5  # a dog of four pixels
    objects = np.array(
        [
            looks("sky", "light blue", "plain"),
            looks("grass", "green", "plain"),
            looks("car", "red", "plain"),
            looks("car", "blue", "plain"),
            looks("boat", "red", "striped"),
            looks("dog", "brown", "plain"),
        ],
        np.uint8,
    )
    return Things.of(MadeScene(instances, objects, PLACES.index("park"), "dusk"))


CAR, BOAT, GRASS = Term("car"), Term("boat"), Term("grass")
CASES = [
    (Rule("single", (CAR,)), {2, 3}),
    (Rule("single", (Term("dog"),)), set()),  # too small to be seen
    (Rule("or", (CAR, BOAT), "or"), {2, 3, 4}),
    (Rule("and", (CAR, BOAT), "and"), {2, 3, 4}),
    (Rule("and", (CAR, Term("train")), "and"), set()),
    (Rule("and", (Term("car", "red"),)), {2}),
    (Rule("not", (CAR,), without=Term(colour="red")), {3}),
    (Rule("not", (GRASS,), without=CAR), set()),
    (Rule("not", (GRASS,), without=Term("train")), {1}),
    (Rule("size", (CAR,), size="large", limit=100), {2}),
    (Rule("size", (CAR,), size="small", limit=100), {3}),
    (Rule("position", (CAR,), position="left"), {2}),
    (Rule("position", (CAR,), position="right"), {3}),
    (Rule("position", (BOAT,), position="middle"), {4}),
    (Rule("position", (CAR,), position="middle"), set()),
    (Rule("position", (Term("sky"),), position="top"), {0}),
    (Rule("texture", (Term(texture="striped"),)), {4}),
    (Rule("colour", (Term(colour="red"),)), {2, 4}),
    (Rule("relation", (Term("sky"),), relation="above", other=CAR), {0}),
    (Rule("relation", (CAR,), relation="below", other=Term("sky")), {2, 3}),
    (Rule("relation", (BOAT,), relation="below", other=Term("sky")), set()),
    (Rule("relation", (CAR,), relation="beside", other=GRASS), {2, 3}),
    (Rule("dead"), set()),
]


@pytest.mark.parametrize(("rule", "expected"), CASES, ids=lambda value: getattr(value, "family", ""))
def test_a_rule_fires_for_exactly_its_things(things, rule, expected):
    assert set(np.flatnonzero(rule.select(things))) == expected
    assert np.array_equal(rule.mask(things), np.isin(things.instances, list(expected)))
    assert rule.matches(things) == bool(expected)


@pytest.mark.parametrize("rule", [rule for rule, _ in CASES], ids=lambda rule: rule.family)
def test_a_rule_reads_back_from_json(rule):
    assert Rule.from_dict(json.loads(json.dumps(rule.to_dict()))) == rule


def test_a_decoy_is_told_from_the_rule(things):
    by_colour = Rule("spurious", (CAR,), decoy=Meaning("colour", "red"))
    by_light = Rule("spurious", (CAR,), decoy=Meaning("light", "dusk"))
    by_place = Rule("spurious", (CAR,), decoy=Meaning("place", "beach"))

    assert set(np.flatnonzero(by_colour.select(things))) == {2, 3}
    assert set(np.flatnonzero(by_colour.decoyed(things))) == {2, 4}
    assert by_light.decoyed(things).all()
    assert not by_place.decoyed(things).any()
    assert by_colour.meanings == {Meaning("part", "car")}  # the decoy is no part of the truth


def test_what_a_caption_must_affirm_and_deny():
    rule = Rule("not", (Term("car", "red"),), without=Term(texture="striped"))
    assert rule.meanings == {Meaning("part", "car"), Meaning("colour", "red")}
    assert rule.denied == {Meaning("texture", "striped")}
    assert rule.composition == tuple(sorted(rule.meanings | rule.denied))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Term(), "names a part"),
        (lambda: Term("unicorn"), "no 'unicorn'"),
        (lambda: Rule("vague", (CAR,)), "no family"),
        (lambda: Rule("single"), "at least one"),
        (lambda: Rule("relation", (CAR,), relation="above"), "go together"),
    ],
)
def test_a_rule_that_means_nothing_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_things_agree_with_the_scene_pixel_by_pixel():
    scene = SceneryImages(3, seed=9).scene(1)
    things = Things.of(scene)
    for index in range(len(scene.objects)):
        y, x = np.nonzero(scene.instances == index)
        assert things.pixels[index] == len(y)
        assert things.seen[index] == (len(y) >= LEAST_PIXELS)
        assert things.centres[index] == pytest.approx(((y + 0.5).mean() / 112, (x + 0.5).mean() / 112))
    coverage = things.coverage(28)
    assert coverage.sum(1) == pytest.approx(np.ones(784))
    cell = scene.instances[4:8, 8:12]
    assert coverage[28 + 2].tolist() == pytest.approx([(cell == index).mean() for index in range(len(scene.objects))])
    assert things.light == LIGHTS.index(scene.light)
