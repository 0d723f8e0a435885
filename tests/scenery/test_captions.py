"""Captions of painted scenes: five, different, repeatable, and true."""

from __future__ import annotations

import numpy as np
import pytest

from mami_core.scenery.captions import CAPTIONS, caption_scene, scene_facts, split_of
from mami_core.scenery.images import SceneryImages
from mami_core.scenery.parts import PARTS, PLACES
from mami_core.scenery.reading import read_caption

SCENES = 40


@pytest.fixture(scope="module")
def scenes():
    source = SceneryImages(SCENES, 11)
    return [source.scene(index) for index in range(SCENES)]


@pytest.fixture(scope="module")
def captions(scenes):
    return [caption_scene(scene, seed=(11, index)) for index, scene in enumerate(scenes)]


def test_every_part_and_place_that_is_named_is_in_the_scene(scenes, captions):
    for scene, said in zip(scenes, captions, strict=True):
        there = {PARTS[part] for part in scene.objects[:, 0]}
        for text in said:
            meaning = read_caption(text)
            assert set(meaning.parts) <= there, text
            assert set(meaning.places) <= {PLACES[scene.place]}, text
            assert not meaning.unread_words


def test_relations_that_are_said_are_those_of_the_parts_middles(scenes, captions):
    checked = 0
    for scene, said in zip(scenes, captions, strict=True):
        middles = scene_facts(scene).middles
        for text in said:
            meaning = read_caption(text)
            if len(meaning.parts) > 1 and meaning.relations[:1] in (("above",), ("below",)):
                first, second = (middles[part][0] for part in meaning.parts[:2])
                assert (first < second) == (meaning.relations[0] == "above"), text
                checked += 1
    assert checked > 3


def test_the_middle_of_a_part_is_the_mean_of_its_pixels(scenes):
    scene = scenes[3]
    for part, (down, right) in scene_facts(scene).middles.items():
        y, x = np.nonzero(scene.part_map() == PARTS.index(part))
        assert (down, right) == pytest.approx((y.mean() / 112, x.mean() / 112))


def test_five_people_say_different_things_in_few_words(captions):
    assert all(len(said) == CAPTIONS for said in captions)
    assert np.mean([len(set(said)) for said in captions]) > 4.8
    words = [len(text.split()) for said in captions for text in said]
    assert 7 < np.mean(words) < 12  # Flickr8k: 10.8
    assert max(words) < 30


def test_the_same_scene_and_seed_give_the_same_words_and_another_seed_others(scenes, captions):
    assert caption_scene(scenes[5], seed=(11, 5)) == captions[5]
    assert caption_scene(scenes[5], seed=(12, 5)) != captions[5]


def test_the_split_is_flickr8ks():
    names = [split_of(index, 8000) for index in range(8000)]
    assert [names.count(name) for name in ("train", "val", "test")] == [6000, 1000, 1000]
