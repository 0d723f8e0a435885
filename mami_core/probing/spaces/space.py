"""Points in the space that they were measured in, and exact nearest neighbours there: never on a map of it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from mami_core.probing.similarity import best
from mami_core.store import UnitKey

PointKey: TypeAlias = UnitKey | str  # a unit, or a word


@dataclass(frozen=True, eq=False)
class Space:
    """n points with a vector each; points without one are left out. Likeness is the cosine."""

    name: str  # what the vectors are, as the screen says it
    keys: tuple[PointKey, ...]
    vectors: Any  # (n, D) float32 of length 1, dense, or scipy sparse for TF-IDF
    left_out: int = 0  # points that were asked for and have no vector

    @classmethod
    def of(cls, name: str, keys: Sequence[PointKey], vectors: np.ndarray) -> Space:
        """Take dense vectors (m, D); rows that are not finite, or zero, are left out. ValueError where none is left."""
        rows = np.asarray(vectors, dtype=np.float32)
        length = np.linalg.norm(rows, axis=1)
        kept = np.flatnonzero(np.isfinite(length) & (length > 0))
        if len(kept) < 2:
            raise ValueError(f"{name}: fewer than two points have a vector, so there is nothing to lay out")
        return cls(
            name, tuple(keys[at] for at in kept.tolist()), rows[kept] / length[kept, None], len(keys) - len(kept)
        )

    def __len__(self) -> int:
        return len(self.keys)

    @cached_property
    def rows(self) -> dict[PointKey, int]:
        """Return each point's row."""
        return {key: row for row, key in enumerate(self.keys)}

    def likeness(self, row: int) -> np.ndarray:
        """Return the cosine of every point with one, float64 (n,)."""
        found = self.vectors @ self.vectors[[row]].T
        return np.asarray(found.todense() if hasattr(found, "todense") else found, dtype=np.float64).ravel()

    def neighbours(self, row: int, count: int = 10) -> list[tuple[int, float]]:
        """Return the rows most like one with their cosine, best first, ties by row; itself left out. O(n D)."""
        scores = self.likeness(row)
        scores[row] = np.nan
        return [(int(place), float(scores[place])) for place in best(scores, count)]

    @cached_property
    def sha256(self) -> str:
        """Return a name for exactly these points and vectors."""
        digest = hashlib.sha256(repr((self.name, self.keys)).encode())
        sparse = hasattr(self.vectors, "indices")
        parts = (self.vectors.data, self.vectors.indices, self.vectors.indptr) if sparse else (self.vectors,)
        for part in parts:
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()
