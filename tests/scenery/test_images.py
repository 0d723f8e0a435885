"""Scenes as a source of images."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from PIL import Image

from mami_core.inputs import ImageSource, class_names_of
from mami_core.scenery.images import SceneryImages
from mami_core.scenery.parts import PLACES
from mami_core.scenery.sheet import contact_sheet
from mami_core.scenery.world import paint, scene_seed


def test_it_is_a_source_of_images():
    source: ImageSource = SceneryImages(30, seed=4)
    assert (len(source), source.simulated, source.name) == (30, True, "scenery:30:4")
    assert len(set(source.names)) == 30
    assert class_names_of(source) == PLACES
    image = source.load(7)
    assert (image.mode, image.size) == ("RGB", (112, 112))


def test_an_image_is_the_scene_of_its_seed_and_its_label_the_place():
    source = SceneryImages(30, seed=4)
    for index in (0, 11, 29):
        scene = paint(scene_seed(4, index))
        assert np.array_equal(np.asarray(source.load(index)), scene.image)
        assert source.labels[index] == scene.place == source.scene(index).place


def test_a_longer_source_of_the_same_seed_begins_with_the_same_images():
    short, long = SceneryImages(10, seed=2), SceneryImages(40, seed=2)
    assert long.names[:10] == short.names
    assert long.labels[:10] == short.labels
    assert short.fingerprint() != long.fingerprint()


def test_two_seeds_share_no_image():
    pictures = [
        hashlib.sha256(SceneryImages(60, seed=seed).load(index).tobytes()).hexdigest()
        for seed in (0, 1)
        for index in range(60)
    ]
    assert len(set(pictures)) == 120
    assert not set(SceneryImages(60, seed=0).names) & set(SceneryImages(60, seed=1).names)


def test_fingerprints_tell_sources_apart_and_stay():
    assert SceneryImages(10, seed=2).fingerprint() == SceneryImages(10, seed=2).fingerprint()
    assert SceneryImages(10, seed=2).fingerprint() != SceneryImages(10, seed=3).fingerprint()


@pytest.mark.parametrize(("count", "seed", "message"), [(0, 0, "at least one"), (5, -1, "0 or more")])
def test_an_impossible_source_is_refused(count, seed, message):
    with pytest.raises(ValueError, match=message):
        SceneryImages(count, seed)


@pytest.mark.parametrize("index", [-1, 5])
def test_an_index_outside_the_source_is_refused(index):
    with pytest.raises(IndexError, match="holds scenes 0 to 4"):
        SceneryImages(5).scene(index)


def test_a_contact_sheet_shows_the_scenes_it_names():
    sheet = contact_sheet(["beach", "library"], 2, 9)
    assert sheet.mode == "RGB"
    pixels = np.asarray(sheet)
    tile = paint(scene_seed(9, 2), place="library").image
    views = np.lib.stride_tricks.sliding_window_view(pixels, tile.shape)[:, :, 0]
    found = (views[:, :, 5, 5] == tile[5, 5]).all(-1) & (views[:, :, 90, 60] == tile[90, 60]).all(-1)
    assert any(np.array_equal(views[y, x], tile) for y, x in zip(*np.nonzero(found), strict=True))
    assert isinstance(sheet, Image.Image)
