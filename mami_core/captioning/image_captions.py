"""Say what a whole image shows: Show, Attend and Tell's use of a captioner, and of every captioner of images here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from PIL import Image

from mami_core.captioning.captioner import Captioner
from mami_core.captioning.image_encoder import ImageEncoder
from mami_core.records import Caption


@dataclass(frozen=True, eq=False)
class ImageCaptioner:
    """A captioner of images with the encoder that it learnt with."""

    captioner: Captioner
    encoder: ImageEncoder

    @property
    def attends(self) -> bool:
        """Whether it reads an image's regions; without attention it reads their mean."""
        return bool(self.captioner.checkpoint.decoder.config.heads)


def caption_image(captioner: ImageCaptioner, image: Image.Image) -> Caption:
    """Return what a captioner says of one image, its heads over a grid of (1, 14, 14) regions."""
    return caption_images(captioner, [image])[0]


def caption_images(captioner: ImageCaptioner, images: Sequence[Image.Image]) -> list[Caption]:
    """Return what a captioner says of images, one caption each, whatever their sizes and their order."""
    encoder = captioner.encoder
    regions = encoder.encode([image.convert("RGB") for image in images]).clone().float()  # (n, N, D)
    if not captioner.attends:
        return captioner.captioner.caption(regions.mean(1, keepdim=True))
    even = torch.full(regions.shape[:2], 1 / encoder.regions)  # what it was trained with
    return captioner.captioner.caption(regions, even, grid=(1, encoder.grid, encoder.grid))
