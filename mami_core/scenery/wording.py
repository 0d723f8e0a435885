"""How a table of words is written down: nouns with their plurals, adjectives, and the meaning they carry."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

IRREGULAR_PLURALS = {
    "person": "people",
    "man": "men",
    "woman": "women",
    "child": "children",
    "cactus": "cacti",
    "shelf": "shelves",
    "bookshelf": "bookshelves",
    "calf": "calves",
    "bus": "buses",
    "minibus": "minibuses",
    "gallery": "galleries",
}


class Meaning(NamedTuple):
    """What a phrase stands for, e.g. ("part", "roof") or ("colour", "red")."""

    category: str
    name: str


@dataclass(frozen=True, slots=True)
class Noun:
    """One noun phrase. `plural` equals `singular` for words that are not counted ("snow", "drapes")."""

    singular: str
    plural: str

    @property
    def counted(self) -> bool:
        """Say whether the noun takes an article in the singular."""
        return self.singular != self.plural


@dataclass(frozen=True, slots=True)
class Words:
    """Every way to say one thing: the first noun (or adjective) is the usual one."""

    nouns: tuple[Noun, ...]
    adjectives: tuple[str, ...]

    def phrases(self) -> set[str]:
        """Return all surface forms."""
        return {noun.singular for noun in self.nouns} | {noun.plural for noun in self.nouns} | set(self.adjectives)


def pluralise(phrase: str) -> str:
    """Return the plural of a noun phrase; in "row of seats" the word before "of" changes."""
    head, of, tail = phrase.partition(" of ")
    if of:
        return f"{pluralise(head)} of {tail}"
    before, space, last = head.rpartition(" ")
    return f"{before}{space}{_plural_word(last)}"


def _plural_word(word: str) -> str:
    if word in IRREGULAR_PLURALS:
        return IRREGULAR_PLURALS[word]
    if re.search(r"[^aeiou]y$", word):
        return f"{word[:-1]}ies"
    return f"{word}es" if re.search(r"(s|x|z|ch|sh)$", word) else f"{word}s"


def read_words(entry: str) -> Words:
    """Read "roof, rooftop, ~roofing, =roofed": counted nouns, ~ uncounted ones, = adjectives."""
    nouns: list[Noun] = []
    adjectives: list[str] = []
    for phrase in entry.split(", "):
        if phrase.startswith("="):
            adjectives.append(phrase[1:])
        elif phrase.startswith("~"):
            nouns.append(Noun(phrase[1:], phrase[1:]))
        else:
            nouns.append(Noun(phrase, pluralise(phrase)))
    return Words(tuple(nouns), tuple(adjectives))


def read_table(table: dict[str, str]) -> dict[str, Words]:
    """Read a table of entries as `read_words` does."""
    return {name: read_words(entry) for name, entry in table.items()}
