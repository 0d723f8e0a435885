"""Stored histograms. Their bins are the same for every unit, so that counts of any workers add up."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

BINS = 512
COUNTS = "histogram"  # the column of the units' table
GROUP = 1000  # units whose counts are read together


class HistogramFile:
    """Read one unit's counts at a time: all of 30,000 units would take 170 MB."""

    def __init__(self, path: Path) -> None:
        self._file = pq.ParquetFile(path)
        groups = (self._file.metadata.row_group(number).num_rows for number in range(self._file.num_row_groups))
        self._starts = np.cumsum([0, *groups])
        self._read: tuple[int, pa.ChunkedArray] | None = None

    def counts(self, row: int) -> np.ndarray | None:
        """Return int32 (512,) of one row of the table; None where none were kept."""
        group = int(np.searchsorted(self._starts, row, side="right")) - 1
        if self._read is None or self._read[0] != group:
            self._read = group, self._file.read_row_group(group, columns=[COUNTS]).column(COUNTS)
        found = self._read[1][row - int(self._starts[group])]
        return found.values.to_numpy() if found.is_valid and len(found) else None


@cache
def histogram_edges() -> np.ndarray:
    """Return (left, right) of each of the 512 stored bins, float64 (512, 2), zero-side edge included.

    A bin is what shares the first nine bits of a float16: sign, exponent, three bits of mantissa; eight bins to every
    doubling. Bins 0-255 are zero and up, 256-511 the negative values mirrored. Beyond 65,504 the edge is infinite.
    """
    bits = (np.arange(BINS // 2 + 1, dtype=np.uint32) << 7).astype(np.uint16)
    up = bits[:-1].view(np.float16).astype(np.float64)  # (256,)
    edges = np.append(up, np.inf)
    edges = np.where(np.isnan(edges), np.inf, edges)
    positive = np.stack([edges[:-1], edges[1:]], axis=1)  # (256, 2)
    return np.concatenate([positive, -positive[:, ::-1]])  # (512, 2)


def linear_histogram(counts: np.ndarray, low: float, high: float, bins: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Return (edges (bins + 1,), counts (bins,) float64) over equal bins from `low` to `high`, as a chart wants them.

    A stored bin's count is spread evenly over the stretch that it covers; counts outside [low, high] are left out.
    ValueError when the range is empty or not finite.
    """
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise ValueError(f"no range to draw a histogram over: from {low} to {high}")
    edges = np.linspace(low, high, bins + 1)
    left, right = np.clip(histogram_edges(), low, high).T  # (512,) each
    narrow = right - left <= 0  # a bin beyond the range, or all of it at one edge
    spread = np.where(narrow, 0.0, np.asarray(counts, dtype=np.float64))
    width = np.where(narrow, 1.0, right - left)
    covered = np.minimum(right[:, None], edges[1:]) - np.maximum(left[:, None], edges[:-1])  # (512, bins)
    return edges, (np.maximum(covered, 0) / width[:, None] * spread[:, None]).sum(axis=0)
