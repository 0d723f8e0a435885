"""Read a caption by one fixed grammar: which parts, looks, positions and places it names, in what order.

The grammar: split into words and commas; at each word take the longest phrase of the lexicon (a comma ends a phrase);
after "no", "not", "without" everything up to a comma, "but", a relation or a new preposition is denied, not named.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mami_core.scenery.fillers import FILLERS
from mami_core.scenery.lexicon import LONGEST_PHRASE, NEGATIONS, OPERATORS, PHRASES
from mami_core.scenery.wording import Meaning

_TOKEN = re.compile(r"[a-z0-9']+|[,;.]")
_STOPS = frozenset({",", ";", "."})
_CLAUSE_STARTS = frozenset({"in", "on", "at", "with", "near", "from", "that", "which"})


@dataclass(frozen=True, slots=True)
class CaptionMeaning:
    """What a caption says. Names stand once each, in the order in which they are first said."""

    meanings: tuple[Meaning, ...]  # everything affirmed
    negated: tuple[Meaning, ...]
    operator: str | None  # "or", "and", None where nothing is joined; "or" wins where both occur
    unread_words: tuple[str, ...]
    words: int

    def names(self, category: str) -> tuple[str, ...]:
        """Return the affirmed names of one category: part, colour, texture, position, place, light, relation…"""
        return tuple(meaning.name for meaning in self.meanings if meaning.category == category)

    @property
    def parts(self) -> tuple[str, ...]:
        return self.names("part")

    @property
    def colours(self) -> tuple[str, ...]:
        return self.names("colour")

    @property
    def textures(self) -> tuple[str, ...]:
        return self.names("texture")

    @property
    def positions(self) -> tuple[str, ...]:
        return self.names("position")

    @property
    def places(self) -> tuple[str, ...]:
        return self.names("place")

    @property
    def relations(self) -> tuple[str, ...]:
        return self.names("relation")


def read_caption(text: str) -> CaptionMeaning:
    """Read one caption; any text is allowed, words outside the lexicon are handed back as unread."""
    tokens = _TOKEN.findall(text.lower().replace("-", " "))
    affirmed: dict[Meaning, None] = {}
    negated: dict[Meaning, None] = {}
    operators: set[str] = set()
    unread: list[str] = []
    denying = denied = False
    at = 0
    while at < len(tokens):
        token = tokens[at]
        meaning, length = _longest_phrase(tokens, at)
        if meaning is not None:
            denying = denying and not (denied and meaning.category == "relation")
            (negated if denying else affirmed).setdefault(meaning)
            denied = denying
        elif token in NEGATIONS:
            denying, denied = True, False
        elif token in _STOPS or token == "but" or (denied and token in _CLAUSE_STARTS):
            denying = denied = False
        elif token in OPERATORS:
            operators.add(OPERATORS[token])
        elif token not in FILLERS:
            unread.append(token)
        at += length
    return CaptionMeaning(
        meanings=tuple(affirmed),
        negated=tuple(negated),
        operator="or" if "or" in operators else next(iter(operators), None),
        unread_words=tuple(unread),
        words=sum(token not in _STOPS for token in tokens),
    )


def words_in(text: str) -> list[str]:
    """Return a caption's words as the grammar cuts them."""
    return [token for token in _TOKEN.findall(text.lower().replace("-", " ")) if token not in _STOPS]


def _longest_phrase(tokens: Sequence[str], at: int) -> tuple[Meaning | None, int]:
    """Return the meaning of the longest phrase that starts here and its number of words, (None, 1) for none."""
    for length in range(min(LONGEST_PHRASE, len(tokens) - at), 0, -1):
        meaning = PHRASES.get(tuple(tokens[at : at + length]))
        if meaning is not None:
            return meaning, length
    return None, 1
