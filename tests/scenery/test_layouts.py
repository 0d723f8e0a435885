"""Layouts as the generator's source, and parts of a stream of scenes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mami_core.inputs import FeedsNetwork
from mami_core.pipeline.sources import open_any_images, scenery_network
from mami_core.scenery.images import SceneryImages
from mami_core.scenery.layouts import Layouts
from mami_core.scenery.networks import build
from mami_core.scenery.parts import PARTS
from mami_core.training.generator import layouts
from mami_core.training.painted import paint_many


def test_a_layout_is_what_the_generator_was_trained_on():
    trained_on = layouts(paint_many(4, 6), slice(None))

    source = Layouts(SceneryImages(4, 6))

    assert isinstance(source, FeedsNetwork)
    for index in range(4):
        assert torch.equal(source.inputs(index), trained_on[index])


def test_a_layouts_cells_hold_the_shares_of_the_scenes_parts():
    source = Layouts(SceneryImages(2, 6))
    shares = source.inputs(1)[: len(PARTS)].numpy()
    parts = source.scenes.scene(1).part_map()
    assert shares.sum(0) == pytest.approx(np.ones((28, 28)))
    assert shares.argmax(0)[10, 10] in parts[40:44, 40:44]


def test_layouts_are_named_on_the_command_line():
    source = open_any_images("layouts:30:4")
    assert isinstance(source, Layouts)
    assert (len(source), source.name, source.scenes.name) == (30, "layouts:30:4", "scenery:30:4")
    assert source.labels == source.scenes.labels
    assert source.fingerprint() != source.scenes.fingerprint()
    with pytest.raises(ValueError, match="layouts:N"):
        open_any_images("layouts:none")


def test_the_generators_exemplars_are_its_own_images():
    assert scenery_network("generator-1", build("generator")).generates
    assert not scenery_network("resnet", build("resnet")).generates


def test_parts_of_a_source_are_disjoint_and_together_the_whole():
    whole = SceneryImages(12, seed=2, remember=True)
    first, second = whole.part(0, 7), whole.part(7, 12)
    assert (*first.names, *second.names) == whole.names
    assert (*first.labels, *second.labels) == whole.labels
    assert np.array_equal(second.scene(1).image, SceneryImages(12, seed=2).scene(8).image)
    assert second.scene(1) is whole.scene(8)  # painted once
    assert second.fingerprint() != SceneryImages(5, seed=2).fingerprint()
    with pytest.raises(IndexError, match="0 to 4"):
        second.scene(5)
