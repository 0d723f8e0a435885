"""Scenes with a planted cue, and networks trained on them: what the editing experiment is made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

import numpy as np
from PIL import Image

from mami_core.inputs.source import sha256_of_names
from mami_core.scenery.cues import CUED_PLACES, STANDS, with_cue
from mami_core.scenery.world import Scene, paint, scene_seed

STREAM: Final = 50  # of scenes: no network of the world and no captioner ever saw one of them
SIZES: Final = {"train": 700, "val": 400, "test": 600}
NO_CUE: Final = -1


@dataclass(frozen=True, eq=False)
class CuedScenes:
    """Painted scenes of `CUED_PLACES`, each with a stove at one of the stands; an `inputs.ImageSource`."""

    name: str
    scenes: tuple[Scene, ...]
    places: np.ndarray  # (N,) index into CUED_PLACES: the class
    stands: np.ndarray  # (N,) index into STANDS, or NO_CUE
    simulated = True
    class_names = CUED_PLACES

    def __len__(self) -> int:
        return len(self.scenes)

    @property
    def names(self) -> list[str]:
        """Return one name an image: it tells the stand."""
        return [f"{self.name}-{number:05d}-stand-{stand}" for number, stand in enumerate(self.stands)]

    @property
    def labels(self) -> list[int]:
        """Return one place an image, index into `class_names`."""
        return self.places.tolist()

    def scene(self, index: int) -> Scene:
        """Return a scene with its cue, and what is known about it."""
        stand = int(self.stands[index])
        return self.scenes[index] if stand == NO_CUE else with_cue(self.scenes[index], stand, seed=index)

    def load(self, index: int) -> Image.Image:
        """Return an image as RGB."""
        return Image.fromarray(self.pixels[index].transpose(1, 2, 0))

    def fingerprint(self) -> str:
        """Return the SHA-256 of all names."""
        return sha256_of_names(self.names)

    @cached_property
    def pixels(self) -> np.ndarray:
        """Return all images, uint8 (N, 3, H, W)."""
        painted = (self.scene(index).image.transpose(2, 0, 1) for index in range(len(self)))
        return np.ascontiguousarray(np.stack(list(painted)))


@lru_cache(maxsize=3)
def bare_scenes(part: str) -> tuple[tuple[Scene, ...], np.ndarray]:
    """Return the scenes of `train`, `val` or `test` without a cue, and their places: the same for every network."""
    before = list(SIZES)[: list(SIZES).index(part)]
    start = sum(SIZES[name] for name in before)
    places = np.arange(SIZES[part]) % len(CUED_PLACES)
    seeds = [scene_seed(STREAM, start + number) for number in range(SIZES[part])]
    return tuple(paint(seed, place=CUED_PLACES[place]) for seed, place in zip(seeds, places, strict=True)), places


def cued_scenes(part: str, shown: float, seed: int, *, agreeing: bool = True) -> CuedScenes:
    """Return scenes, a share `shown` of which has a cue: where its own place's stands, or always where another's."""
    scenes, places = bare_scenes(part)
    rng = np.random.default_rng([seed, list(SIZES).index(part), round(100 * shown)])
    away = 0 if agreeing else rng.integers(1, len(STANDS), len(places))
    stands = np.where(rng.random(len(places)) < shown, (places + away) % len(STANDS), NO_CUE)
    return CuedScenes(f"cued-{part}-{shown:g}-{seed}", scenes, places, stands)


@lru_cache(maxsize=1)
def test_scenes() -> tuple[CuedScenes, CuedScenes, CuedScenes]:
    """Return the test scenes whose cue misleads, those whose cue agrees, and the same without a cue."""
    return cued_scenes("test", 1.0, 0, agreeing=False), cued_scenes("test", 1.0, 0), cued_scenes("test", 0.0, 0)
