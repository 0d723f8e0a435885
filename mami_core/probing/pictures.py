"""What a dissected image shows, by its id: painted scenes exactly, other images by their class and name."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from PIL import Image

from mami_core.inputs import ImageSource
from mami_core.scenery.images import SceneryImages
from mami_core.scenery.parts import PARTS
from mami_core.store import Dissection

_PREFIX: Final = "scenery:"


def scenery_of(dissection: Dissection) -> SceneryImages | None:
    """Return the painted scenes a dissection was made over; None for other images.

    ValueError where this version paints other scenes than those that were dissected.
    """
    spec = dissection.manifest.dataset
    if not spec.startswith(_PREFIX):
        return None
    count, _, seed = spec.removeprefix(_PREFIX).partition(":")
    if not count.isdecimal() or not (seed or "0").isdecimal():
        return None
    scenes = SceneryImages(int(count), int(seed or 0))
    if scenes.fingerprint() != dissection.manifest.image_ids_sha256:
        raise ValueError(f"{dissection.name}: {spec} was painted by another version of the painter; dissect it again")
    return scenes


def picture(dissection: Dissection, image: int, source: ImageSource | None = None) -> Image.Image:
    """Return a dissected image: as stored, painted again, or from its source. KeyError where there is no way to it."""
    if dissection.images.holds(image):
        return dissection.images.image(image)
    found = source or scenery_of(dissection)
    if found is None or not 0 <= image < len(found):
        raise KeyError(f"image {image} of {dissection.name} is not kept and its source is not at hand")
    return found.load(image)


@lru_cache(maxsize=65536)
def parts_shown(seed: int, index: int) -> bytes:
    """Return how much of scene `index` of the stream `seed` each part covers, float32 (PARTS,) as bytes.

    Exact, from the painted part map; about 6 ms the first time.
    """
    scene = SceneryImages(index + 1, seed).scene(index)
    share = np.bincount(scene.part_map().ravel(), minlength=len(PARTS)) / scene.instances.size
    return share.astype(np.float32).tobytes()


def part_shares(scenes: SceneryImages, index: int) -> np.ndarray:
    """Return how much of a scene each part covers, float32 (PARTS,), sums to 1."""
    return np.frombuffer(parts_shown(scenes.seed, index), dtype=np.float32)
