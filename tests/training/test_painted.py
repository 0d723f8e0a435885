"""Painted images as arrays: the scenes themselves, with their labels beside their pixels."""

from __future__ import annotations

import numpy as np
import pytest

from mami_core.scenery.images import SceneryImages
from mami_core.training.generator import layouts
from mami_core.training.painted import paint_many
from mami_core.training.segmentation import cell_labels


@pytest.fixture(scope="module")
def painted():
    return paint_many(3, seed=4)


def test_arrays_hold_the_scenes_of_the_source(painted):
    source = SceneryImages(3, 4)
    assert len(painted) == 3
    for index in range(3):
        scene = source.scene(index)
        assert np.array_equal(painted.images[index].transpose(1, 2, 0), scene.image)
        assert painted.places[index] == scene.place == source.labels[index]
        assert np.array_equal(painted.labels[index, 0], scene.part_map()[1::2, 1::2])
        assert np.array_equal(painted.labels[index, 2], scene.texture_map()[1::2, 1::2])


def test_a_cells_label_is_that_of_its_middle(painted):
    labels = cell_labels(painted, slice(0, 1))
    scene = SceneryImages(3, 4).scene(0)
    assert labels.shape == (1, 3, 28, 28)
    assert np.array_equal(labels[0, 1].numpy(), scene.colour_map()[3::4, 3::4])


def test_a_slice_keeps_images_and_labels_together(painted):
    some = painted[1:]
    assert len(some) == 2
    assert np.array_equal(some.labels[0], painted.labels[1])


def test_layouts_hold_every_parts_share_of_a_cell(painted):
    layout = layouts(painted, slice(0, 2))
    part = int(painted.labels[0, 0, 10, 20])
    expected = (painted.labels[0, 0, 10:12, 20:22] == part).mean()
    assert float(layout[0, part, 5, 10]) == pytest.approx(expected)


def test_progress_counts_the_images(painted):
    seen = []
    paint_many(3, seed=4, progress=lambda done, count: seen.append((done, count)))
    assert seen == [(3, 3)]
    assert len(painted) == 3


@pytest.mark.slow
def test_more_processes_paint_the_same():
    alone, together = paint_many(120, seed=9), paint_many(120, seed=9, processes=2)
    assert np.array_equal(alone.images, together.images)
    assert np.array_equal(alone.labels, together.labels)
