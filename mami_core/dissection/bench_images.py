"""Images to measure with: smooth random ones, ready as inputs, decoded from memory each time, or as JPEG files."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mami_core.inputs import sha256_of_names, to_rgb
from mami_core.store import encode_image

_DISTINCT = 16  # encoded images that a decoding run repeats
_PHOTO = (500, 375)  # pixels of a usual photograph of ImageNet


class BenchImages:
    """Smooth random images, decoded from WebP in memory each time."""

    simulated = True
    labels = None

    def __init__(self, count: int, size: int) -> None:
        self.name = f"random-{count}"
        self.names: Sequence[str] = [f"random-{number}" for number in range(count)]
        self._encoded = [encode_image(_smooth(number, (size * 9 // 7, size * 8 // 7))) for number in range(_DISTINCT)]

    def __len__(self) -> int:
        return len(self.names)

    def load(self, index: int) -> Image.Image:
        """Return one image."""
        return to_rgb(Image.open(io.BytesIO(self._encoded[index % _DISTINCT])))

    def fingerprint(self) -> str:
        """Return the SHA-256 of the names."""
        return sha256_of_names(self.names)


class ReadyImages(BenchImages):
    """The same, as the network's input: no decoding, no preprocessing."""

    def __init__(self, count: int, size: int) -> None:
        super().__init__(count, size)
        self._size = size

    def inputs(self, index: int) -> Tensor:
        """Return one input (3, H, W)."""
        generator = torch.Generator().manual_seed(index)
        coarse = torch.randn(1, 3, self._size // 8, self._size // 8, generator=generator)
        return torch.nn.functional.interpolate(coarse, (self._size, self._size), mode="bilinear")[0]


def write_jpegs(folder: Path, count: int) -> None:
    """Write `count` JPEG files of a usual photograph's size and number of bytes (about 100 KB)."""
    folder.mkdir(parents=True)
    for number in range(count):
        pixels = np.asarray(_smooth(number, _PHOTO), dtype=np.int16)  # (h, w, 3)
        grain = np.random.default_rng(number).integers(-12, 13, pixels.shape[:2], dtype=np.int16)[:, :, None]
        photo = Image.fromarray((pixels + grain).clip(0, 255).astype(np.uint8))
        photo.save(folder / f"{number:04d}.jpg", quality=90)


def _smooth(number: int, size: tuple[int, int]) -> Image.Image:
    """Return a random image of size (width, height) in which neighbours resemble each other."""
    coarse = np.random.default_rng(number).integers(0, 256, (size[1] // 8, size[0] // 8, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
