"""Compositional captions: the formula over concepts that best tells when a unit fires, found by beam search.

Mu and Andreas 2020, "Compositional Explanations of Neurons", equations 2 and 3, with two changes: concepts are what an
encoder sees (`seen_things`), each with its probability, and a formula is held against the whole spectrum: whether the
unit fires in each of thousands of pictures, and on which things where its maps were kept, from strongest to weakest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np

from mami_core.captioning.concepts import JOIN, Concepts, join_members
from mami_core.captioning.formulas import Formula, Operator, Thing
from mami_core.records import Caption
from mami_core.scenery.wording import Meaning

NAME: Final = "compositional"
SCORE: Final = "nats explained, less what length costs"
ALTERNATIVES: Final = 5
_LEAST: Final = 0.002  # of the spread stays unexplained, whatever fits
_NOTHING: Final = 1e-9  # a spread below which values are constant
_AFTER: Final[dict[Operator | None, tuple[Operator, ...]]] = {
    None: ("or", "and", "without"), "or": ("or", "without"), "and": ("and", "without"), "without": (),
}  # fmt: skip


@dataclass(frozen=True)
class SearchSettings:
    """How formulas are searched and judged; the figures were chosen on planted training units."""

    beam: int = 6
    longest: int = 4  # concepts in a formula
    cost: float = 18.0  # nats a concept
    long_cost: float = 40.0  # nats more for each concept after the second
    relation_cost: float = 43.0  # nats more for a relation: there are hundreds of times as many of them
    mask_weight: float = 0.85  # of what masks say; the rest is what all pictures say
    pictures: float = 2000.0  # how many independent pictures there are at most
    things: float = 300.0  # how many independent things the kept maps show at most


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a unit does: in all N pictures, and on the R things of the pictures whose maps were kept."""

    fires: np.ndarray  # float32 (N,), 1 where its peak exceeds its threshold
    rows: np.ndarray  # int64 (R,): which things
    covered: np.ndarray  # float32 (R,): the share of each that its mask covers
    weight: np.ndarray  # float32 (R,): how much each thing counts
    counts: np.ndarray | None = None  # float32 (N,): how often each picture counts; None: once

    def drawn(self, counts: np.ndarray, pictures: np.ndarray) -> Evidence:
        """Return what is known when picture n counts counts[n] times (N,); `pictures` (R,) is each thing's."""
        times = counts.astype(np.float32)
        return replace(self, weight=self.weight * times[pictures], counts=times)


class Found(NamedTuple):
    """A formula with its score; the arrays are what it says of pictures (N,) and of the unit's things (R,)."""

    score: float  # what it explains, less what its length costs
    explains: float  # nats
    formula: Formula
    presence: np.ndarray
    members: np.ndarray


def explained(values: np.ndarray, target: np.ndarray, weight: np.ndarray, count: float) -> np.ndarray:
    """Return how many nats each column of values (n, K) explains of a target (n,): -count/2 · log(1 - r²), (K,).

    r is the weighted correlation, and what goes against the target explains nothing: the log-likelihood gained by a
    line through it, so that a concept which the encoder sees only faintly is not at a disadvantage.
    """
    share = weight / weight.sum()
    mean = share @ target
    spread = share @ (target - mean) ** 2
    if spread <= 0:
        return np.zeros(values.shape[1])
    along = (share * (target - mean)) @ values  # (K,)
    spreads = np.maximum(share @ values**2 - (share @ values) ** 2, _NOTHING)  # (K,)
    r2 = np.maximum(along, 0) ** 2 / (spreads * spread)
    return -0.5 * count * np.log(np.maximum(1 - r2, _LEAST))


class Search:
    """Searches the formulas of one unit."""

    def __init__(self, concepts: Concepts, evidence: Evidence, settings: SearchSettings) -> None:
        self.concepts, self.evidence, self.settings = concepts, evidence, settings
        self.pictures = concepts.things.picture[evidence.rows]  # (R,)
        self.counts = np.ones(len(evidence.fires), np.float32) if evidence.counts is None else evidence.counts
        self.part = concepts.part[evidence.rows]  # (R, P)

    def explains(self, presence: np.ndarray, members: np.ndarray) -> np.ndarray:
        """Return how well presence (N, K) and members (R, K) tell what the unit does, in nats: (K,)."""
        own, settings = self.evidence, self.settings
        seen = explained(presence, own.fires, self.counts, min(settings.pictures, len(own.fires)))
        if not len(own.rows):
            return seen
        masked = explained(members, own.covered, own.weight, min(settings.things, len(own.rows)))
        return (1 - settings.mask_weight) * seen + settings.mask_weight * masked

    def run(self) -> list[Found]:
        """Return the best formulas, best first."""
        settings = self.settings
        best = self._best(self._single())
        front = best
        while front:
            fresh = self._best(found for entry in front for found in self._extended(entry))
            best = _unique([*best, *fresh])[: max(settings.beam, ALTERNATIVES)]
            kept = {entry.formula for entry in best}
            front = [entry for entry in fresh if entry.formula in kept]
        return best

    def _best(self, found: Iterator[Found] | Sequence[Found]) -> list[Found]:
        return _unique(found)[: self.settings.beam]

    def _single(self) -> Iterator[Found]:
        """Yield the formulas of one concept: each part, each look."""
        concepts, vocabulary = self.concepts, self.concepts.vocabulary
        yield from self._judged([Formula(Thing(part)) for part in vocabulary.parts], concepts.parts_in, self.part)
        looks = [Formula(Thing(quality=look)) for look in vocabulary.looks]
        yield from self._judged(looks, concepts.looks_in, concepts.look[self.evidence.rows])

    def _extended(self, entry: Found) -> Iterator[Found]:
        """Yield what a formula becomes with one more thing, or with a quality of its only one."""
        formula = entry.formula
        if formula.length == 1 and formula.first.part is not None:
            yield from self._narrowed(formula.first.part)
        if formula.length >= self.settings.longest or formula.first.part is None:
            return
        for operator in _AFTER[formula.further[-1][0] if formula.further else None]:
            yield from self._joined(entry, operator)

    def _narrowed(self, part: Meaning) -> Iterator[Found]:
        number = self.concepts.index(part)
        kinds, presence = self.concepts.of_part(number)
        yield from self._judged([Formula(kind) for kind in kinds], presence,
                                self.concepts.narrowed(number, self.evidence.rows))  # fmt: skip

    def _joined(self, entry: Found, operator: Operator) -> Iterator[Found]:
        parts, there = self.concepts.vocabulary.parts, self.concepts.parts_in  # (N, P)
        named = {thing.part for thing in entry.formula.things}
        new = np.array([part not in named for part in parts])
        presence = JOIN[operator](entry.presence[:, None], there[:, new])  # (N, K)
        members = join_members(
            operator, entry.members[:, None], self.part[:, new],
            entry.presence[self.pictures][:, None], there[self.pictures][:, new],
        )  # fmt: skip
        formulas = [entry.formula.joined(operator, Thing(part)) for part in parts if part not in named]
        yield from self._judged(formulas, presence, members)

    def _judged(self, formulas: Sequence[Formula], presence: np.ndarray, members: np.ndarray) -> Iterator[Found]:
        """Yield the beam's worth of formulas that score best among these."""
        settings = self.settings
        costs = [_cost(formula, settings) for formula in formulas]
        explains = self.explains(presence, members)
        scores = explains - np.array(costs)
        for place in np.argsort(-scores, kind="stable")[: settings.beam]:
            yield Found(float(scores[place]), float(explains[place]), formulas[place], presence[:, place],
                        members[:, place])  # fmt: skip


def _cost(formula: Formula, settings: SearchSettings) -> float:
    """Return what a formula's length costs, in nats."""
    relations = sum(thing.relation is not None for thing in formula.things)
    beyond = max(formula.length - 2, 0)
    return settings.cost * formula.length + settings.long_cost * beyond + settings.relation_cost * relations


def _unique(found: Iterator[Found] | Sequence[Found]) -> list[Found]:
    """Return formulas best first, each once; the first of equals."""
    ordered = sorted(found, key=lambda entry: -entry.score)
    return list({entry.formula: entry for entry in reversed(ordered)}.values())[::-1]


def said(found: Sequence[Found]) -> Caption:
    """Return the best formula as a caption, with the next best; `failed` where none tells anything of the unit."""
    unknown = float("nan")
    if not found or found[0].explains <= 0:
        return Caption(NAME, (), unknown, unknown, state="failed")
    text = found[0].formula.words()
    return Caption(
        NAME,
        tuple(text.split()),
        unknown,
        unknown,
        alternatives=tuple((entry.formula.words(), entry.score) for entry in found[:ALTERNATIVES]),
        written=text,
        score=found[0].score,
    )
