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

    kept: Tensor  # (U, n) float32, n ≤ m once compacted, in no order
    size: int  # m
    seen: int = 0  # values seen per unit

    @classmethod
    def empty(cls, units: int, size: int, *, device: torch.device) -> Tail:
        """Return a tail that has seen nothing."""
        return cls(kept=torch.empty(units, 0, device=device), size=size)

    def add(self, values: Tensor) -> None:
        """Take in values (U, n); NaN must have been made -inf."""
        self.seen += values.shape[1]
        if values.shape[1] > self.size:
            values = values.topk(self.size, 1, sorted=False).values
        self.kept = torch.cat([self.kept, values], 1)
        if self.kept.shape[1] > 3 * self.size:
            self.compact()

    def compact(self) -> None:
        """Drop what is no longer among the m largest."""
        if self.kept.shape[1] > self.size:
            self.kept = self.kept.topk(self.size, 1, sorted=False).values

    def merge(self, other: Tail) -> None:
        """Take in another tail of the same units over other images."""
        self.kept = torch.cat([self.kept, other.kept], 1)
        self.seen += other.seen
        self.compact()

    def quantile(self, q: float, *, hazen: bool = False) -> Tensor:
        """Return the q-quantile of each unit (U,): the value with a share 1 - q of all seen above it.

        `hazen` interpolates between neighbours like `numpy.quantile(method="hazen")`, as the MILAN reference does.
        """
        if not self.seen:
            return torch.full((len(self.kept),), torch.nan)
        self.compact()
        ordered = self.kept.sort(1, descending=True).values  # (U, m)
        last = ordered.shape[1] - 1
        if not hazen:
            return ordered[:, min(int((1 - q) * self.seen + 1e-9), last)]
        place = min(max((1 - q) * self.seen - 0.5, 0.0), float(last))  # counted from the largest
        low, share = int(place), place - int(place)
        near, far = ordered[:, low].double(), ordered[:, min(low + 1, last)].double()
        return near + (far - near) * share
