"""Which words people would use of a unit, read off its regions by one linear map.

Learnt from training units' references alone: no truth enters. A captioner that is told these words, and whose captions
are chosen by them, names what a unit fires for more often than one that has to find the words while it speaks. Ours,
beyond the papers.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
from safetensors.numpy import load_file, save_file

from mami_core.captioning.features import UnitFeatures
from mami_core.store.atomic import replacing

FLOOR: Final = 0.01  # added to both shares: a word that is never used must not have an infinite lift
COMMON: Final = 0.135  # a word that so many references hold says nothing of a unit


@dataclass(frozen=True, eq=False)
class WordReader:
    """A linear map from a unit's mean region to the share of its references that hold each word."""

    words: tuple[str, ...]  # W
    mean: np.ndarray  # (D,) of training units' mean regions
    scale: np.ndarray  # (D,)
    weights: np.ndarray  # (D, W)
    base: np.ndarray  # (W,): the share over all training units

    def shares(self, pooled: np.ndarray) -> np.ndarray:
        """Return what share of a unit's references holds each word, in [0, 1], (U, W), for mean regions (U, D)."""
        if pooled.shape[1:] != self.mean.shape:
            raise ValueError(f"the word reader reads {len(self.mean)} channels, got regions of {pooled.shape[1:]}")
        return np.clip((pooled - self.mean) / self.scale @ self.weights + self.base, 0, 1).astype(np.float32)

    def lift(self, shares: np.ndarray) -> np.ndarray:
        """Return how many times more often than of any unit a word is used, natural logarithm, (U, W)."""
        return np.log((shares + FLOOR) / (self.base + FLOOR)).astype(np.float32)

    def gains(self, shares: np.ndarray) -> dict[str, float]:
        """Return what each content word tells of one unit, shares (W,): share · lift, as parts of a mask are ranked."""
        gains = (shares * self.lift(shares)).tolist()
        told = zip(self.words, gains, self.base.tolist(), strict=True)
        return {word: gain for word, gain, base in told if base < COMMON and word.isalpha()}


@dataclass(frozen=True, eq=False)
class WordVectors:
    """How a unit's words become the one region that a decoder reads: standardised lifts."""

    reader: WordReader
    centre: np.ndarray  # (W,) of training units' lifts, each read by a reader that never saw the unit
    spread: np.ndarray  # (W,)

    def vectors(self, shares: np.ndarray) -> np.ndarray:
        """Return (U, W) float32, mean 0 and deviation 1 over training units."""
        return (self.reader.lift(shares) - self.centre) / self.spread

    def features(self, like: UnitFeatures, shares: np.ndarray) -> UnitFeatures:
        """Return the units of `like` with their words as their only region."""
        return one_region(like, self.vectors(shares))

    def save(self, path: Path) -> None:
        """Write the reader in half precision; words are written by the captioner that it belongs to."""
        reader = {name: getattr(self.reader, name) for name in ("mean", "scale", "weights", "base")}
        tensors = {**reader, "centre": self.centre, "spread": self.spread}
        kept = {name: np.ascontiguousarray(held, dtype=np.float16) for name, held in tensors.items()}
        with replacing(path) as partial:
            save_file(kept, partial)

    @classmethod
    def load(cls, path: Path, words: tuple[str, ...]) -> WordVectors:
        """Read what `save` wrote; ValueError where it is of other words."""
        held: dict[str, Any] = {name: values.astype(np.float32) for name, values in load_file(path).items()}
        if len(held["base"]) != len(words):
            raise ValueError(f"{path} reads {len(held['base'])} words, its captioner lists {len(words)}")
        own = {entry.name for entry in fields(WordReader)} - {"words"}
        return cls(WordReader(words, **{name: held[name] for name in own}), held["centre"], held["spread"])


def one_region(like: UnitFeatures, vectors: np.ndarray) -> UnitFeatures:
    """Return the units of `like` with one region each, vectors (U, W): what decoders without attention read."""
    count = len(vectors)
    return UnitFeatures(
        keys=like.keys,
        grid=(1, 1, 1),
        offsets=np.arange(count + 1),
        cells=np.zeros(count, dtype=np.int32),
        values=vectors.astype(np.float16),
        weights=np.ones(count, dtype=np.float32),
    )
