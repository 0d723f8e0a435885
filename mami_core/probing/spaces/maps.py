"""A map: where points lie, in which groups, how far it can be trusted; kept by content, so that it is made once."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from mami_core.probing.spaces.projection import REDUCED, Method, positions, principal, trustworthiness
from mami_core.probing.spaces.space import Space
from mami_core.probing.words import Texts, words_of
from mami_core.store.kept_results import KeptResults

KIND: Final = "maps"
_ENDING: Final = "npz"
_CLEAR: Final = 0.15  # share of a group's texts that a word must be in to name it


@dataclass(frozen=True, eq=False)
class Map:
    """A plane with n points."""

    method: Method
    places: np.ndarray  # (n, 2) float32
    groups: np.ndarray  # (n,) int32: k-means in the space, largest group 0
    trust: float  # trustworthiness, see `projection.trustworthiness`


def make_map(space: Space, method: Method, *, groups: int = 12, seed: int = 0) -> Map:
    """Return a space's map, made now or in an earlier run."""
    kept = kept_map(space, method, groups=groups, seed=seed)
    if kept is not None:
        return kept
    plane = positions(space, method, seed=seed)
    made = Map(method, plane, grouped(space, groups, seed=seed), trustworthiness(space, plane))
    buffer = io.BytesIO()
    np.savez(buffer, places=made.places, groups=made.groups)
    facts = {"space": space.name, "points": len(space), "trust": made.trust}
    _results(space, method).keep(_name(groups, seed), facts, {_ENDING: buffer.getvalue()})
    return made


def kept_map(space: Space, method: Method, *, groups: int = 12, seed: int = 0) -> Map | None:
    """Return a map that was made before; None where it was not."""
    found = _results(space, method).find(_name(groups, seed))
    if found is None:
        return None
    with np.load(io.BytesIO(found.read(_ENDING)), allow_pickle=False) as arrays:
        return Map(method, arrays["places"], arrays["groups"], float(found.facts["trust"]))


def _results(space: Space, method: Method) -> KeptResults:
    return KeptResults(KIND, space.sha256, method)


def _name(groups: int, seed: int) -> str:
    return f"{groups} groups, seed {seed}"


def grouped(space: Space, count: int, *, seed: int = 0) -> np.ndarray:
    """Return each point's group int32 (n,): k-means on the first 50 principal components, largest group 0."""
    from sklearn.cluster import KMeans

    reduced = principal(space.vectors, min(REDUCED, *space.vectors.shape), seed=seed)
    distinct = len(np.unique(reduced, axis=0))
    found = KMeans(min(count, distinct), n_init=1, random_state=seed).fit_predict(reduced)
    order = np.argsort(-np.bincount(found), kind="stable")
    return np.argsort(order)[found].astype(np.int32)


def group_names(groups: np.ndarray, texts: Texts) -> list[str]:
    """Return two words for each group that its texts hold and others' do not; "" where no word stands out."""
    said = [set(words_of(text)) if text else set() for text in texts]
    every = _shares(said)
    return [
        _name_of(_shares([words for words, own in zip(said, groups, strict=True) if own == group]), every)
        for group in range(int(groups.max()) + 1)
    ]


def _shares(said: Sequence[set[str]]) -> dict[str, float]:
    counts: dict[str, int] = {}
    for words in said:
        for word in words:
            counts[word] = counts.get(word, 0) + 1
    return {word: count / max(len(said), 1) for word, count in counts.items()}


def _name_of(own: dict[str, float], every: dict[str, float]) -> str:
    gain = {word: share * np.log(share / every[word]) for word, share in own.items() if share >= _CLEAR}
    best = sorted((word for word in gain if gain[word] > 0), key=lambda word: (-gain[word], word))
    return ", ".join(best[:2])
