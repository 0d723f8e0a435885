"""Formulas over concepts, and how they are said: Mu and Andreas 2020, "Compositional Explanations of Neurons", §2.

A thing is a part, perhaps with one quality (a look, a size, a place; a look may be denied) or touching another part, or
a look by itself. Things are joined by "or", "and" (both in one picture) and "without" (the second not in the picture).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from mami_core.scenery.lexicon import CATEGORIES
from mami_core.scenery.wording import Meaning

Operator: TypeAlias = Literal["or", "and", "without"]
ANYTHING: Final = "things"


@dataclass(frozen=True, slots=True)
class Thing:
    """One kind of thing. Without a part it has a quality: anything that looks so."""

    part: Meaning | None = None
    quality: Meaning | None = None
    denied: bool = False  # whatever does not have the quality
    relation: str | None = None
    other: Meaning | None = None  # the part that it must touch

    def __post_init__(self) -> None:
        if self.part is None and self.quality is None:
            raise ValueError("a thing has a part or a quality")
        if (self.relation is None) != (self.other is None):
            raise ValueError("a relation and the other part go together")

    @property
    def length(self) -> int:
        """Return how many concepts it takes; a relation is none, it is between two."""
        return sum(entry is not None for entry in (self.part, self.quality, self.other))

    def words(self) -> str:
        """Return it in the plainest words, in the plural."""
        noun = ANYTHING if self.part is None else plural(self.part)
        if self.relation is not None and self.other is not None:
            return f"{noun} {adjective(Meaning('relation', self.relation))} {plural(self.other)}"
        if self.quality is None:
            return noun
        if self.denied:
            return f"{noun} that are not {adjective(self.quality)}"
        if self.quality.category == "position":
            return f"{noun} at the {singular(self.quality)} of the image"
        return f"{adjective(self.quality)} {noun}"


@dataclass(frozen=True, slots=True)
class Formula:
    """A thing, and what is joined to it, from left to right."""

    first: Thing
    further: tuple[tuple[Operator, Thing], ...] = ()

    @property
    def things(self) -> tuple[Thing, ...]:
        """Return all its things, those that must be absent among them."""
        return (self.first, *(thing for _, thing in self.further))

    @property
    def length(self) -> int:
        """Return how many concepts it takes."""
        return sum(thing.length for thing in self.things)

    def joined(self, operator: Operator, thing: Thing) -> Formula:
        """Return the formula with one more thing."""
        return Formula(self.first, (*self.further, (operator, thing)))

    def words(self) -> str:
        """Return it as a caption: what the fixed grammar reads is the formula."""
        text = self.first.words()
        for operator, thing in self.further:
            text = f"{text} {operator} {thing.words()}"
        return f"{text} in one image" if self.further and self.further[-1][0] == "and" else text


def _words_of(meaning: Meaning) -> tuple[str, str, str]:
    """Return singular, plural and adjective of what a meaning is usually called."""
    words = CATEGORIES[meaning.category][meaning.name]
    singular_, plural_ = (words.nouns[0].singular, words.nouns[0].plural) if words.nouns else ("", "")
    return singular_, plural_, words.adjectives[0] if words.adjectives else singular_


def singular(meaning: Meaning) -> str:
    """Return the usual noun."""
    return _words_of(meaning)[0]


def plural(meaning: Meaning) -> str:
    """Return the usual noun's plural."""
    return _words_of(meaning)[1]


def adjective(meaning: Meaning) -> str:
    """Return the usual adjective."""
    return _words_of(meaning)[2]
