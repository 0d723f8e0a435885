"""One short vector a unit: the weighted mean of its regions, with few enough channels to keep for 30,000 units."""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np

SIZE: Final = 128  # channels: a cosine c of the whole vectors is kept to about (1 - c²) / 11


def unit_vectors(pooled: np.ndarray, size: int = SIZE) -> np.ndarray:
    """Return vectors of length 1, float16 (U, min(D, size)), of pooled features (U, D); NaN for a row of zeros.

    More than `size` channels are projected on random signs, which keeps angles: Achlioptas, "Database-friendly random
    projections", 2003.
    """
    channels = pooled.shape[1]
    short = pooled if channels <= size else pooled @ random_signs(channels, size)
    length = np.linalg.norm(short, axis=1, keepdims=True)
    return np.divide(short, length, out=np.full(short.shape, np.nan, np.float32), where=length > 0).astype(np.float16)


def random_signs(rows: int, columns: int) -> np.ndarray:
    """Return -1 and 1 at random, float32 (rows, columns): bits of SHAKE-256, so the same for ever and everywhere.

    Vectors of one encoder are compared across dissections that were captioned years and machines apart.
    """
    count = rows * columns
    drawn = hashlib.shake_256(f"mami features {rows} {columns}".encode()).digest((count + 7) // 8)
    bits = np.unpackbits(np.frombuffer(drawn, np.uint8), count=count)
    return bits.reshape(rows, columns).astype(np.float32) * 2 - 1
