"""What annotators who know a planted neuron's rule say of it: short, or long with remarks that add words, not claims.

Everything that is said can be read back by `scenery.reading`: the rule's looks, position, size, relation and denials,
nothing more and nothing less. Places, lights and sizes that the rule does not ask for are never mentioned.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from mami_core.scenery.annotators import INTRODUCTIONS
from mami_core.scenery.lexicon import (
    COLOUR_WORDS,
    PART_WORDS,
    POSITION_WORDS,
    RELATION_WORDS,
    SIZE_WORDS,
    TEXTURE_WORDS,
)
from mami_core.scenery.planted.rules import Rule, Term
from mami_core.scenery.wording import Words

Style = Literal["short", "long"]
STYLES: tuple[Style, ...] = ("short", "long")

_SURFACES = ("things", "objects", "surfaces", "areas", "regions", "items")
_TOGETHER = ("{} and {} in one image", "{} and {} together", "both {} and {}", "{} and {}")
_EITHER = ("{} or {}", "either {} or {}", "{} or {}", "{} or also {}")
_NOT_SO = ("{thing} that are not {look}", "{thing}, but not the {look} ones", "{thing} except {look} ones")
_ABSENT = (
    "{thing} without {other}",
    "{thing} where there is no {one}",
    "{thing} with no {one}",
    "{thing} but no {one}",
)
_AT = ("{thing} at the {where} of the image", "{thing} in the {where} of the {image}", "{thing} on the {where}")
_IMAGES = ("image", "photo", "frame", "view", "scene")
_REMARKS = (
    ", wherever they appear", ", whatever else the images show", ", shown from different angles", ", clearly visible",
    ", repeated several times", ", seen again in each of the examples", ", seen in all kinds of settings",
    ", these are what it takes for the unit", ", this is all that the unit responds to", ", partly hidden at times",
    ", in nearly all of the examples", ", some of them seen close up", ", it is the same in every one of the photos",
    ", now the whole thing, now only a bit of it", ", one after another", ", placed at different angles",
)  # fmt: skip
_COLOUR_REMARKS = (", of any color", ", in many different colors", ", whatever color they have")
_EITHER_REMARKS = (", one of the two is enough", ", each of them is enough alone", ", one kind as well as the other")
_TOGETHER_REMARKS = (", only when the two are seen together", ", one of the two alone is never enough")
_ONLY_REMARKS = (", only these, others of the kind leave it silent", ", the others of the kind do not count")
_MOST_REMARKS = (0.0, 0.4, 0.4, 0.2)  # how often a long description adds 0, 1, 2, 3 remarks


def describe_rule(rule: Rule, *, style: Style, seed: int) -> tuple[str, str, str]:
    """Return three descriptions of a rule, lower case, no full stop; the same for a seed for ever.

    ValueError for a dead neuron, of which nothing can be said.
    """
    if not rule.terms:
        raise ValueError("a dead neuron has no description")
    first, second, third = (_Writer(rule, np.random.default_rng([seed, number])).write(style) for number in range(3))
    return first, second, third


def oracle_caption(rule: Rule) -> str:
    """Return the rule in its plainest words: the best caption there is, since it is the truth."""
    return _Writer(rule, None).write("short")


class _Writer:
    """Words for one rule in one description; without a generator always the usual ones."""

    def __init__(self, rule: Rule, rng: np.random.Generator | None) -> None:
        self.rule = rule
        self.rng = rng

    def write(self, style: Style) -> str:
        text = self._statement()
        if style == "short":
            return text
        remarks = self._remarks()
        chosen: list[str] = []
        if self.rng is not None:
            count = int(self.rng.choice(len(_MOST_REMARKS), p=_MOST_REMARKS))
            chosen = [remarks[index] for index in self.rng.permutation(len(remarks))[:count]]
        return f"{self._choose(INTRODUCTIONS)} {text}" + "".join(dict.fromkeys(chosen))

    def _choose(self, options: tuple[str, ...]) -> str:
        return options[0] if self.rng is None else options[int(self.rng.integers(len(options)))]

    def _word(self, options: tuple[str, ...]) -> str:
        """Return the usual word, or in four of ten cases another."""
        return self._choose(options) if self.rng is not None and self.rng.random() < 0.4 else options[0]

    def _statement(self) -> str:
        """Return the rule as one phrase."""
        rule = self.rule
        size = "" if rule.size is None else self._word(SIZE_WORDS[rule.size].adjectives) + " "
        things = [size + self._things(term) for term in rule.terms]
        frames = {"or": _EITHER, "and": _TOGETHER}.get(str(rule.operator))
        text = things[0] if frames is None else self._choose(frames).format(*things)
        if rule.without is not None:
            text = self._without(text, rule.without)
        if rule.position is not None:
            where = self._word(tuple(noun.singular for noun in POSITION_WORDS[rule.position].nouns))
            text = self._choose(_AT).format(thing=text, where=where, image=self._choose(_IMAGES))
        if rule.relation is not None and rule.other is not None:
            text = f"{text} {self._word(RELATION_WORDS[rule.relation].adjectives)} {self._things(rule.other)}"
        return text

    def _without(self, text: str, term: Term) -> str:
        if term.part is None:
            return self._choose(_NOT_SO).format(thing=text, look=self._looks(term))
        nouns = PART_WORDS[term.part].nouns
        noun = nouns[0] if self.rng is None else nouns[int(self.rng.integers(min(3, len(nouns))))]
        return self._choose(_ABSENT).format(thing=text, other=noun.plural, one=noun.singular)

    def _looks(self, term: Term) -> str:
        colour = "" if term.colour is None else self._adjective(COLOUR_WORDS[term.colour])
        texture = "" if term.texture is None else self._adjective(TEXTURE_WORDS[term.texture])
        return f"{colour} {texture}".strip()

    def _adjective(self, words: Words) -> str:
        return self._word(words.adjectives)

    def _things(self, term: Term) -> str:
        noun = self._choose(_SURFACES) if term.part is None else self._noun(PART_WORDS[term.part])
        return f"{self._looks(term)} {noun}".strip()

    def _noun(self, words: Words) -> str:
        return self._word(tuple(noun.plural for noun in words.nouns))

    def _remarks(self) -> list[str]:
        rule = self.rule
        remarks = list(_REMARKS)
        if not any(meaning.category == "colour" for meaning in rule.composition):
            remarks += _COLOUR_REMARKS
        if rule.operator == "or":
            remarks += _EITHER_REMARKS * 3
        if rule.operator == "and":
            remarks += _TOGETHER_REMARKS * 3
        if rule.size or rule.position or rule.relation or rule.without:
            remarks += _ONLY_REMARKS * 3
        return remarks
