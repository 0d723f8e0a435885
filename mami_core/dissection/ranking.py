"""Running top-k of image peaks per unit, the maps of the current winners riding along: no second pass for masks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from mami_core.dissection.tail import places

NO_IMAGE = 2**32 - 1  # id of an empty place: loses every tie

Cut = Callable[[Tensor, Tensor], Tensor]  # (image in batch (n,), unit (n,)) → maps (n, h, w) as they are kept


def pack(values: Tensor, ids: Tensor) -> Tensor:
    """Return one int64 per (value, image id) whose order is value ascending, then id descending.

    Sorting one integer is several times cheaper than a stable sort of values after one of ids, and has no ties.
    """
    bits = (values.float() + 0.0).contiguous().view(torch.int32)  # adding 0 makes -0 the same as 0
    rising = bits.bitwise_right_shift(31).bitwise_and_(0x7FFFFFFF).bitwise_xor_(bits)
    return rising.to(torch.int64).bitwise_left_shift_(32).bitwise_or_(NO_IMAGE - ids)


def values_of(keys: Tensor) -> Tensor:
    """Return the values of keys, float32; -inf where a key ranks nothing."""
    rising = (keys >> 32).to(torch.int32)
    return rising.bitwise_right_shift(31).bitwise_and_(0x7FFFFFFF).bitwise_xor_(rising).view(torch.float32)


def ids_of(keys: Tensor) -> Tensor:
    """Return the image ids of keys, int64; NO_IMAGE where a key ranks nothing."""
    return torch.where(keys < _FINITE, NO_IMAGE, NO_IMAGE - (keys & NO_IMAGE))


_MINUS_INFINITY = -0x7F800001 << 32  # the least key with this value; it means "no rank"
_FINITE = _MINUS_INFINITY + (1 << 32)


@dataclass(eq=False)
class Ranking:
    """The k largest peaks of each unit, ties to the smaller image id.

    What is kept is a function of the set of (image, peak) pairs alone: any order, split or merge gives the same.
    """

    keys: Tensor  # (U, k) int64, in no order and no two of a unit alike
    maps: Tensor  # (U, k, h, w): the map behind each key
    floor: Tensor | None = None  # (U,): what is below it cannot enter; None: to be looked up

    @classmethod
    def empty(cls, units: int, k: int, size: tuple[int, int], *, dtype: torch.dtype, device: torch.device) -> Ranking:
        """Return a ranking that has seen nothing."""
        return cls(
            keys=(_MINUS_INFINITY + torch.arange(k, device=device)).repeat(units, 1),  # as of ids that no image has
            maps=torch.full((units, k, *size), torch.nan, dtype=dtype, device=device),
        )

    @property
    def k(self) -> int:
        """Return how many places each unit has."""
        return self.keys.shape[1]

    def add(self, peaks: Tensor, ids: Tensor, cut: Cut) -> None:
        """Take in a batch: peaks (B, U) float32, -inf for "no rank"; ids (B,) int64; `cut` gives a winner's map."""
        if self.floor is None:
            self.floor = values_of(self.keys.amin(1))
        (rows,) = places(peaks.amax(0) >= self.floor)  # (R,): units that may have a newcomer
        if not len(rows):
            return
        held, given = self.keys[rows], pack(peaks.T[rows], ids)  # (R, k), (R, B)
        last = _kth_largest(torch.cat([held, given], 1), self.k)  # (R, 1): the smallest that stays
        row, place = places(held < last)  # (n,): as many leave a unit as come to it,
        _, image = places(given >= last)  # and both are listed unit by unit
        unit = rows[row]
        self.floor[rows] = values_of(last.squeeze(1))
        self.keys[unit, place] = given[row, image]
        _put(self.maps.flatten(0, 1), unit * self.k + place, cut(image, unit))

    def merge(self, other: Ranking) -> None:
        """Take in another ranking of the same units over other images."""
        self.floor = None
        self.keys, chosen = torch.cat([self.keys, other.keys], 1).topk(self.k, 1)  # (U, k)
        unit = torch.arange(len(chosen), device=chosen.device)
        merged = torch.empty_like(self.maps)
        for rank in range(self.k):
            ours = chosen[:, rank] < self.k
            merged[ours, rank] = self.maps[unit[ours], chosen[ours, rank]]
            merged[~ours, rank] = other.maps[unit[~ours], chosen[~ours, rank] - self.k]
        self.maps = merged

    def ordered(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return ids (U, k), values (U, k) and maps (U, k, h, w), strongest first; NO_IMAGE, -inf, NaN in empty places.

        Of two keys of equal value the smaller id is first.
        """
        keys, order = self.keys.sort(1, descending=True)
        values, ids = values_of(keys), ids_of(keys)
        maps = self.maps.gather(1, order[:, :, None, None].expand_as(self.maps))
        return ids, values, maps.masked_fill_((ids == NO_IMAGE)[:, :, None, None], torch.nan)


def _kth_largest(keys: Tensor, k: int) -> Tensor:
    """Return the k-th largest of each row (R, n) as (R, 1), and leave `keys` reordered; on a CPU, NumPy is faster."""
    if keys.device.type != "cpu":
        return keys.topk(k, 1).values[:, -1:]
    place = keys.shape[1] - k
    keys.numpy().partition(place, axis=1)
    return keys[:, place, None]


def _put(store: Tensor, places: Tensor, maps: Tensor) -> None:
    """Write maps (n, h, w) over distinct places (n,) of the store; on a CPU, NumPy does so several times faster."""
    if store.device.type == "cpu":
        store.numpy()[places.numpy()] = maps.numpy()
    else:
        store.index_copy_(0, places, maps)
