"""How a unit's activations are spread: moments, a histogram whose bins no data can move, and the unit's state."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

BINS = 512
_AT_ONCE = 2**22  # values that are summed at a time: every position of large maps would fill the memory


@dataclass(eq=False)
class Spread:
    """Sums for the moments of each unit, kept per block of images and added in block order: the same bits always."""

    sums: dict[int, Tensor]  # block → (5, U) float64: count, Σx, Σx², Σx³, Σx⁴
    histogram: Tensor  # (U, 512) int32
    positive: Tensor  # (U,) int64: values above zero
    largest: Tensor  # (U,) float32, over all positions
    smallest: Tensor  # (U,) float32, over the sampled positions
    varied: Tensor  # (U,) bool: two activations of one batch were seen to differ
    broken: Tensor  # (U,) bool: a NaN or an infinity was seen

    @classmethod
    def empty(cls, units: int, *, device: torch.device) -> Spread:
        """Return a spread that has seen nothing."""
        return cls(
            sums={},
            histogram=torch.zeros(units, BINS, dtype=torch.int32, device=device),
            positive=torch.zeros(units, dtype=torch.int64, device=device),
            largest=torch.full((units,), -torch.inf, device=device),
            smallest=torch.full((units,), torch.inf, device=device),
            varied=torch.zeros(units, dtype=torch.bool, device=device),
            broken=torch.zeros(units, dtype=torch.bool, device=device),
        )

    def add_peaks(self, high: Tensor, peaks: Tensor, lowest: Callable[[Tensor], Tensor]) -> None:
        """Take in every image's largest activation (B, U), as it is and with -inf for what is not finite.

        `lowest` gives the smallest activations (B, n) of the units it is asked for: only of those that have shown one
        value so far, since looking for the smallest of all costs as much as everything else here.
        """
        if peaks is not high:
            self.broken |= ~high.isfinite().all(0)
        self.largest = self.largest.maximum(peaks.amax(0))
        if self.varied.all():
            return
        self.varied |= (high != high[:1]).any(0)
        suspect = (~self.varied).nonzero().squeeze(1)  # (n,)
        if len(suspect):
            self.varied[suspect] = (lowest(suspect) != high[:, suspect]).any(0)

    def add_values(self, block: int, values: Tensor) -> None:
        """Take in sampled values (U, n) of a block; -inf marks what was not finite."""
        few = max(1, _AT_ONCE // values.shape[1])
        units = [slice(first, first + few) for first in range(0, len(values), few)]
        sums = torch.cat([self._add_some(some, values[some]) for some in units], 1)  # (5, U)
        self.sums[block] = self.sums[block] + sums if block in self.sums else sums

    def _add_some(self, units: slice, values: Tensor) -> Tensor:
        """Take in the values (u, n) of a few units; return their sums (5, u)."""
        low = values.amin(1)
        self.broken[units] |= low == -torch.inf
        self.smallest[units] = self.smallest[units].minimum(low)
        self.positive[units] += _positive(values)
        codes = histogram_codes(values)  # (u, n)
        codes += torch.arange(len(values), device=values.device, dtype=codes.dtype).unsqueeze(1) * BINS  # < 2^31
        counts = torch.bincount(codes.flatten(), minlength=len(values) * BINS).view(-1, BINS)
        self.histogram[units] += counts.to(torch.int32)  # adding unlike types is slower than converting first
        return _power_sums(values)

    def merge(self, other: Spread) -> None:
        """Take in another spread of the same units over other blocks."""
        self.sums |= other.sums
        self.histogram += other.histogram
        self.positive += other.positive
        self.largest = self.largest.maximum(other.largest)
        self.smallest = self.smallest.minimum(other.smallest)
        self.varied |= other.varied
        self.broken |= other.broken

    def moments(self) -> dict[str, np.ndarray]:
        """Return mean, variance, skewness, kurtosis (excess) and fraction_positive, each (U,); NaN where undefined.

        A unit with a NaN or an infinity has none of them.
        """
        total = torch.zeros_like(next(iter(self.sums.values()))) if self.sums else torch.zeros(5, len(self.positive))
        for block in sorted(self.sums):
            total = total + self.sums[block]
        count, *raw = total.cpu().numpy()
        with np.errstate(divide="ignore", invalid="ignore"):
            m1, m2, m3, m4 = (row / count for row in raw)
            variance = np.maximum(m2 - m1**2, 0)
            flat = variance <= 1e-12 * np.maximum(m2, 1e-30)  # rounding, not spread
            third = m3 - 3 * m1 * m2 + 2 * m1**3
            fourth = m4 - 4 * m1 * m3 + 6 * m1**2 * m2 - 3 * m1**4
            found = {
                "mean": m1,
                "variance": np.where(flat, 0.0, variance),
                "skewness": np.where(flat, np.nan, third / variance**1.5),
                "kurtosis": np.where(flat, np.nan, fourth / variance**2 - 3),
                "fraction_positive": self.positive.cpu().numpy() / count,
            }
        broken = self.broken.cpu().numpy()
        return {name: np.where(broken | np.isnan(values), np.nan, values) for name, values in found.items()}

    def states(self) -> list[str]:
        """Return each unit's state: not_finite, dead (never anything but zero), constant, or alive."""
        high, low, broken = self.largest.cpu().numpy(), self.smallest.cpu().numpy(), self.broken.cpu().numpy()
        constant = ~self.varied.cpu().numpy() & (high <= low)
        states = np.select([broken, constant & (high == 0), constant], ["not_finite", "dead", "constant"], "alive")
        return [str(state) for state in states]


def all_finite(values: Tensor) -> bool:
    """Tell whether no value is NaN or infinite: one pass over them, as their sum tells."""
    return math.isfinite(values.sum().item())


def _power_sums(values: Tensor) -> Tensor:
    """Return count, Σx, Σx², Σx³ and Σx⁴ of each row (u, n), float64 (5, u)."""
    x = values.double()
    square = x * x
    rows = [torch.full_like(x[:, 0], x.shape[1]), x.sum(1), square.sum(1)]
    rows += [x.mul_(square).sum(1), square.mul_(square).sum(1)]
    return torch.stack(rows)


def _positive(values: Tensor) -> Tensor:
    """Return how many of each row (u, n) are above zero; counted as numbers, several times faster than as bool."""
    exact = torch.float32 if values.shape[1] < 2**24 else torch.float64
    return torch.gt(values, 0, out=torch.empty_like(values)).sum(1, dtype=exact).long()


def histogram_codes(values: Tensor) -> Tensor:
    """Return each value's bin, int32: eight bins to every doubling, as in the first nine bits of a float16.

    Bins are the same for every layer and network, so counts from any workers add up. Bin 0 begins at zero; bins
    from 256 on are the negative values, mirrored.
    """
    return values.half().view(torch.int16).bitwise_right_shift(7).bitwise_and_(BINS - 1).to(torch.int32)
