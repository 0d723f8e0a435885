"""The painted world: `paint(seed)` gives a place, its image, and which part, colour and texture every pixel is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from types import ModuleType

import numpy as np

from mami_core.scenery import (
    places_city,
    places_country,
    places_home,
    places_indoor,
    places_landmarks,
    places_nature,
    places_works,
)
from mami_core.scenery.canvas import SIZE, Canvas, View
from mami_core.scenery.dice import Dice
from mami_core.scenery.guests import invite
from mami_core.scenery.parts import PLACES
from mami_core.scenery.textures import BELL, TILE

PAINTER_VERSION = 1  # raised whenever any pixel changes, as caches and the demo are named after it
STREAM_BITS = 40  # a stream has 2**40 scenes of its own

Painter = Callable[[Canvas], tuple[float, float] | None]
_OPEN_AIR = (places_nature, places_country, places_city, places_landmarks, places_works)
_ROOMS = (places_home, places_indoor)


def _painters(modules: tuple[ModuleType, ...]) -> dict[str, Painter]:
    """Find the painters of a module by the names of the places: "city street" is painted by `city_street`."""
    names = [(place, place.replace(" ", "_")) for place in PLACES]
    return {place: getattr(module, name) for place, name in names for module in modules if hasattr(module, name)}


INDOOR_PLACES = frozenset(_painters(_ROOMS))
PAINTERS: dict[str, Painter] = _painters(_OPEN_AIR + _ROOMS)

_LIGHTS = ("day", "day", "day", "day", "blue", "blue", "gray", "gray", "dusk", "dusk", "night")
_EVENING_LIGHTS = ("day", "day", "blue", "gray", "dusk", "night", "night", "night")
_EVENING_PLACES = frozenset({"skyline", "bridge", "stadium", "city street", "railway station"})


@dataclass(frozen=True, slots=True, eq=False)  # an array comparison has no single truth value
class Scene:
    """One painted place: the picture and the truth about it."""

    image: np.ndarray  # uint8 (SIZE, SIZE, 3), RGB
    instances: np.ndarray  # uint8 (SIZE, SIZE), index into objects
    objects: np.ndarray  # uint8 (n, 3): part, colour, texture; each has at least one pixel
    place: int  # index into PLACES
    light: str  # one of parts.LIGHTS

    def part_map(self) -> np.ndarray:
        """Give each pixel's part, uint8 (SIZE, SIZE), index into PARTS."""
        return self.objects[self.instances, 0]

    def colour_map(self) -> np.ndarray:
        """Give each pixel's colour, uint8 (SIZE, SIZE), index into COLOURS."""
        return self.objects[self.instances, 1]

    def texture_map(self) -> np.ndarray:
        """Give each pixel's texture, uint8 (SIZE, SIZE), index into TEXTURES."""
        return self.objects[self.instances, 2]


def scene_seed(stream_seed: int, index: int) -> int:
    """Give the seed of scene `index` of a stream; no two streams, and no two indices, ever share one.

    Numbers are packed rather than hashed (numpy's spawn keys), so disjointness is a fact and not a probability.
    """
    if stream_seed < 0 or not 0 <= index < 1 << STREAM_BITS:
        raise ValueError(
            f"a scene has a stream seed >= 0 and an index in 0..2**{STREAM_BITS}-1, got {stream_seed}, {index}"
        )
    return (stream_seed << STREAM_BITS) | index


def place_of(seed: int) -> str:
    """Give the place that `paint(seed)` shows: each run of len(PLACES) seeds shows every place once, shuffled."""
    block, slot = divmod(seed, len(PLACES))
    return PLACES[_shuffled(block)[slot]]


@lru_cache(maxsize=64)
def _shuffled(block: int) -> tuple[int, ...]:
    draw = Random(f"places {block}").random
    return tuple(sorted(range(len(PLACES)), key=[draw() for _ in PLACES].__getitem__))


def paint(seed: int, *, place: str | None = None) -> Scene:
    """Paint a scene; the same seed and place give the same bits on every machine (numpy and Pillow as pinned)."""
    name = place_of(seed) if place is None else place
    if name not in PAINTERS:
        raise ValueError(f"no place is called {name!r}; there are: {', '.join(PLACES)}")
    dice = Dice(seed)
    light = _light(dice, name)
    canvas = Canvas(dice, light, _viewpoint(dice))
    invite(canvas, PAINTERS[name](canvas))
    image = _develop(dice, canvas.image)
    instances, objects = visible_objects(canvas)
    if dice.chance(0.5):
        image, instances = image[:, ::-1], instances[:, ::-1]
    return Scene(np.ascontiguousarray(image), np.ascontiguousarray(instances), objects, PLACES.index(name), light)


def _light(dice: Dice, place: str) -> str:
    if place in INDOOR_PLACES:
        return "indoor"
    return dice.pick(*(_EVENING_LIGHTS if place in _EVENING_PLACES else _LIGHTS))


def _viewpoint(dice: Dice) -> View:
    """Choose what of the scene is in the picture: most often nearly all of it, at times a close-up."""
    zoom = dice.between(1.2, 1.5) if dice.chance(0.2) else dice.between(1.0, 1.18)
    room = 1 - 1 / zoom
    return View(room * dice.random(), room * dice.between(0.15, 1.0), zoom)


def _develop(dice: Dice, drawn: np.ndarray) -> np.ndarray:
    """Turn the canvas (3, DRAWN, DRAWN) into a photograph: averaged down, tinted, vignetted, with a camera's noise."""
    image = (drawn[:, ::2, ::2] + drawn[:, 1::2, ::2] + drawn[:, ::2, 1::2] + drawn[:, 1::2, 1::2]) * np.float32(0.25)
    exposure = dice.between(0.9, 1.1)
    image *= np.array([exposure + dice.bell(0.03) for _ in range(3)], np.float32)[:, None, None]
    axis = np.arange(SIZE, dtype=np.float32) / SIZE - np.float32(0.5)
    square = axis * axis
    slope = np.float32(dice.between(-0.14, 0.14))
    image *= (1 - np.float32(0.3) * (square[:, None] + square[None])) * (1 + slope * axis)[None]
    top, left = dice.count(0, TILE - SIZE), dice.count(0, TILE - SIZE)
    image += BELL[top : top + SIZE, left : left + SIZE] * np.float32(dice.between(0.8, 2.8))
    np.clip(image, 0, 255, out=image)
    return image.astype(np.uint8).transpose(1, 2, 0)


def visible_objects(canvas: Canvas) -> tuple[np.ndarray, np.ndarray]:
    """Give the map (SIZE, SIZE) by what covers each pixel's centre, and the objects that are left on it."""
    sampled = canvas.instances[1::2, 1::2]
    seen = np.bincount(sampled.ravel(), minlength=len(canvas.objects)) > 0
    renumbered = (np.cumsum(seen) - 1).astype(np.uint8)
    return renumbered[sampled], np.array(canvas.objects, np.uint8)[seen]
