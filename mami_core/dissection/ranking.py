"""Running top-k of image peaks per unit, the maps of the current winners riding along: no second pass for masks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

NO_IMAGE = 2**32 - 1  # id of an empty place: loses every tie

Cut = Callable[[Tensor, Tensor], Tensor]  # (image in batch (n,), unit (n,)) → maps (n, h, w)


def pack(values: Tensor, ids: Tensor) -> Tensor:
    """Return one int64 per (value, image id) whose order is value ascending, then id descending.

    Sorting one integer is several times cheaper than a stable sort of values after one of ids, and has no ties.
    """
    bits = (values.float() + 0.0).contiguous().view(torch.int32)  # adding 0 makes -0 the same as 0
    rising = torch.where(bits < 0, bits ^ 0x7FFFFFFF, bits).to(torch.int64)
    keys = (rising << 32) | (NO_IMAGE - ids)
    return keys.masked_fill_(values == -torch.inf, EMPTY)


def unpack(keys: Tensor) -> tuple[Tensor, Tensor]:
    """Return the values (float32) and ids (int64) of keys."""
    rising = (keys >> 32).to(torch.int32)
    bits = torch.where(rising < 0, rising ^ 0x7FFFFFFF, rising)
    return bits.view(torch.float32), NO_IMAGE - (keys & NO_IMAGE)


EMPTY = ((-0x7F800001) << 32) | 0  # minus infinity, NO_IMAGE


@dataclass(eq=False)
class Ranking:
    """The k largest peaks of each unit, value descending, ties to the smaller image id.

    The result is a function of the set of (image, peak) pairs alone: any order, split or merge gives the same.
    """

    keys: Tensor  # (U, k) int64, largest first
    slots: Tensor  # (U, k) int64: which of the unit's k map slots holds the entry's map
    maps: Tensor  # (U, k, h, w)

    @classmethod
    def empty(cls, units: int, k: int, size: tuple[int, int], *, dtype: torch.dtype, device: torch.device) -> Ranking:
        """Return a ranking that has seen nothing."""
        return cls(
            keys=torch.full((units, k), EMPTY, dtype=torch.int64, device=device),
            slots=torch.arange(k, device=device).repeat(units, 1),
            maps=torch.full((units, k, *size), torch.nan, dtype=dtype, device=device),
        )

    @property
    def k(self) -> int:
        """Return how many places each unit has."""
        return self.keys.shape[1]

    @property
    def values(self) -> Tensor:
        """Return the peaks (U, k) float32, largest first, -inf where a place is empty."""
        return unpack(self.keys)[0]

    @property
    def ids(self) -> Tensor:
        """Return the image ids (U, k) int64, NO_IMAGE where a place is empty."""
        return unpack(self.keys)[1]

    def add(self, peaks: Tensor, ids: Tensor, cut: Cut) -> None:
        """Take in a batch: peaks (B, U) float32, -inf for "no rank"; ids (B,) int64; `cut` gives a winner's map."""
        given = pack(peaks.T, ids)  # (U, B)
        rows = (given > self.keys[:, -1:]).any(1).nonzero().squeeze(1)  # (R,): units with a newcomer
        if not len(rows):
            return
        keys, order = torch.cat([self.keys[rows], given[rows]], 1).topk(self.k, 1)  # (R, k) of k + B
        self.keys[rows] = keys
        kept = self.slots[rows].gather(1, order.clamp(max=self.k - 1))  # (R, k): meant where order < k
        self._place(rows, torch.where(order < self.k, kept, self.k - 1 - order), cut)

    def _place(self, rows: Tensor, origin: Tensor, cut: Cut) -> None:
        """Give each newcomer a slot that an evicted entry left, and put its map there.

        origin (R, k) is the slot of an entry that stays, or -1 - (image in batch) of a newcomer. An empty key of the
        batch may stand for an empty place: its map is copied for nothing and never shown.
        """
        fresh = origin < 0  # (R, k)
        taken = torch.zeros_like(fresh).scatter_(1, origin.clamp(min=0), ~fresh)  # wrong only where both write slot 0
        taken[:, 0] = ((origin == 0) & ~fresh).any(1)
        row, place = fresh.nonzero(as_tuple=True)
        slot = (~taken).nonzero(as_tuple=True)[1]  # each row has as many free slots as newcomers, in the same order
        image, unit = -1 - origin[row, place], rows[row]
        origin[row, place] = slot
        self.slots[rows] = origin
        store = self.maps.flatten(0, 1)  # (U·k, h, w), a view
        _put(store, unit * self.k + slot, cut(image, unit).to(store.dtype))

    def merge(self, other: Ranking) -> None:
        """Take in another ranking of the same units over other images."""
        self.keys, order = torch.cat([self.keys, other.keys], 1).topk(self.k, 1)  # (U, k)
        chosen = torch.cat([self.slots, other.slots + self.k], 1).gather(1, order)  # into both map stores end to end
        unit = torch.arange(len(chosen), device=chosen.device)
        merged = torch.empty_like(self.maps)
        for rank in range(self.k):
            ours = chosen[:, rank] < self.k
            merged[ours, rank] = self.maps[unit[ours], chosen[ours, rank]]
            merged[~ours, rank] = other.maps[unit[~ours], chosen[~ours, rank] - self.k]
        self.maps = merged
        self.slots = torch.arange(self.k, device=chosen.device).repeat(len(chosen), 1)

    def ordered_maps(self) -> Tensor:
        """Return the maps (U, k, h, w) in order of rank, NaN where a place is empty."""
        index = self.slots[:, :, None, None].expand_as(self.maps)
        return self.maps.gather(1, index).masked_fill_((self.keys == EMPTY)[:, :, None, None], torch.nan)


def _put(store: Tensor, places: Tensor, maps: Tensor) -> None:
    """Write maps (n, h, w) over distinct places (n,) of the store; on a CPU, NumPy does so several times faster."""
    if store.device.type == "cpu":
        store.numpy()[places.numpy()] = maps.numpy()
    else:
        store.index_copy_(0, places, maps)
