"""Layouts of painted scenes: what the generator is fed. The truth about a generated image is its layout's scene."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mami_core.inputs.source import sha256_of_names
from mami_core.scenery.images import SceneryImages
from mami_core.scenery.networks import to_layout
from mami_core.scenery.parts import PLACES

_EVERY_SECOND = slice(1, None, 2)  # pixels whose part counts: the generator was trained on label maps of half size


class Layouts:
    """The layouts of some scenes, an `inputs.FeedsNetwork`; image i of the generator is made of layout i."""

    simulated = True
    class_names = PLACES

    def __init__(self, scenes: SceneryImages) -> None:
        self.scenes = scenes

    def __len__(self) -> int:
        return len(self.scenes)

    @property
    def name(self) -> str:
        """What lists call this source."""
        return self.scenes.name.replace("scenery", "layouts", 1)

    @property
    def names(self) -> Sequence[str]:
        """One name per layout: its scene's."""
        return [f"layout-{name}" for name in self.scenes.names]

    @property
    def labels(self) -> Sequence[int]:
        """One place per layout, index into PLACES."""
        return self.scenes.labels

    def inputs(self, index: int) -> Tensor:
        """Return a layout, float (parts + 3, 28, 28)."""
        scene = self.scenes.scene(index)
        parts = np.ascontiguousarray(scene.part_map()[_EVERY_SECOND, _EVERY_SECOND])
        pixels = torch.from_numpy(scene.image.transpose(2, 0, 1).copy())
        return to_layout(torch.from_numpy(parts)[None], pixels[None])[0]

    def load(self, index: int) -> Image.Image:
        """Paint the scene that a layout was taken from; the generator's own image is a likeness of it."""
        return self.scenes.load(index)

    def fingerprint(self) -> str:
        """Give a sha256 over all names."""
        return sha256_of_names(self.names)
