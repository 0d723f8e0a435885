"""Smaller maps for keeping, and what a mask needs: upsampling that puts each cell where the network saw it."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def kept_size(height: int, width: int, limit: int) -> tuple[int, int]:
    """Return the size at which maps of (height, width) are kept when neither side may exceed `limit`."""
    return min(height, limit), min(width, limit)


def shrink(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Return maps (…, h, w) reduced to `size` by the maximum inside each cell; unchanged when they have that size.

    The maximum keeps the peak's value, and no cell above a threshold is lost: an average would do both.
    """
    height, width = maps.shape[-2:]
    if (height, width) == size:
        return maps
    if height % size[0] or width % size[1]:
        return F.adaptive_max_pool2d(maps.flatten(0, -4) if maps.dim() > 4 else maps, size)
    down, right = height // size[0], width // size[1]
    rows = maps[..., ::down, :]  # (…, h', w): whole rows first, they lie together in memory
    for offset in range(1, down):
        rows = rows.maximum(maps[..., offset::down, :])
    cells = rows[..., ::right]  # (…, h', w')
    for offset in range(1, right):
        cells = cells.maximum(rows[..., offset::right])
    return cells
