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
    first = [cell * length // cells for cell in range(cells)]
    last = [-(-(cell + 1) * length // cells) - 1 for cell in range(cells)]
    step = -(-length // cells)
    lead = step * cells - length
    longest = max(end - start for start, end in zip(first, last, strict=True)) + 1
    if lead < step and _regular(first, last, step, lead, longest):
        return _strided(maps, axis, cells, step, lead, longest)
    starts, ends = torch.tensor(first, device=maps.device), torch.tensor(last, device=maps.device)
    largest = maps.index_select(axis, starts)
    for offset in range(1, longest):
        torch.maximum(largest, maps.index_select(axis, (starts + offset).minimum(ends)), out=largest)
    return largest


def _regular(first: list[int], last: list[int], step: int, lead: int, longest: int) -> bool:
    """Tell whether the stretches begin at `step` · cell - `lead` and have one length, cut off at both ends."""
    begins = [step * cell - lead for cell in range(len(first))]
    inside = [(max(begin, 0), min(begin + longest - 1, last[-1])) for begin in begins]
    return inside == list(zip(first, last, strict=True))


def _strided(maps: Tensor, axis: int, cells: int, step: int, lead: int, longest: int) -> Tensor:
    """Return the maximum over regular stretches, read where they lie: nothing is copied out first."""
    length = maps.shape[axis]
    largest = _every(maps, axis, 0, step)  # element `lead` of each stretch, which all have
    second = lead + 1 if step - lead > 1 else lead  # all have this one too
    largest = largest.maximum(_every(maps, axis, second - lead, step)) if second > lead else largest.clone()
    for offset in range(longest):
        start = offset - lead if offset >= lead else offset - lead + step
        cell = 0 if offset >= lead else 1  # the first stretch is cut off before it
        if offset in (lead, second) or start >= length:
            continue
        found = _every(maps, axis, start, step)
        count = min(found.shape[axis], cells - cell)
        place = largest.narrow(axis, cell, count)
        torch.maximum(place, found.narrow(axis, 0, count), out=place)
    return largest


def _every(maps: Tensor, axis: int, start: int, step: int) -> Tensor:
    """Return a view of every `step`-th place of an axis (-1 or -2), from `start` on."""
    return maps[..., start::step] if axis == -1 else maps[..., start::step, :]


def cut_maps(maps: Tensor, image: Tensor, unit: Tensor, *, size: tuple[int, int], dtype: torch.dtype) -> Tensor:
    """Return the maps (n, h', w') of chosen pairs out of maps (B, U, h, w), reduced to `size`."""
    if maps.is_contiguous():
        return shrink(maps.flatten(0, 1).index_select(0, image * maps.shape[1] + unit), size).to(dtype)
    return shrink(maps[image, unit].contiguous(), size).to(dtype)  # tokens, channels last: flattening would copy all
