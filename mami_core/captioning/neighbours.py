"""Known units, and which of them a unit is most like by the words that are expected of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from safetensors.numpy import load_file, save_file

from mami_core.captioning.agreement import Phrase
from mami_core.captioning.tokens import tokenize
from mami_core.store.atomic import replacing

TENSORS: Final = "neighbours.safetensors"
TEXTS: Final = "neighbours.json"


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Known units' references, and each unit's place in a space of words."""

    projection: np.ndarray  # (W, P) from a unit's word vector
    places: np.ndarray  # (K, P), unit length
    texts: tuple[tuple[str, ...], ...]  # references of each of the K known units

    @classmethod
    def of(cls, vectors: np.ndarray, texts: tuple[tuple[str, ...], ...], *, channels: int = 64) -> Neighbours:
        """Return the neighbourhood of known units' word vectors (K, W), in their first principal directions."""
        _, _, directions = np.linalg.svd(vectors.astype(np.float64), full_matrices=False)
        projection = directions[:channels].T.astype(np.float32)  # (W, P)
        return cls(projection, _unit_length(vectors @ projection), texts)

    def nearest(self, vectors: np.ndarray, count: int) -> np.ndarray:
        """Return the `count` most similar known units, most similar first, (U, count), by cosine."""
        similar = _unit_length(vectors @ self.projection) @ self.places.T  # (U, K)
        return np.argsort(-similar, axis=1, kind="stable")[:, :count]

    def references(self, known: np.ndarray) -> tuple[Phrase, ...]:
        """Return all references of some known units (count,), cut into words."""
        return tuple(tuple(tokenize(text)) for place in known for text in self.texts[place])

    def save(self, folder: Path) -> None:
        """Write them into a captioner's folder, places in half precision."""
        held = {"projection": self.projection, "places": self.places}
        with replacing(folder / TENSORS) as partial:
            # safetensors writes the bytes as they lie, which for a transposed array is not by rows
            save_file({name: np.ascontiguousarray(values, dtype=np.float16) for name, values in held.items()}, partial)
        with replacing(folder / TEXTS) as partial:
            partial.write_text(json.dumps(self.texts, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Neighbours:
        """Read what `save` wrote."""
        held = {name: values.astype(np.float32) for name, values in load_file(folder / TENSORS).items()}
        texts = json.loads((folder / TEXTS).read_text(encoding="utf-8"))
        return cls(held["projection"], held["places"], tuple(tuple(given) for given in texts))


def _unit_length(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-9)).astype(np.float32)
