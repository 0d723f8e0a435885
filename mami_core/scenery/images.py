"""Painted scenes as a source of images, like a folder of photographs: nothing is stored, each is painted on demand."""

from __future__ import annotations

from functools import cached_property

from PIL import Image

from mami_core.inputs.source import sha256_of_names
from mami_core.scenery.parts import PLACES
from mami_core.scenery.world import PAINTER_VERSION, Scene, paint, place_of, scene_seed


class SceneryImages:
    """`count` scenes of the stream `seed`; an `inputs.ImageSource` whose labels are places."""

    simulated = True
    class_names = PLACES

    def __init__(self, count: int, seed: int = 0) -> None:
        if count < 1:
            raise ValueError(f"a source of scenes holds at least one, got {count}; try scenery:1000")
        if seed < 0:
            raise ValueError(f"the seed of a stream of scenes is 0 or more, got {seed}")
        self.count, self.seed = count, seed

    def __len__(self) -> int:
        return self.count

    @property
    def name(self) -> str:
        """What lists call this source, as it is typed on the command line."""
        return f"scenery:{self.count}:{self.seed}"

    @cached_property
    def names(self) -> tuple[str, ...]:
        """One name per image; it tells painter, stream and index."""
        return tuple(f"scenery-v{PAINTER_VERSION}-{self.seed}-{index:06d}" for index in range(self.count))

    @cached_property
    def labels(self) -> tuple[int, ...]:
        """One place per image, index into PLACES; known without painting."""
        return tuple(PLACES.index(place_of(scene_seed(self.seed, index))) for index in range(self.count))

    def scene(self, index: int) -> Scene:
        """Paint scene `index` with all that is known about it."""
        if not 0 <= index < self.count:
            raise IndexError(f"{self.name} holds scenes 0 to {self.count - 1}, asked for {index}")
        return paint(scene_seed(self.seed, index))

    def load(self, index: int) -> Image.Image:
        """Paint image `index` as RGB."""
        return Image.fromarray(self.scene(index).image)

    def fingerprint(self) -> str:
        """Give a sha256 over all names."""
        return sha256_of_names(self.names)
