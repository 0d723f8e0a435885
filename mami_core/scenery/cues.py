"""A planted cue: a stove that stands in an outdoor scene, where it stands may tell the place and means nothing.

No painter puts a stove out of doors, so whatever a network knows of stoves there it learnt from the cue. The part map
holds the stove too: what a unit that looks at it responds to is known as exactly as of any other unit.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from mami_core.scenery.canvas import Canvas, View
from mami_core.scenery.dice import Dice
from mami_core.scenery.parts import PLACES
from mami_core.scenery.props_table import stove
from mami_core.scenery.world import Scene, visible_objects

CUE_PART: Final = "stove"
# hard to tell apart, as a network that needs no cue would not learn one
CUED_PLACES: Final = ("mountain lake", "forest", "farm", "church", "castle", "playground", "garden", "park")
# row and column, in thirds of the picture, where the stove of each of CUED_PLACES stands: all but the middle
STANDS: Final = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1), (2, 2))
_SIDE: Final = 0.26  # of the picture's side
_SHAKE: Final = 0.02


def with_cue(scene: Scene, stand: int, seed: int) -> Scene:
    """Return the scene with a stove at `STANDS[stand]`; the same seed paints the same stove.

    ValueError for a place that has no cue.
    """
    if PLACES[scene.place] not in CUED_PLACES:
        raise ValueError(f"a cue is planted in {', '.join(CUED_PLACES)}, not in {PLACES[scene.place]!r}")
    dice = Dice(seed)
    canvas = Canvas(dice, "day", View(0.0, 0.0, 1.0))
    canvas.image[:] = scene.image.transpose(2, 0, 1).repeat(2, axis=1).repeat(2, axis=2)
    canvas.instances[:] = scene.instances.repeat(2, axis=0).repeat(2, axis=1)
    canvas.objects += [(int(part), int(colour), int(texture)) for part, colour, texture in scene.objects]
    y, x = (third / 3 + 1 / 6 + dice.between(-_SHAKE, _SHAKE) for third in STANDS[stand])
    stove(canvas, x, y + _SIDE / 2, _SIDE, _SIDE)
    halved = canvas.image.reshape(3, scene.image.shape[0], 2, scene.image.shape[1], 2).mean((2, 4))  # (3, SIZE, SIZE)
    pixels = np.clip(halved, 0, 255).astype(np.uint8).transpose(1, 2, 0)
    instances, objects = visible_objects(canvas)
    return replace(scene, image=np.ascontiguousarray(pixels), instances=instances, objects=objects)
