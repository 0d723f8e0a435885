"""The exemplar images that are kept: what the network saw, once each, small."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mami_core.dissection.layers import feed
from mami_core.dissection.plan import Plan
from mami_core.dissection.units import first_tensor
from mami_core.inputs import ImageSource, Network, Preprocess, UnreadableImageError, view_of
from mami_core.store import encode_image


def exemplar_image(network: Network, images: ImageSource, index: int, *, parity: bool = False) -> Image.Image:
    """Return an image as the network saw it, crop and all; for a generator, the image that it makes of its input.

    With `parity` its bytes are the MILAN reference's: made of the normalised input again, and cut off, not rounded.
    """
    if network.generates:
        return generated_image(network, images, index, parity=parity)
    view = view_of(network.preprocess, images.load(index))
    return _cut_off(view, network.preprocess) if parity and isinstance(network.preprocess, Preprocess) else view


def _cut_off(view: Image.Image, preprocess: Preprocess) -> Image.Image:
    """Return a view whose normalisation was done and undone in float32: some bytes come out one less."""
    bytes_of = (torch.tensor([number / (1 / 255) for number in part]) for part in (preprocess.std, preprocess.mean))
    scale, shift = (part.view(3, 1, 1) for part in bytes_of)
    levels = (preprocess.tensor(view) * scale + shift).clamp(0, 255).byte()  # (3, H, W)
    return Image.fromarray(levels.permute(1, 2, 0).numpy())


@torch.inference_mode()
def generated_image(network: Network, images: ImageSource, index: int, *, parity: bool = False) -> Image.Image:
    """Return a generator's output for one input, its range mapped to 0…255."""
    device = next((p.device for p in network.module.parameters()), torch.device("cpu"))
    output = first_tensor(network.module(*(part.unsqueeze(0).to(device) for part in feed(network, images, index))))
    if output is None or output.dim() != 4 or output.shape[1] not in (1, 3):
        raise ValueError(f"{network.name} is used as a generator but does not give images (B, 3, H, W)")
    return to_picture(output[0], network.output_range, parity=parity)


def to_picture(pixels: Tensor, value_range: tuple[float, float], *, parity: bool = False) -> Image.Image:
    """Return pixels (1 or 3, H, W) in `value_range` as an RGB image; with `parity` bytes are cut off, not rounded."""
    low, high = value_range
    scaled = ((pixels.float() - low) / (high - low)).clamp(0, 1).mul(255)
    levels = (scaled if parity else scaled.round()).byte()
    return Image.fromarray(levels.expand(3, -1, -1).permute(1, 2, 0).cpu().numpy().astype(np.uint8))


def encoded_images(
    network: Network, images: ImageSource, ids: Sequence[int], plan: Plan
) -> Iterator[tuple[int, str, bytes]]:
    """Yield (id, name, encoded bytes) of each image, at most as wide and high as planned; in parity without loss."""
    limit = plan.thumbnail
    for index in ids:
        try:
            picture = exemplar_image(network, images, index, parity=plan.parity)
        except UnreadableImageError:  # pragma: no cover - it was readable when it was ranked
            continue
        if max(picture.size) > limit:
            scale = limit / max(picture.size)
            size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
            picture = picture.resize(size, Image.Resampling.BOX if scale < 0.5 else Image.Resampling.BICUBIC)
        yield index, images.names[index], encode_image(picture, lossless=plan.parity)
