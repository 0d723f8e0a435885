"""What masks hold, against counting by hand and a slow second implementation."""

from __future__ import annotations

import json
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_world import MadeScene, made_contents, made_maps

from mami_core.scenery.content import BaseRates, LabelMaps, UnitContent, describe_content, object_borders
from mami_core.scenery.parts import COLOURS, LIGHTS, PARTS, PLACES, TEXTURES
from mami_core.scenery.world import paint

SKY, ROOF, DOOR = PARTS.index("sky"), PARTS.index("roof"), PARTS.index("door")
BLUE, RED, PLAIN, TILED = COLOURS.index("blue"), COLOURS.index("red"), 0, TEXTURES.index("tiled")


def house_under_sky() -> MadeScene:
    """Blue sky above a red tiled roof, 6 × 6, the border between rows 2 and 3."""
    instances = np.zeros((6, 6), np.uint8)
    instances[3:] = 1
    objects = np.array([(SKY, BLUE, PLAIN), (ROOF, RED, TILED)], np.uint8)
    return MadeScene(instances, objects, PLACES.index("farm"), "dusk")


@pytest.fixture
def maps() -> LabelMaps:
    return LabelMaps.from_scenes([house_under_sky()] * 2)


def test_a_mask_on_the_roof_holds_only_roof(maps):
    masks = np.zeros((2, 6, 6), bool)
    masks[:, 4:, :2] = True

    content = describe_content(maps, masks, BaseRates.of(maps))

    assert [(share.name, share.share) for share in content.parts] == [("roof", 1.0)]
    assert content.parts[0].score == pytest.approx(math.log2(1.004 / 0.504), abs=1e-4)
    assert content.part_colours == {"roof": (("red", 1.0),)}
    assert content.textures[0].name == "tiled"
    assert (content.positions, content.purity, content.edge) == (("bottom", "left"), 1.0, 0.0)
    assert (content.places, content.lights) == ((("farm", 1.0),), (("dusk", 1.0),))
    assert content.contacts == ()


def test_a_mask_across_the_eaves_sees_the_border_and_what_lies_above(maps):
    masks = np.zeros((2, 6, 6), bool)
    masks[:, 2:4] = True

    content = describe_content(maps, masks, BaseRates.of(maps))

    assert content.edge == pytest.approx(0.5 / (1 / 6))  # half of the mask, a sixth of the image
    assert [tuple(contact) for contact in content.contacts] == [("sky", "roof", 1.0)]


def test_each_exemplar_weighs_the_same_and_empty_masks_do_not_count(maps):
    masks = np.zeros((2, 6, 6), bool)
    masks[0, 0, 0] = True  # one pixel of sky
    masks[1, 3:] = True  # eighteen of roof
    both = describe_content(maps, masks, BaseRates.of(maps))
    masks[1] = False
    one = describe_content(maps, masks, BaseRates.of(maps))

    assert both.grid[0] == pytest.approx(0.5 + 0.5 * 0 / 18)
    assert {name: fractions for name, fractions in both.part_colours.items() if name == "roof"}
    assert one.purity == 1.0


def test_all_masks_empty_is_refused(maps):
    with pytest.raises(ValueError, match="dead unit"):
        describe_content(maps, np.zeros((2, 6, 6), bool), BaseRates.of(maps))


def test_masks_of_another_size_are_refused(maps):
    with pytest.raises(ValueError, match="resize"):
        describe_content(maps, np.ones((2, 7, 7), bool), BaseRates.of(maps))


def test_no_scenes_are_refused():
    with pytest.raises(ValueError, match="paint at least one"):
        LabelMaps.from_scenes([])


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10**6))
def test_shares_and_ranking_match_counting_pixel_by_pixel(seed):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 40, size=3)
    maps = made_maps(40, 9).take(images)
    rates = BaseRates.of(made_maps(40, 9))
    masks = rng.random(maps.parts.shape) < 0.02

    content = describe_content(maps, masks, rates)

    shares: Counter[str] = Counter()
    for labels, mask in zip(maps.parts, masks, strict=True):
        inside = [PARTS[label] for label in labels[mask]]
        for name in inside:
            shares[name] += 1 / len(inside) / 3
    base = {name: float((made_maps(40, 9).parts == index).mean()) for index, name in enumerate(PARTS)}
    scores = {name: share * math.log2((share + 0.004) / (base[name] + 0.004)) for name, share in shares.items()}
    for found in content.parts:
        assert found.share == pytest.approx(shares[found.name], abs=1e-5)
        assert found.score == pytest.approx(scores[found.name], abs=1e-5)
    assert content.parts[0].score == pytest.approx(max(scores.values()), abs=1e-5)
    assert sum(content.grid) == pytest.approx(1.0, abs=1e-4)


def test_content_survives_json():
    for content in made_contents(12):
        assert UnitContent.from_dict(json.loads(json.dumps(content.to_dict()))) == content


def test_base_rates_are_shares_of_all_pixels():
    rates = BaseRates.of(made_maps())

    assert [rates.parts.sum(), rates.colours.sum(), rates.textures.sum()] == pytest.approx([1.0, 1.0, 1.0])
    assert len(rates.parts) == len(PARTS)


def test_borders_lie_where_the_left_or_upper_neighbour_differs():
    instances = np.array([[[0, 0, 1], [0, 2, 1]]], np.uint8)

    assert object_borders(instances).tolist() == [[[False, False, True], [False, True, True]]]


def test_lights_are_counted_over_exemplars(maps):
    content = describe_content(maps, np.ones((2, 6, 6), bool), BaseRates.of(maps))

    assert content.lights[0][0] in LIGHTS
    assert content.parts[0].share == pytest.approx(0.5)  # a full mask holds what the images hold


def test_labels_of_painted_scenes_are_the_painters_own_maps():
    scenes = [paint(seed) for seed in (3, 4, 5)]

    maps = LabelMaps.from_scenes(scenes)

    for index, scene in enumerate(scenes):
        assert (maps.parts[index] == scene.part_map()).all()
        assert (maps.colours[index] == scene.colour_map()).all()
        assert (maps.textures[index] == scene.texture_map()).all()
        assert LIGHTS[maps.lights[index]] == scene.light
        assert maps.places[index] == scene.place
