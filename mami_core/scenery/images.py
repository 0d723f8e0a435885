"""Painted scenes as a source of images, like a folder of photographs: nothing is stored, each is painted on demand."""

from __future__ import annotations

from functools import cached_property

from PIL import Image

from mami_core.inputs.source import sha256_of_names
from mami_core.scenery.parts import PLACES
from mami_core.scenery.world import PAINTER_VERSION, Scene, paint, place_of, scene_seed


class SceneryImages:
    """`count` scenes of the stream `seed`; an `inputs.ImageSource` whose labels are places.

    They are scenes `start` to `start + count - 1` of the stream: sources that share a stream but no number are
    disjoint. With `remember` a painted scene stays in memory (50 KB each) for whoever asks again.
    """

    simulated = True
    class_names = PLACES

    def __init__(self, count: int, seed: int = 0, *, start: int = 0, remember: bool = False) -> None:
        if count < 1:
            raise ValueError(f"a source of scenes holds at least one, got {count}; try scenery:1000")
        if seed < 0:
            raise ValueError(f"the seed of a stream of scenes is 0 or more, got {seed}")
        self.count, self.seed, self.start = count, seed, start
        self._kept: dict[int, Scene] | None = {} if remember else None

    def __len__(self) -> int:
        return self.count

    @property
    def name(self) -> str:
        """What lists call this source, as it is typed on the command line where it starts at the stream's start."""
        return f"scenery:{self.count}:{self.seed}" + (f":from-{self.start}" if self.start else "")

    @cached_property
    def names(self) -> tuple[str, ...]:
        """One name per image; it tells painter, stream and index."""
        return tuple(f"scenery-v{PAINTER_VERSION}-{self.seed}-{index:06d}" for index in self._numbers)

    @cached_property
    def labels(self) -> tuple[int, ...]:
        """One place per image, index into PLACES; known without painting."""
        return tuple(PLACES.index(place_of(scene_seed(self.seed, index))) for index in self._numbers)

    @property
    def _numbers(self) -> range:
        return range(self.start, self.start + self.count)

    def part(self, start: int, stop: int) -> SceneryImages:
        """Return images `start` to `stop` - 1 as a source of their own; it shares what this one remembers."""
        piece = SceneryImages(stop - start, self.seed, start=self.start + start)
        piece._kept = self._kept
        return piece

    def scene(self, index: int) -> Scene:
        """Paint scene `index` with all that is known about it."""
        if not 0 <= index < self.count:
            raise IndexError(f"{self.name} holds scenes 0 to {self.count - 1}, asked for {index}")
        number = self._numbers[index]
        if self._kept is None:
            return paint(scene_seed(self.seed, number))
        if number not in self._kept:
            self._kept[number] = paint(scene_seed(self.seed, number))
        return self._kept[number]

    def load(self, index: int) -> Image.Image:
        """Paint image `index` as RGB."""
        return Image.fromarray(self.scene(index).image)

    def fingerprint(self) -> str:
        """Give a sha256 over all names."""
        return sha256_of_names(self.names)
