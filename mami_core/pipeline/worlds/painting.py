"""How many scenes the embedded world has, and which: streams of scenes that never share one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from mami_core.scenery.images import SceneryImages
from mami_core.training.painted import Painted, paint_many

TRAINING_IMAGES, HELD_OUT_IMAGES, PROBE_IMAGES = 5400, 400, 2000
STREAMS = {"train": 1, "held-out": 2, "probe": 3, "halves": 4}  # of seeds: no two streams share a scene


@dataclass(frozen=True)
class World:
    """How much of everything there is, and from which seed."""

    seed: int
    scale: float

    def count(self, images: int) -> int:
        """Return how many images to paint where the full world has `images`."""
        return max(60, round(images * self.scale))

    def stream(self, name: str) -> int:
        """Return the seed of one stream of scenes."""
        return 1000 * self.seed + STREAMS[name]

    @cached_property
    def training(self) -> Painted:
        """Paint what networks are trained on."""
        return self._painted("train", TRAINING_IMAGES)

    @cached_property
    def held_out(self) -> Painted:
        """Paint what they are checked on."""
        return self._painted("held-out", HELD_OUT_IMAGES)

    @cached_property
    def probe(self) -> SceneryImages:
        """Return the scenes that the demo's networks are dissected over; none of them was trained on."""
        return SceneryImages(self.count(PROBE_IMAGES), self.stream("probe"))

    @cached_property
    def halves(self) -> SceneryImages:
        """Return twice as many scenes: units of the training split show the first half, all others the second."""
        return SceneryImages(2 * self.count(PROBE_IMAGES), self.stream("halves"), remember=True)

    def _painted(self, name: str, images: int) -> Painted:
        return paint_many(self.count(images), self.stream(name))
