"""A coarse world of bands and boxes with known labels, and units on it: enough for content, annotators and truth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from mami_core.scenery.content import BaseRates, LabelMaps, UnitContent, describe_content
from mami_core.scenery.parts import COLOURS, LIGHTS, PARTS, PLACES, TEXTURES

SIDE = 36
EXEMPLARS = 15


@dataclass(frozen=True)
class MadeScene:
    """The fields of a painted scene that content reads."""

    instances: np.ndarray
    objects: np.ndarray
    place: int
    light: str


def made_scene(rng: np.random.Generator) -> MadeScene:
    """Paint three bands and a dozen boxes; a place has its own parts, a part its own usual colour and texture."""
    place = int(rng.integers(len(PLACES)))
    own = np.random.default_rng([place, 77])
    parts = own.choice(len(PARTS), size=14, replace=False)
    instances = np.zeros((SIDE, SIDE), np.uint8)
    objects = []
    for index in range(16):
        part = int(parts[index] if index < 3 else rng.choice(parts))
        usual = part % len(COLOURS), (part // 3) % len(TEXTURES) if part % 3 else 0
        colour = usual[0] if rng.random() < 0.5 else int(rng.integers(len(COLOURS)))
        objects.append((part, colour, usual[1]))
        if index < 3:
            instances[index * SIDE // 3 :] = index
        else:
            top, left = rng.integers(0, SIDE - 6, size=2)
            height, width = rng.integers(3, 14, size=2)
            instances[top : top + height, left : left + width] = index
    light = "indoor" if place % 3 == 0 else str(rng.choice([name for name in LIGHTS if name != "indoor"]))
    return MadeScene(instances, np.array(objects, np.uint8), place, light)


@cache
def made_maps(count: int = 240, seed: int = 5) -> LabelMaps:
    """Return the labels of many scenes."""
    rng = np.random.default_rng(seed)
    return LabelMaps.from_scenes([made_scene(rng) for _ in range(count)])


@cache
def made_contents(count: int, seed: int = 6) -> tuple[UnitContent, ...]:
    """Return what units hold that fire on mixtures of parts, colours, textures and borders, blurred and noisy."""
    maps = made_maps()
    rates = BaseRates.of(maps)
    rng = np.random.default_rng(seed)
    return tuple(
        describe_content(maps.take(top), mask, rates) for top, mask in (_unit(maps, rng) for _ in range(count))
    )


def _unit(maps: LabelMaps, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    wanted = rng.random(len(PARTS)) < rng.uniform(0.02, 0.2)  # one to a fifth of all parts
    tuning = np.where(wanted, rng.uniform(0.7, 1.0, len(PARTS)), 0.0)
    activity = tuning[maps.parts] + rng.normal(0, 0.4, len(COLOURS))[maps.colours]
    activity += rng.normal(0, 0.3, len(TEXTURES))[maps.textures]
    if rng.random() < 0.2:
        activity += 1.5 * maps.borders
    for axis in (1, 2, 1, 2):
        activity = (activity + np.roll(activity, 1, axis) + np.roll(activity, -1, axis)) / 3
    activity += rng.normal(0, 0.3, activity.shape)
    top = np.argsort(-activity.max(axis=(1, 2)), kind="stable")[:EXEMPLARS]
    return top, activity[top] > np.quantile(activity, 0.985)
