"""Smaller maps for keeping: as many cells as a mask or a small picture needs."""

from __future__ import annotations

import torch
from torch import Tensor


def kept_size(height: int, width: int, limit: int) -> tuple[int, int]:
    """Return the size at which maps of (height, width) are kept when neither side may exceed `limit`."""
    return min(height, limit), min(width, limit)


def shrink(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Return maps (…, h, w) reduced to `size` by the maximum inside each cell; unchanged when they have that size.

    The maximum keeps the peak's value, and no cell above a threshold is lost: an average would do both.
    """
    return _reduced(_reduced(maps, -2, size[0]), -1, size[1])  # rows first: they lie together in memory


def _reduced(maps: Tensor, axis: int, cells: int) -> Tensor:
    """Return the maximum over `cells` stretches of an axis, the same stretches as in adaptive pooling."""
    length = maps.shape[axis]
    if length == cells:
        return maps
    step = length // cells
    if length % cells == 0:
        offsets = [maps.unflatten(axis, (cells, step)).select(axis, offset) for offset in range(step)]
    else:
        first = torch.arange(cells, device=maps.device) * length // cells
        last = -((-torch.arange(1, cells + 1, device=maps.device) * length) // cells) - 1
        longest = int((last - first).max()) + 1
        offsets = [maps.index_select(axis, (first + offset).minimum(last)) for offset in range(longest)]
    largest = offsets[0].maximum(offsets[1])
    for other in offsets[2:]:
        torch.maximum(largest, other, out=largest)
    return largest


def cut_maps(maps: Tensor, image: Tensor, unit: Tensor, size: tuple[int, int]) -> Tensor:
    """Return the maps (n, h', w') of chosen pairs out of maps (B, U, h, w), reduced to `size`."""
    place = image * maps.shape[1] + unit  # (n,)
    if tuple(maps.shape[-2:]) != size and 4 * len(place) > maps.shape[0] * maps.shape[1]:
        return shrink(maps, size).flatten(0, 1).index_select(0, place)  # so many: less to copy once they are small
    return shrink(maps.flatten(0, 1).index_select(0, place), size)
