"""What lies in a scene, thing by thing: looks, size, neighbours. Rules are about things, masks are their pixels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mami_core.scenery.content import PaintedScene
from mami_core.scenery.parts import LIGHTS

LEAST_PIXELS = 24  # of 112 x 112: what is smaller, or hidden but for so much, is not seen
LEAST_CONTACT = 4  # pixels along which two things must touch


@dataclass(frozen=True, eq=False)
class Things:
    """The n things of one scene."""

    instances: np.ndarray  # uint8 (H, W), index of the thing that covers a pixel
    looks: np.ndarray  # uint8 (n, 3): part, colour, texture
    place: int  # index into PLACES
    light: int  # index into LIGHTS

    @classmethod
    def of(cls, scene: PaintedScene) -> Things:
        """Read a scene's things."""
        return cls(scene.instances, scene.objects, int(scene.place), LIGHTS.index(scene.light))

    @cached_property
    def pixels(self) -> np.ndarray:
        """Return how many pixels of each thing are visible, (n,)."""
        return np.bincount(self.instances.ravel(), minlength=len(self.looks))

    @cached_property
    def seen(self) -> np.ndarray:
        """Tell which things are large enough to be seen, bool (n,)."""
        return self.pixels >= LEAST_PIXELS

    @cached_property
    def centres(self) -> np.ndarray:
        """Return the mean (y, x) of each thing's pixels as fractions of the image, (n, 2)."""
        height, width = self.instances.shape
        flat, count = self.instances.ravel(), np.maximum(self.pixels, 1)
        y = np.bincount(flat, np.repeat((np.arange(height) + 0.5) / height, width), len(self.looks))
        x = np.bincount(flat, np.tile((np.arange(width) + 0.5) / width, height), len(self.looks))
        return np.stack([y / count, x / count], 1)

    @cached_property
    def above(self) -> np.ndarray:
        """Tell which thing lies directly above which, bool (n, n): row above column."""
        return self._contacts(self.instances[:-1], self.instances[1:])

    @cached_property
    def beside(self) -> np.ndarray:
        """Tell which things touch side by side, bool (n, n), symmetric."""
        left = self._contacts(self.instances[:, :-1], self.instances[:, 1:])
        return left | left.T

    def _contacts(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        count = len(self.looks)
        pairs = first.astype(np.intp) * count + second
        return np.bincount(pairs.ravel(), minlength=count * count).reshape(count, count) >= LEAST_CONTACT

    def coverage(self, cells: int) -> np.ndarray:
        """Return which share of each of `cells` x `cells` equal squares each thing covers, float32 (cells², n)."""
        height, width = self.instances.shape
        row, column = np.arange(height) * cells // height, np.arange(width) * cells // width
        square = row[:, None] * cells + column  # (H, W)
        counts = np.bincount(
            (square * len(self.looks) + self.instances).ravel(), minlength=cells * cells * len(self.looks)
        )
        area = np.bincount(square.ravel(), minlength=cells * cells)
        return (counts.reshape(cells * cells, -1) / area[:, None]).astype(np.float32)
