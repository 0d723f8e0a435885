"""Images with a concept for every pixel: what NetDissect compares units with."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image
from torch import Tensor

from mami_core.inputs.folder import EXTENSIONS, read_image
from mami_core.inputs.preprocess import Preprocess, view_of

NOTHING = -1  # a pixel without a concept


class Segmented(Protocol):
    """Images of which every pixel has at most one concept of each category (objects, colours, …)."""

    @property
    def name(self) -> str:
        """Return what these images are called, with their segmentation."""
        ...

    @property
    def concepts(self) -> tuple[str, ...]:
        """Return the concepts' names, by number."""
        ...

    @property
    def categories(self) -> tuple[int, ...]:
        """Return for each concept which of an image's maps shows it."""
        ...

    def __len__(self) -> int: ...

    def load(self, index: int) -> Image.Image:
        """Return an image as RGB."""
        ...

    def labels(self, index: int) -> np.ndarray:
        """Return its maps, int32 (categories, H, W): a concept's number, or `NOTHING`."""
        ...


class SegmentationFolder:
    """A folder of class-index PNGs, each named as its image; COCO's panoptic maps, or anybody's own.

    The classes' names are a JSON mapping of index to name: `classes.json` in the folder, or `<folder>_classes.json`
    beside it. Index 0 is no class, and so is one that has no name.
    """

    def __init__(self, folder: Path, images: Path | None = None) -> None:
        """Pair maps with images in `images`, else the folder above. FileNotFoundError or ValueError if none fits."""
        places = (folder / "classes.json", folder.with_name(f"{folder.name}_classes.json"))
        found = next((place for place in places if place.is_file()), None)
        if found is None:
            raise FileNotFoundError(f"no class names: put a JSON of index and name at {places[0]} or {places[1]}")
        self.concepts, self._number = _classes(found)
        self.categories = (0,) * len(self.concepts)
        self.name = f"{folder.parent.name}/{folder.name}"
        at = images or folder.parent
        files = {path.stem: path for path in sorted(at.iterdir()) if path.suffix.lower() in EXTENSIONS}
        self._pairs = [(files[mask.stem], mask) for mask in sorted(folder.glob("*.png")) if mask.stem in files]
        if not self._pairs:
            raise ValueError(f"no image in {at} is named like a PNG in {folder}; name their folder with --images")

    def __len__(self) -> int:
        return len(self._pairs)

    def load(self, index: int) -> Image.Image:
        """Return an image as RGB."""
        return read_image(self._pairs[index][0])

    def labels(self, index: int) -> np.ndarray:
        """Return its map, int32 (1, H, W). ValueError where it is no class-index PNG, or of another size."""
        path = self._pairs[index][1]
        with Image.open(path) as opened:
            if opened.mode not in ("L", "P", "I;16", "I"):
                raise ValueError(f"{path} is a {opened.mode} image; a map holds one class index a pixel")
            indices = np.asarray(opened).astype(np.int64)  # (H, W)
        known = np.where(indices < len(self._number), indices, 0)
        return self._number[known][None].astype(np.int32)


def _classes(path: Path) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the concepts' names, and the concept of each class index (`NOTHING` where it has no name)."""
    try:
        named = {int(index): str(name) for index, name in json.loads(path.read_text(encoding="utf-8")).items()}
    except (ValueError, AttributeError):
        raise ValueError(f'{path} is no JSON mapping of class index and name, like {{"1": "person"}}') from None
    named.pop(0, None)
    concepts = tuple(dict.fromkeys(named.values()))  # two indices may share a name
    numbers = np.full(max(named, default=0) + 1, NOTHING)
    for index, name in named.items():
        numbers[index] = concepts.index(name)
    return concepts, numbers


def labels_in_view(preprocess: Callable[[Image.Image], Tensor], image: Image.Image, labels: np.ndarray) -> np.ndarray:
    """Return maps (M, H, W) of an image cut and scaled as the network sees it, by nearest neighbour.

    A map of another size than its image is brought to it first.
    """
    return np.stack([_in_view(preprocess, image, plane) for plane in labels])


def _in_view(preprocess: Callable[[Image.Image], Tensor], image: Image.Image, plane: np.ndarray) -> np.ndarray:
    shifted = (plane + 1).astype(np.uint32)  # (H, W): 0 is no concept, as what a crop pads with
    packed = np.stack([shifted >> 16, shifted >> 8, shifted], -1).astype(np.uint8)  # three bytes, as a picture
    picture = Image.fromarray(packed).resize(image.size, Image.Resampling.NEAREST)
    if isinstance(preprocess, Preprocess):
        seen = replace(preprocess, interpolation="nearest").view(picture)
    else:
        seen = picture.resize(view_of(preprocess, image).size, Image.Resampling.NEAREST)
    high, middle, low = np.asarray(seen).astype(np.int32).transpose(2, 0, 1)
    return (high << 16 | middle << 8 | low) - 1
