"""Which positions of a map stand for all of them: a function of seed, layer and image id, the same in any worker."""

from __future__ import annotations

import hashlib
import math
from functools import lru_cache

import numpy as np

_TAIL = 4096  # values kept above the quantile: enough for a rank error of 1.5e-4
_MOST = 40  # positions an image: more of them resemble each other too much to be worth their time


def positions_per_image(images: int, quantile: float, cells: int, asked: int = 0) -> int:
    """Return how many positions of each map to sample: `asked`, or enough that some 4,096 values lie in the tail.

    Positions in one image resemble each other, so with many images few positions each are better than the reverse.
    """
    if asked:
        return min(asked, cells)
    enough = math.ceil(_TAIL / ((1 - quantile) * max(images, 1)))
    most = 64 if images < 256 else _MOST
    return min(cells, max(8, min(enough, most)))


def sample_positions(seed: int, layer: str, ids: np.ndarray, cells: int, count: int) -> np.ndarray:
    """Return `count` positions in each image's map, int64 (B, count), ascending; all of them when count ≥ cells.

    Stratified: one position in each of `count` equal stretches of the flattened map, so that no part is missed.
    """
    if count >= cells:
        return np.broadcast_to(np.arange(cells), (len(ids), cells))
    key = int.from_bytes(hashlib.blake2b(f"{seed}\0{layer}".encode(), digest_size=8).digest(), "little")
    random = _mixed(_drawn(ids.tobytes(), count) ^ np.uint64(key)) >> np.uint64(11)  # (B, count)
    offset = random.astype(np.float64) / 2.0**53  # [0, 1)
    return np.minimum(((np.arange(count) + offset) * (cells / count)).astype(np.int64), cells - 1)


@lru_cache(maxsize=4)
def _drawn(ids: bytes, count: int) -> np.ndarray:
    """Return random numbers (B, count) of images alone, uint64: one batch's layers share them."""
    counter = np.frombuffer(ids, dtype=np.int64).astype(np.uint64)[:, None] * np.uint64(2**20)
    return _mixed(counter + np.arange(count, dtype=np.uint64))


def _mixed(state: np.ndarray) -> np.ndarray:
    """Return SplitMix64's output for each counter (Steele, Lea and Flood 2014)."""
    state = state + np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def reservoir_ids(images: int, size: int, seed: int) -> tuple[int, ...]:
    """Return `size` of the numbers below `images` (all, where there are fewer), in the order they were drawn."""
    generator = np.random.default_rng([seed, 0x5EED])
    return tuple(int(number) for number in generator.permutation(images)[:size])
