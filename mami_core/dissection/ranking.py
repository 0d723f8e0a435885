"""Running top-k of image peaks per unit, the maps of the current winners riding along: no second pass for masks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

NO_IMAGE = 2**62  # id of an empty place: loses every tie
_LOT = 512  # maps cut at a time: bounds the temporary copy

Cut = Callable[[Tensor, Tensor], Tensor]  # (image in batch (n,), unit (n,)) → maps (n, h, w)


@dataclass(eq=False)
class Ranking:
    """The k largest peaks of each unit, value descending, ties to the smaller image id.

    The result is a function of the set of (image, peak) pairs alone: any order, split or merge gives the same.
    """

    values: Tensor  # (U, k) float32, -inf where empty
    ids: Tensor  # (U, k) int64
    slots: Tensor  # (U, k) int64: which of the unit's k map slots holds the entry's map
    maps: Tensor  # (U, k, h, w)

    @classmethod
    def empty(cls, units: int, k: int, size: tuple[int, int], *, dtype: torch.dtype, device: torch.device) -> Ranking:
        """Return a ranking that has seen nothing."""
        return cls(
            values=torch.full((units, k), -torch.inf, device=device),
            ids=torch.full((units, k), NO_IMAGE, dtype=torch.int64, device=device),
            slots=torch.arange(k, device=device).repeat(units, 1),
            maps=torch.full((units, k, *size), torch.nan, dtype=dtype, device=device),
        )

    @property
    def k(self) -> int:
        """Return how many places each unit has."""
        return self.values.shape[1]

    def add(self, peaks: Tensor, ids: Tensor, cut: Cut) -> None:
        """Take in a batch: peaks (B, U) float32, -inf for "no rank"; ids (B,) int64; `cut` gives a winner's map."""
        given = peaks.T  # (U, B)
        last, last_id = self.values[:, -1:], self.ids[:, -1:]  # (U, 1)
        hopeful = (given > last) | ((given == last) & (ids < last_id) & (given > -torch.inf))  # (U, B)
        rows = hopeful.any(1).nonzero().squeeze(1)  # (R,)
        if not len(rows):
            return
        values = torch.cat([self.values[rows], given[rows]], 1)  # (R, k + B)
        numbers = torch.cat([self.ids[rows], ids.expand(len(rows), -1)], 1)
        places = torch.arange(-1, -1 - len(ids), -1, device=ids.device).expand(len(rows), -1)  # -1 - image in batch
        origin = torch.cat([self.slots[rows], places], 1)
        order = _best_first(values, numbers)[:, : self.k]  # (R, k)
        self.values[rows] = values.gather(1, order)
        self.ids[rows] = numbers.gather(1, order).masked_fill_(self.values[rows] == -torch.inf, NO_IMAGE)
        self._place(rows, origin.gather(1, order), cut)

    def _place(self, rows: Tensor, origin: Tensor, cut: Cut) -> None:
        """Give each newcomer (negative origin) a slot that an evicted entry left, and put its map there."""
        fresh = origin < 0  # (R, k)
        taken = torch.zeros_like(fresh).scatter_(1, origin.clamp(min=0), ~fresh)  # wrong only where both write slot 0
        taken[:, 0] = ((origin == 0) & ~fresh).any(1)
        free = taken.byte().argsort(dim=1, stable=True)  # (R, k): the free slots first
        slots = torch.where(fresh, free.gather(1, (fresh.cumsum(1) - 1).clamp(min=0)), origin)
        self.slots[rows] = slots
        row, place = fresh.nonzero(as_tuple=True)
        image, unit, slot = -1 - origin[row, place], rows[row], slots[row, place]
        for lot in torch.arange(len(row), device=rows.device).split(_LOT):
            self.maps[unit[lot], slot[lot]] = cut(image[lot], unit[lot]).to(self.maps.dtype)

    def merge(self, other: Ranking) -> None:
        """Take in another ranking of the same units over other images."""
        values = torch.cat([self.values, other.values], 1)  # (U, 2k)
        numbers = torch.cat([self.ids, other.ids], 1)
        slots = torch.cat([self.slots, other.slots + self.k], 1)
        order = _best_first(values, numbers)[:, : self.k]
        chosen = slots.gather(1, order)  # (U, k): into the two map stores end to end
        both = [self.maps, other.maps]
        unit = torch.arange(len(chosen), device=chosen.device)
        merged = torch.empty_like(self.maps)
        for rank in range(self.k):
            ours = chosen[:, rank] < self.k
            merged[ours, rank] = both[0][unit[ours], chosen[ours, rank]]
            merged[~ours, rank] = both[1][unit[~ours], chosen[~ours, rank] - self.k]
        self.values, self.ids, self.maps = values.gather(1, order), numbers.gather(1, order), merged
        self.slots = torch.arange(self.k, device=chosen.device).repeat(len(chosen), 1)

    def ordered_maps(self) -> Tensor:
        """Return the maps (U, k, h, w) in order of rank, NaN where a place is empty."""
        index = self.slots[:, :, None, None].expand_as(self.maps)
        return self.maps.gather(1, index).masked_fill_((self.ids == NO_IMAGE)[:, :, None, None], torch.nan)


def _best_first(values: Tensor, ids: Tensor) -> Tensor:
    """Return the order (U, n) of values descending, ties by ascending id."""
    by_id = ids.argsort(dim=1, stable=True)
    return by_id.gather(1, values.gather(1, by_id).argsort(dim=1, descending=True, stable=True))
