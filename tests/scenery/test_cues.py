"""A planted stove is where it should be, in the picture and in the map, and nothing else has changed."""

from __future__ import annotations

import numpy as np
import pytest

from mami_core.scenery.cues import CUE_PART, CUED_PLACES, STANDS, with_cue
from mami_core.scenery.parts import PARTS
from mami_core.scenery.world import paint, scene_seed

STOVE = PARTS.index(CUE_PART)


def third(stand: int) -> tuple[slice, slice]:
    """The third of the picture in which a stand lies."""
    return tuple(slice(round(112 * at / 3), round(112 * (at + 1) / 3)) for at in STANDS[stand])


@pytest.mark.parametrize("stand", range(len(STANDS)))
def test_the_stove_stands_in_its_third_and_everything_else_is_as_it_was(stand):
    scene = paint(scene_seed(50, stand), place=CUED_PLACES[stand])
    cued = with_cue(scene, stand, seed=stand)
    stove = cued.part_map() == STOVE
    assert stove[third(stand)].sum() > 0.8 * stove.sum() > 300
    assert (cued.image[~stove] == scene.image[~stove]).mean() > 0.97  # its edge is blended into its neighbours
    assert (cued.part_map()[~stove] == scene.part_map()[~stove]).all()


def test_the_same_seed_paints_the_same_stove_and_another_one_another():
    scene = paint(scene_seed(50, 1), place="forest")
    assert np.array_equal(with_cue(scene, 3, seed=7).image, with_cue(scene, 3, seed=7).image)
    assert not np.array_equal(with_cue(scene, 3, seed=7).image, with_cue(scene, 3, seed=8).image)


def test_no_cued_place_ever_has_a_stove_of_its_own():
    for number, place in enumerate(CUED_PLACES):
        for index in range(3):
            assert STOVE not in paint(scene_seed(51, 10 * number + index), place=place).part_map()


def test_a_place_that_may_have_a_stove_is_refused():
    with pytest.raises(ValueError, match=r"a cue is planted in mountain lake, .*, not in 'kitchen'"):
        with_cue(paint(scene_seed(50, 0), place="kitchen"), 0, seed=0)
