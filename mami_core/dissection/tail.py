"""The upper tail of sampled activations: the m largest of each unit, from which the threshold is read."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


def tail_size(values: int, quantile: float) -> int:
    """Return how many of the largest of `values` must be kept so that the quantile lies among them."""
    return min(values, math.ceil((1 - quantile) * values) + 2)


@dataclass(eq=False)
class Tail:
    """The m largest values of each unit and how many were seen. Union and top-m commute: any split gives the same."""

    kept: Tensor  # (U, n) float32, -inf where empty; n ≤ m once compacted, in no order
    size: int  # m
    seen: int = 0  # values seen per unit
    bound: Tensor | None = None  # (U,): what is not above it can no longer be among the m largest

    @classmethod
    def empty(cls, units: int, size: int, *, device: torch.device) -> Tail:
        """Return a tail that has seen nothing."""
        return cls(kept=torch.empty(units, 0, device=device), size=size)

    def add(self, values: Tensor) -> None:
        """Take in values (U, n); what is not finite must have been made -inf."""
        self.seen += values.shape[1]
        self.kept = torch.cat([self.kept, values if self.bound is None else _above(values, self.bound)], 1)
        if self.bound is None or self.kept.shape[1] > 4 * self.size:  # a first bound early, then rarely
            self.compact()

    def compact(self) -> None:
        """Drop what is no longer among the m largest."""
        if self.kept.shape[1] > self.size:
            self.kept = _largest(self.kept, self.size)
            self.bound = self.kept.amin(1)

    def merge(self, other: Tail) -> None:
        """Take in another tail of the same units over other images."""
        self.kept = torch.cat([self.kept, other.kept], 1)
        self.seen += other.seen
        self.compact()

    def quantile(self, q: float, *, hazen: bool = False) -> Tensor:
        """Return the q-quantile of each unit (U,): the value with a share 1 - q of all seen above it.

        `hazen` interpolates between neighbours like `numpy.quantile(method="hazen")`, as the MILAN reference does.
        """
        if not self.kept.numel():
            return torch.full((len(self.kept),), torch.nan)
        self.compact()  # while a bound held values off, the last places may be empty, but none above the quantile
        ordered = self.kept.sort(1, descending=True).values  # (U, m)
        last = ordered.shape[1] - 1
        if not hazen:
            return ordered[:, min(int((1 - q) * self.seen + 1e-9), last)]
        place = min(max((1 - q) * self.seen - 0.5, 0.0), float(last))  # counted from the largest
        low, share = int(place), place - int(place)
        near, far = ordered[:, low].double(), ordered[:, min(low + 1, last)].double()
        return near + (far - near) * share


def _largest(values: Tensor, count: int) -> Tensor:
    """Return the `count` largest of each row (U, n), in no order, and leave `values` reordered.

    On a CPU, NumPy partitions nine times faster than torch selects, and in place: these are the largest arrays kept.
    """
    if values.device.type != "cpu":
        return values.topk(count, 1, sorted=False).values
    values.numpy().partition(values.shape[1] - count, axis=1)
    return values[:, -count:].contiguous()


def _above(values: Tensor, bound: Tensor) -> Tensor:
    """Return the values (U, n) above their unit's bound (U,), packed to the left of (U, w), -inf behind them.

    Few pass, so comparing and packing costs a fifth of selecting the m largest of every batch.
    """
    (place,) = places((values > bound.unsqueeze(1)).flatten())  # (p,), unit after unit
    unit = place.div(values.shape[1], rounding_mode="floor")
    counts = torch.bincount(unit, minlength=len(values))  # (U,)
    column = torch.arange(len(place), device=place.device) - (counts.cumsum(0) - counts)[unit]
    packed = values.new_full((len(values), int(counts.max())), -torch.inf)
    packed[unit, column] = values.flatten()[place]
    return packed


def places(chosen: Tensor) -> tuple[Tensor, ...]:
    """Return the indices of what is True, one tensor an axis; on a CPU, NumPy finds them several times faster."""
    if chosen.device.type == "cpu":
        return tuple(torch.from_numpy(index) for index in chosen.numpy().nonzero())
    return chosen.nonzero(as_tuple=True)
