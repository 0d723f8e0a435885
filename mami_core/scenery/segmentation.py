"""Painted scenes with the part, colour and texture of every pixel: exact segmentations for NetDissect."""

from __future__ import annotations

import numpy as np
from PIL import Image

from mami_core.scenery.images import SceneryImages
from mami_core.scenery.parts import COLOURS, PARTS, TEXTURES


class SegmentedScenery:
    """The scenes of a source as `inputs.segmentation.Segmented`; three categories: part, colour, texture."""

    concepts = (*PARTS, *COLOURS, *TEXTURES)
    categories = (0,) * len(PARTS) + (1,) * len(COLOURS) + (2,) * len(TEXTURES)

    def __init__(self, scenes: SceneryImages) -> None:
        self.scenes = scenes
        self.name = scenes.name

    def __len__(self) -> int:
        return len(self.scenes)

    def load(self, index: int) -> Image.Image:
        """Paint an image as RGB."""
        return self.scenes.load(index)

    def labels(self, index: int) -> np.ndarray:
        """Return its maps of parts, colours and textures, int32 (3, H, W)."""
        scene = self.scenes.scene(index)
        planes = (scene.part_map(), scene.colour_map(), scene.texture_map())
        starts = (0, len(PARTS), len(PARTS) + len(COLOURS))
        return np.stack([plane.astype(np.int32) + start for plane, start in zip(planes, starts, strict=True)])
