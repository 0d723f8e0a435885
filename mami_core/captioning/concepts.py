"""How surely each picture, and each thing in it, is what a formula says: shared by all units of a dissection.

A thing is of a kind with the product of its probabilities; a picture holds a kind as surely as its surest thing does.
"Or" is the larger, "and" the smaller of two pictures' values, "without" the first times what the second leaves of one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from typing import Final

import numpy as np

from mami_core.captioning.formulas import Formula, Operator, Thing
from mami_core.captioning.seen_things import POSITIONS, RELATIONS, SIZES, SeenThings, Vocabulary
from mami_core.scenery.wording import Meaning

_FAINT: Final = 0.01  # things that are less probably a part are left out of its tables


class Concepts:
    """Tables of the N pictures, made when they are first asked for."""

    def __init__(self, things: SeenThings, vocabulary: Vocabulary) -> None:
        self.things, self.vocabulary = things, vocabulary
        self.qualities: tuple[Meaning, ...] = (*vocabulary.looks, *POSITIONS, *SIZES)
        self.of_part = lru_cache(maxsize=None)(self._of_part)

    @cached_property
    def part(self) -> np.ndarray:
        """Return how surely each thing is seen as each part, float32 (S, P)."""
        return self.things.part * self.things.seen[:, None]

    @cached_property
    def look(self) -> np.ndarray:
        """Return how surely each thing is seen to look so, float32 (S, L)."""
        return self.things.look * self.things.seen[:, None]

    @cached_property
    def quality(self) -> np.ndarray:
        """Return how surely each thing has each quality, float32 (S, Q)."""
        return np.concatenate([self.things.look, self.things.places, self.things.sizes], 1)

    @cached_property
    def parts_in(self) -> np.ndarray:
        """Return how surely each picture holds each part, float32 (N, P)."""
        return self.things.in_pictures(self.part)

    @cached_property
    def looks_in(self) -> np.ndarray:
        """Return how surely each picture holds anything that looks so, float32 (N, L)."""
        return self.things.in_pictures(self.look)

    def touched(self, rows: np.ndarray, relation: str) -> np.ndarray:
        """Return how surely each of some things is above, below or beside each part, float32 (rows, P)."""
        pairs = self.things.contacts[relation]  # ascending in their first
        place = np.full(len(self.part), -1)
        place[rows] = np.arange(len(rows))
        pairs = pairs[place[pairs[:, 0]] >= 0]
        found = np.zeros((len(rows), self.part.shape[1]), np.float32)
        first, starts = np.unique(pairs[:, 0], return_index=True)
        if len(pairs):
            found[place[first]] = np.maximum.reduceat(self.part[pairs[:, 1]], starts, axis=0)
        return found

    def _of_part(self, part: int) -> tuple[list[Thing], np.ndarray]:
        """Return the kinds of one part that have a quality or touch another part, and presence (N, kinds)."""
        rows = np.flatnonzero(self.part[:, part] > _FAINT)
        values = self.narrowed(part, rows)  # (rows, kinds)
        there, first = np.unique(self.things.picture[rows], return_index=True)
        presence = np.zeros((len(self.things.labels), values.shape[1]), np.float32)
        if len(rows):
            presence[there] = np.maximum.reduceat(values, first, axis=0)
        return self._kinds(part), presence

    def _kinds(self, part: int) -> list[Thing]:
        own = self.vocabulary.parts[part]
        kinds = [Thing(own, quality) for quality in self.qualities]
        kinds += [Thing(own, look, denied=True) for look in self.vocabulary.looks]
        return kinds + [Thing(own, relation=name, other=other)
                        for name in RELATIONS for other in self.vocabulary.parts if other != own]  # fmt: skip

    def narrowed(self, part: int, rows: np.ndarray) -> np.ndarray:
        """Return how surely some things are of each of the kinds of a part, float32 (rows, kinds)."""
        looks = len(self.vocabulary.looks)
        quality = self.quality[rows]  # (rows, Q)
        others = np.arange(self.part.shape[1]) != part
        touched = [self.touched(rows, name)[:, others] for name in RELATIONS]
        return np.concatenate([quality, 1 - quality[:, :looks], *touched], 1) * self.part[rows, part][:, None]

    def index(self, meaning: Meaning) -> int:
        """Return the number of a part; ValueError for what is none."""
        return self.vocabulary.parts.index(meaning)

    def members(self, thing: Thing, rows: np.ndarray) -> np.ndarray:
        """Return how surely some things are of a kind, float32 (rows,)."""
        if thing.part is None:
            return self.look[rows, self.vocabulary.looks.index(_quality_of(thing))]
        own = self.part[rows, self.index(thing.part)]
        if thing.relation is not None and thing.other is not None:
            return own * self.touched(rows, thing.relation)[:, self.index(thing.other)]
        if thing.quality is None:
            return own
        has = self.quality[rows, self.qualities.index(thing.quality)]
        return own * (1 - has if thing.denied else has)

    def presence(self, thing: Thing) -> np.ndarray:
        """Return how surely each picture holds such a thing, float32 (N,)."""
        every = np.arange(len(self.part))
        return self.things.in_pictures(self.members(thing, every)[:, None])[:, 0]


def _quality_of(thing: Thing) -> Meaning:
    assert thing.quality is not None  # a thing has a part or a quality
    return thing.quality


JOIN: Final[dict[Operator, Callable[[np.ndarray, np.ndarray], np.ndarray]]] = {
    "or": np.maximum,
    "and": np.minimum,
    "without": lambda first, second: first * (1 - second),
}


def evaluate(concepts: Concepts, formula: Formula, rows: Sequence[int] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how surely each picture (N,), and each of some things (rows,), is what a formula says."""
    chosen = np.asarray(rows)
    pictures = concepts.things.picture[chosen]
    there, member = concepts.presence(formula.first), concepts.members(formula.first, chosen)
    for operator, thing in formula.further:
        presence = concepts.presence(thing)
        member = join_members(operator, member, concepts.members(thing, chosen), there[pictures], presence[pictures])
        there = JOIN[operator](there, presence)
    return there, member


def join_members(
    operator: Operator, first: np.ndarray, second: np.ndarray, there: np.ndarray, joined: np.ndarray
) -> np.ndarray:
    """Return how surely things are meant by two formulas joined, given how surely their pictures hold each."""
    if operator == "or":
        return np.maximum(first, second)
    if operator == "and":
        return np.maximum(first, second) * np.minimum(there, joined)
    return first * (1 - joined)
