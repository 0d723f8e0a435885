"""Draw the rules of planted neurons from what a sample of scenes holds, so that each has enough images to fire for.

A condition must matter: "red cars" is drawn only where some cars are red and others are not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice, product
from typing import Any, Final, Literal, TypeVar

import numpy as np

from mami_core.scenery.lexicon import POSITION_WORDS
from mami_core.scenery.parts import COLOURS, LIGHTS, PARTS, PLACES, TEXTURES
from mami_core.scenery.planted.rules import FAMILIES, Rule, Term
from mami_core.scenery.planted.things import Things
from mami_core.scenery.wording import Meaning

T = TypeVar("T")

COUNTS: Final[Mapping[str, int]] = {
    "single": len(PARTS), "or": 90, "and": 100, "not": 64, "size": 60, "position": 60, "texture": 36, "colour": 48,
    "relation": 56, "spurious": 50, "noisy": 48, "dead": 24,
}  # fmt: skip
RARE: Final = 0.015  # share of the scenes below which fifteen exemplars might not be found
NOISE: Final = (0.0, 0.05, 0.1)
MUCH_NOISE: Final = (0.2, 0.3, 0.4)
_MATTERS: Final = (0.12, 0.8)  # share of a kind's things, or of its scenes, for which a further condition holds
_MOST: Final = 0.75  # share of the scenes above which a rule says nothing
_SMALL, _LARGE = 0.3, 0.7  # quantiles of a part's sizes
_PLAIN: Final = TEXTURES.index("plain")


@dataclass(frozen=True, eq=False)
class Census:
    """A sample of scenes, counted."""

    scenes: Sequence[Things]

    @cached_property
    def table(self) -> np.ndarray:
        """Return a row per thing that is seen: scene, part, colour, texture, pixels."""
        rows = [
            np.column_stack([np.full(len(things.looks), number), things.looks, things.pixels])[things.seen]
            for number, things in enumerate(self.scenes)
        ]
        return np.concatenate(rows).astype(np.int64)

    @cached_property
    def has_part(self) -> np.ndarray:
        """Tell which scene has which part, bool (scenes, parts)."""
        found = np.zeros((len(self.scenes), len(PARTS)), dtype=bool)
        found[self.table[:, 0], self.table[:, 1]] = True
        return found

    def prevalence(self, rule: Rule) -> float:
        """Return the share of scenes that a rule fires in."""
        return float(np.mean([rule.matches(things) for things in self.scenes]))

    @cached_property
    def parts(self) -> list[str]:
        """Return the parts that are neither too rare nor everywhere."""
        share = self.has_part.mean(0)
        return [name for name, seen in zip(PARTS, share, strict=True) if RARE <= seen <= _MOST]

    def looks_of(self, part: str, column: int) -> dict[int, float]:
        """Return the share of a part's things that has each colour (column 2) or texture (column 3)."""
        own = self.table[self.table[:, 1] == PARTS.index(part), column]
        values, counts = np.unique(own, return_counts=True)
        return dict(zip(values.tolist(), (counts / len(own)).tolist(), strict=True))


def draw_rules(scenes: Sequence[Things], seed: int, *, scale: float = 1.0) -> dict[str, list[Rule]]:
    """Return rules by family. No composition of two conditions occurs twice, so a split by rule is clean.

    With few scenes a family may come out smaller than `COUNTS` says, as its rules must be seen to fire.
    """
    census, rules = Census(scenes), {}
    taken: set[tuple[Meaning, ...]] = set()
    for number, family in enumerate(FAMILIES):
        rng = np.random.default_rng([seed, number])
        wanted = max(2, round(COUNTS[family] * min(scale, 1.0)))
        usable = _usable(census, _PROPOSALS[family](census, rng), taken)
        levels = MUCH_NOISE if family == "noisy" else NOISE
        rules[family] = [
            replace(rule, noise=0.0 if family == "dead" else levels[row % len(levels)])
            for row, rule in enumerate(islice(usable, wanted))
        ]
    return rules


def _usable(census: Census, proposals: Iterator[Rule], taken: set[tuple[Meaning, ...]]) -> Iterator[Rule]:
    for rule in proposals:
        fresh = len(rule.composition) < 2 or rule.composition not in taken
        if rule.family == "dead" or (fresh and RARE <= census.prevalence(rule) <= _MOST):
            taken.add(rule.composition)
            yield rule


def _shuffled(items: Sequence[T], rng: np.random.Generator) -> list[T]:
    return [items[index] for index in rng.permutation(len(items))]


def _matters(share: float) -> bool:
    return _MATTERS[0] <= share <= _MATTERS[1]


def _single(census: Census, rng: np.random.Generator, family: str = "single") -> Iterator[Rule]:
    for part in _shuffled(census.parts, rng):
        yield Rule(family, (Term(part),))


def _noisy(census: Census, rng: np.random.Generator) -> Iterator[Rule]:
    return _single(census, rng, "noisy")


def _or(census: Census, rng: np.random.Generator) -> Iterator[Rule]:
    for first, second in _pairs(census.parts, rng):
        yield Rule("or", (Term(first), Term(second)), "or")


def _pairs(parts: Sequence[str], rng: np.random.Generator) -> Iterator[tuple[str, str]]:
    every = [(first, second) for at, first in enumerate(parts) for second in parts[at + 1 :]]
    for first, second in _shuffled(every, rng):
        yield (first, second) if rng.random() < 0.5 else (second, first)


def _and(census: Census, rng: np.random.Generator) -> Iterator[Rule]:
    """Propose, in turn, a part with a look, and two parts in one scene."""
    looks = [Rule("and", (term,)) for term in _shuffled(_described_parts(census), rng)]
    together = (
        Rule("and", (Term(first), Term(second)), "and")
        for first, second in _pairs(census.parts, rng)
        if _matters(_given(census, first, second)) and _matters(_given(census, second, first))
    )
    for look, pair in zip(looks, together, strict=False):
        yield look
        yield pair


def _described_parts(census: Census) -> list[Term]:
    """Return parts with a colour or a texture that some of their things have and others have not."""
    terms = []
    for part in census.parts:
        terms += [Term(part, COLOURS[look]) for look, share in census.looks_of(part, 2).items() if _matters(share)]
        textures = census.looks_of(part, 3).items()
        terms += [Term(part, texture=TEXTURES[look]) for look, share in textures if look != _PLAIN and _matters(share)]
    return terms


def _given(census: Census, first: str, second: str) -> float:
    """Return the share of the first part's scenes that hold the second."""
    with_first = census.has_part[census.has_part[:, PARTS.index(first)]]
    return float(with_first[:, PARTS.index(second)].mean())


def _not(census: Census, rng: np.random.Generator) -> Iterator[Rule]:
    """Propose, in turn, a part that does not look so, and a part without another in the scene."""
    looks = [
        Rule("not", (Term(str(term.part)),), without=replace(term, part=None))
        for term in _shuffled(_described_parts(census), rng)
    ]
    absent = (
        Rule("not", (Term(first),), without=Term(second))
        for first, second in _pairs(census.parts, rng)
        if 0.25 <= _given(census, first, second) <= _MATTERS[1]
    )
    for look, pair in zip(looks, absent, strict=False):
        yield look
        yield pair


def _size(census: Census, rng: np.random.Generator) -> Iterator[Rule]:
    sizes: tuple[Literal["small", "large"], ...] = ("small", "large")
    for part, size in _shuffled(list(product(census.parts, sizes)), rng):
        pixels = census.table[census.table[:, 1] == PARTS.index(part), 4]
        small, large = np.quantile(pixels, [_SMALL, _LARGE])
        if large >= 1.8 * small:
            yield Rule("size", (Term(part),), size=size, limit=int(small if size == "small" else large))


def _position(census: Census, rng: np.random.Generator) -> Iterator[Rule]:
    for part, position in _shuffled(list(product(census.parts, POSITION_WORDS)), rng):
        rule = Rule("position", (Term(part),), position=position)
        if _matters(census.prevalence(rule) / census.has_part[:, PARTS.index(part)].mean()):
            yield rule


def _texture(census: Census, rng: np.random.Generator) -> Iterator[Rule]:  # noqa: ARG001
    rules = [Rule("texture", (Term(texture=name),)) for index, name in enumerate(TEXTURES) if index != _PLAIN]
    for _ in range(COUNTS["texture"] // len(rules)):
        yield from rules


def _colour(census: Census, rng: np.random.Generator) -> Iterator[Rule]:  # noqa: ARG001
    rules = [Rule("colour", (Term(colour=name),)) for name in COLOURS]
    for _ in range(COUNTS["colour"] // len(rules)):
        yield from rules


def _relation(census: Census, rng: np.random.Generator) -> Iterator[Rule]:
    relations: tuple[Literal["above", "below", "beside"], ...] = ("above", "below", "beside")
    for (first, second), relation in _shuffled(list(product(_pairs(census.parts, rng), relations)), rng):
        if _given(census, first, second) < _MATTERS[0]:
            continue
        rule = Rule("relation", (Term(first),), relation=relation, other=Term(second))
        if _matters(census.prevalence(rule) / census.has_part[:, PARTS.index(first)].mean()):
            yield rule


def _spurious(census: Census, rng: np.random.Generator) -> Iterator[Rule]:
    """Propose a part with a place, a light or a colour of its own that goes with some of it, but not with most."""
    decoys = [Meaning("place", name) for name in PLACES] + [Meaning("light", name) for name in LIGHTS]
    decoys += [Meaning("colour", name) for name in COLOURS]
    for part, decoy in _shuffled(list(product(census.parts, decoys)), rng):
        rule = Rule("spurious", (Term(part),), decoy=decoy)
        fires = [(rule.select(things), rule.decoyed(things)) for things in census.scenes]
        with_decoy = float(np.mean([(selected & decoyed).any() for selected, decoyed in fires]))
        present = float(np.mean([selected.any() for selected, _ in fires]))
        if with_decoy >= RARE and 0.08 <= with_decoy / present <= 0.5:
            yield rule


def _dead(census: Census, rng: np.random.Generator) -> Iterator[Rule]:  # noqa: ARG001
    while True:
        yield Rule("dead")


_PROPOSALS: Final[Mapping[str, Callable[[Census, np.random.Generator], Iterator[Rule]]]] = {
    "single": _single, "or": _or, "and": _and, "not": _not, "size": _size, "position": _position, "texture": _texture,
    "colour": _colour, "relation": _relation, "spurious": _spurious, "noisy": _noisy, "dead": _dead,
}  # fmt: skip


def split_rules(rules: Mapping[str, Sequence[Rule]], seed: int, shares: Mapping[str, float]) -> dict[str, Any]:
    """Return (family, number) of each rule by split; rules of one composition are never on two sides.

    Families are gone through in order, each composition going where it first went: a part that is tested as a single
    rule is tested in the noisy and the spurious family too.
    """
    rng = np.random.default_rng([seed, 99])
    names, ends = list(shares), np.cumsum(list(shares.values()))
    side: dict[Any, str] = {}
    splits: dict[str, list[tuple[str, int]]] = {name: [] for name in names}
    for family, members in rules.items():
        keys = [rule.composition or ("dead", number) for number, rule in enumerate(members)]
        fresh = [key for key in dict.fromkeys(keys) if key not in side]
        for place, index in enumerate(rng.permutation(len(fresh))):
            side[fresh[index]] = names[int(np.searchsorted(ends, (place + 0.5) / len(fresh)))]
        for number, key in enumerate(keys):
            splits[side[key]].append((family, number))
    return splits
