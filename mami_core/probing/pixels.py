"""What a network's preprocessing does to colours, found by asking it: so that pixels under optimisation can be fed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mami_core.inputs import Network

_SIDE = 256  # pixels of the plain pictures that are asked about
_CHECK = (51, 102, 204)
_CLOSE = 1e-2  # of the span from black to white: transforms that go through 8 bits round


@dataclass(frozen=True, eq=False)
class Colours:
    """A network's input as an affine map of RGB: matrix (C, 3), offset (C,)."""

    matrix: Tensor
    offset: Tensor

    @classmethod
    def of(cls, preprocess: Callable[[Image.Image], Tensor]) -> Colours:
        """Ask a preprocessing for black and the three primaries. ValueError where it does more than mix and shift."""
        offset = _fed(preprocess, (0, 0, 0))
        primaries = [_fed(preprocess, colour) for colour in ((255, 0, 0), (0, 255, 0), (0, 0, 255))]
        found = cls(torch.stack([primary - offset for primary in primaries], 1), offset)
        asked = torch.tensor(_CHECK) / 255
        told = found(asked.view(1, 3, 1, 1)).flatten()
        span = found.matrix.abs().sum().clamp_min(1e-12)
        if not bool((told - _fed(preprocess, _CHECK)).abs().max() <= _CLOSE * span):
            raise ValueError("the preprocessing is no affine map of colours, so pixels cannot be fed through it")
        return found

    def __call__(self, pixels: Tensor) -> Tensor:
        """Return what the network is fed, (B, C, H, W), for pixels (B, 3, H, W) in [0, 1]."""
        matrix, offset = self.matrix.to(pixels.device), self.offset.to(pixels.device)
        if torch.equal(matrix, matrix.diagonal().diag()):  # each channel by itself: no product over all pixels
            return pixels * matrix.diagonal().view(1, -1, 1, 1) + offset.view(1, -1, 1, 1)
        return torch.einsum("cr,brhw->bchw", matrix, pixels) + offset.view(1, -1, 1, 1)


def _fed(preprocess: Callable[[Image.Image], Tensor], colour: tuple[int, int, int]) -> Tensor:
    fed = preprocess(Image.new("RGB", (_SIDE, _SIDE), colour))  # (C, H, W)
    return fed[:, fed.shape[1] // 2, fed.shape[2] // 2].float()


def own_size(network: Network) -> tuple[int, int]:
    """Return the height and width that a network's preprocessing feeds it."""
    fed = network.preprocess(Image.new("RGB", (_SIDE, _SIDE), "gray"))
    return int(fed.shape[-2]), int(fed.shape[-1])


def as_pixels(image: Image.Image, size: tuple[int, int]) -> Tensor:
    """Return a picture as pixels (1, 3, H, W) in [0, 1], resized where it has not that size."""
    height, width = size
    sized = image.convert("RGB")
    if sized.size != (width, height):
        sized = sized.resize((width, height), Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(sized)).permute(2, 0, 1)[None].float() / 255


def as_bytes(pixels: Tensor) -> np.ndarray:
    """Return pixels (B, 3, H, W) in [0, 1] as uint8 (B, H, W, 3)."""
    return (pixels.detach().clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
