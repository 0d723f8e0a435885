"""From a picture to what a network is fed: resize, crop, scale. The cropped view is also the thumbnail that is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
_FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


@dataclass(frozen=True)
class Preprocess:
    """Resize, centre crop, divide by 255, subtract the mean, divide by the deviation.

    `resize` is the shorter side, or (height, width) to squash to exactly that; `crop` is a square's side or
    (height, width). None skips a step. The arithmetic is torchvision's on Pillow images, to the last bit.
    """

    resize: int | tuple[int, int] | None = 256
    crop: int | tuple[int, int] | None = 224
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    interpolation: str = "bilinear"

    def __post_init__(self) -> None:
        if self.interpolation not in _FILTERS:
            raise ValueError(f"no interpolation {self.interpolation!r}; known: {', '.join(_FILTERS)}")
        if len(self.mean) != 3 or len(self.std) != 3 or 0 in self.std:
            raise ValueError(f"mean and std need three numbers each, std none of them 0; got {self.mean}, {self.std}")

    def view(self, image: Image.Image) -> Image.Image:
        """Return the part of an image that the network sees, as RGB pixels at the network's own size."""
        image = image if image.mode == "RGB" else image.convert("RGB")
        if self.resize is not None:
            image = image.resize(_resized(image.size, self.resize), _FILTERS[self.interpolation])
        return image if self.crop is None else _centre_crop(image, self.crop)

    def tensor(self, view: Image.Image) -> Tensor:
        """Return a view as a normalised float32 tensor (3, H, W)."""
        pixels = torch.from_numpy(np.array(view)).permute(2, 0, 1).contiguous()  # (3, H, W) uint8
        mean, std = torch.tensor(self.mean).view(3, 1, 1), torch.tensor(self.std).view(3, 1, 1)
        return (pixels.float() / 255 - mean) / std  # (3, H, W)

    def __call__(self, image: Image.Image) -> Tensor:
        """Return what the network is fed for an image: float32 (3, H, W)."""
        return self.tensor(self.view(image))


def view_of(preprocess: Callable[[Image.Image], Tensor], image: Image.Image) -> Image.Image:
    """Return the part of an image that a network behind `preprocess` sees.

    A foreign callable does not tell its crop: it is assumed to squash the whole image to its tensor's size.
    """
    view: Any = getattr(preprocess, "view", None)
    if view is not None:
        return view(image)
    height, width = preprocess(image).shape[-2:]
    return image.convert("RGB").resize((width, height), Image.Resampling.BILINEAR)


def _resized(size: tuple[int, int], target: int | tuple[int, int]) -> tuple[int, int]:
    """Return (width, height): the shorter side becomes `target`, the longer is rounded down as torchvision does."""
    if not isinstance(target, int):
        return target[1], target[0]
    width, height = size
    if width <= height:
        return target, int(target * height / width)
    return int(target * width / height), target


def _centre_crop(image: Image.Image, target: int | tuple[int, int]) -> Image.Image:
    """Return the centre of an image; where the image is smaller, black fills the rest, as torchvision does."""
    height, width = (target, target) if isinstance(target, int) else target
    if image.width < width or image.height < height:
        padded = Image.new("RGB", (max(width, image.width), max(height, image.height)))
        padded.paste(image, ((padded.width - image.width) // 2, (padded.height - image.height) // 2))
        image = padded
    left, top = round((image.width - width) / 2.0), round((image.height - height) / 2.0)
    return image.crop((left, top, left + width, top + height))
