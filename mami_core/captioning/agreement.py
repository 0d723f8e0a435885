"""Choose the caption that is expected to agree best with what people would say: minimum Bayes risk for corpus BLEU.

What people would say is not known, but there is evidence: captions drawn from the decoders, and what people said of
the most similar known units. From it follows how probably a reference holds a phrase, and so how many phrases of a
caption are expected to be matched. The logarithm of corpus BLEU is, near where a captioner is, linear in these counts
(Tromble et al. 2008, "Lattice Minimum Bayes-Risk Decoding"), so each unit can be decided alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, permutations
from typing import Any, Final, TypeAlias

import numpy as np

Phrase: TypeAlias = tuple[str, ...]
ORDERS: Final = 4
REFERENCES: Final = 3  # what a unit is expected to be judged by
GRAMS, MATCHES = slice(0, ORDERS), slice(ORDERS, 2 * ORDERS)
CLOSEST, WORDS = 2 * ORDERS, 2 * ORDERS + 1  # columns of expected statistics
COMMA: Final = ","
AND: Final = "and"
# added to a unit's mean matches and n-grams: where next to no long phrase is said, a tenth of them is taken to match
_MATCHED, _SAID = 0.005, 0.05


def grams(phrase: Phrase, order: int) -> tuple[Phrase, ...]:
    """Return the different n-grams of a caption, in order: sums over them are the same in every session."""
    return tuple(dict.fromkeys(phrase[start : start + order] for start in range(len(phrase) - order + 1)))


@dataclass(frozen=True, eq=False)
class Evidence:
    """What stands for the references of one unit. A caption that is itself among it does not vouch for itself."""

    drawn: tuple[Phrase, ...]  # captions drawn from the decoders
    copied: tuple[Phrase, ...] = ()  # references of the most similar known units
    trust: float = 0.3  # how much the copied count beside the drawn

    @cached_property
    def _counts(self) -> list[tuple[Counter[Phrase], Counter[Phrase]]]:
        return [(_holding(self.drawn, order), _holding(self.copied, order)) for order in range(1, ORDERS + 1)]

    @cached_property
    def _known(self) -> list[dict[Phrase, float]]:
        """Per order, how probably one of the references holds an n-gram."""
        return [
            {gram: self._any(drawn[gram], copied[gram], 0, 0) for gram in drawn.keys() | copied.keys()}
            for drawn, copied in self._counts
        ]

    @cached_property
    def _own(self) -> tuple[Counter[Phrase], Counter[Phrase]]:
        return Counter(self.drawn), Counter(self.copied)

    @cached_property
    def _lengths(self) -> np.ndarray:
        return np.array([len(phrase) for phrase in (*self.drawn, *self.copied)])

    @cached_property
    def _closest(self) -> dict[int, float]:
        return {}

    def _any(self, drawn: int, copied: int, own_drawn: int, own_copied: int) -> float:
        trust = self.trust if self.copied else 0.0
        one = (1 - trust) * (drawn - own_drawn) / max(len(self.drawn) - own_drawn, 1)
        one += trust * (copied - own_copied) / max(len(self.copied) - own_copied, 1)
        return 1 - (1 - one) ** REFERENCES

    def statistics(self, captions: Sequence[Phrase]) -> np.ndarray:
        """Return (C, 10): n-grams 1-4, expected matches 1-4, expected length of the closest reference, words."""
        rows = np.zeros((len(captions), WORDS + 1))
        for row, caption in enumerate(captions):
            rows[row, GRAMS] = [max(len(caption) - order, 0) for order in range(ORDERS)]
            rows[row, MATCHES] = self._matches(caption)
            rows[row, CLOSEST], rows[row, WORDS] = self._closest_length(len(caption)), len(caption)
        return rows

    def _matches(self, caption: Phrase) -> list[float]:
        drawn, copied = (own[caption] for own in self._own)
        if not drawn + copied:
            return [sum(known.get(gram, 0.0) for gram in grams(caption, n + 1)) for n, known in enumerate(self._known)]
        return [
            sum(self._any(ours[gram], theirs[gram], drawn, copied) for gram in grams(caption, n + 1))
            for n, (ours, theirs) in enumerate(self._counts)
        ]

    def _closest_length(self, words: int) -> float:
        """Return the expected length of the closest of several references, drawn from the evidence."""
        if words not in self._closest:
            lengths = self._lengths[np.lexsort((self._lengths, np.abs(self._lengths - words)))]
            left = np.arange(len(lengths), -1, -1) / len(lengths)  # chance that a draw is not among the first k
            self._closest[words] = float(lengths @ -np.diff(left**REFERENCES))
        return self._closest[words]


def _holding(phrases: Iterable[Phrase], order: int) -> Counter[Phrase]:
    return Counter(gram for phrase in phrases for gram in grams(phrase, order))


@dataclass(frozen=True)
class BleuSlope:
    """How much the logarithm of corpus BLEU rises with each statistic of one unit's caption."""

    gram: tuple[float, ...] = (0.0,) * ORDERS
    match: tuple[float, ...] = (0.0,) * ORDERS
    word: float = 0.0
    closest: float = 0.0

    @classmethod
    def at(cls, mean: np.ndarray) -> BleuSlope:
        """Return the slope where captions have these mean statistics (10,)."""
        words, closest = float(mean[WORDS]), float(mean[CLOSEST])
        short = words < closest  # only then does the brevity penalty depend on lengths
        return cls(
            gram=tuple((-1 / (ORDERS * (mean[GRAMS] + _SAID))).tolist()),
            match=tuple((1 / (ORDERS * (mean[MATCHES] + _MATCHED))).tolist()),
            word=closest / words**2 if short else 0.0,
            closest=-1 / words if short else 0.0,
        )

    def scores(self, statistics: np.ndarray) -> np.ndarray:
        """Return (C,) for statistics (C, 10)."""
        rates = np.array([*self.gram, *self.match, self.closest, self.word])
        return statistics @ rates

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {"gram": list(self.gram), "match": list(self.match), "word": self.word, "closest": self.closest}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> BleuSlope:
        """Return what `to_json` gave."""
        return cls(tuple(stored["gram"]), tuple(stored["match"]), stored["word"], stored["closest"])


def log_bleu(mean: np.ndarray) -> np.ndarray:
    """Return the logarithm of corpus BLEU-4 of units' mean statistics (…, 10), brevity penalty included."""
    precision = np.log((mean[..., MATCHES] + _MATCHED) / (mean[..., GRAMS] + _SAID)).mean(-1)
    return precision + np.minimum(0, 1 - mean[..., CLOSEST] / mean[..., WORDS])


@dataclass(frozen=True)
class WordWorth:
    """What naming a word is worth: a word that people probably use, and not of every unit, is worth saying."""

    gain: Mapping[
        str, float
    ]  # of content words, see `WordReader.gains`; other words are worth nothing, and cost nothing
    cost: float  # a content word that gains less is better left unsaid
    discount: float  # what is said first matters most
    first: float = 0.0  # how much more the first content word counts

    def of(self, captions: Sequence[Phrase]) -> np.ndarray:
        """Return (C,): the sum over a caption's different content words of discount^place · (gain - cost).

        The first counts 1 + `first` times.
        """
        return np.array([self._of_one(caption) for caption in captions])

    def _of_one(self, caption: Phrase) -> float:
        gains = [self.gain[word] for word in dict.fromkeys(caption) if word in self.gain]
        worth = sum(self.discount**place * (gain - self.cost) for place, gain in enumerate(gains))
        return worth + self.first * sum(gain - self.cost for gain in gains[:1])


def crossed(captions: Sequence[Phrase], most: int) -> list[Phrase]:
    """Return up to `most` new captions: each caption's words before its first comma with each clause of another."""
    heads: dict[Phrase, None] = {}
    clauses: dict[Phrase, None] = {}
    for caption in captions:
        commas = [place for place, word in enumerate(caption) if word == COMMA]
        heads.setdefault(caption[: commas[0]] if commas else caption)
        for start, end in pairwise([*commas, len(caption)]):
            clauses.setdefault(caption[start:end])
    known = set(captions)
    made: dict[Phrase, None] = {}
    for clause in ((), *clauses):
        for head in heads:
            if len(made) >= most:
                return list(made)
            if head and head + clause not in known:
                made.setdefault(head + clause)
    return list(made)


def head(caption: Phrase) -> Phrase:
    """Return a caption's words before its first comma."""
    return caption[: caption.index(COMMA)] if COMMA in caption else caption


def single_things(captions: Iterable[Phrase], most: int) -> list[Phrase]:
    """Return up to `most` different heads of captions that name one thing: those that can be joined."""
    heads = dict.fromkeys(head(caption) for caption in captions)
    return [one for one in heads if one and AND not in one][:most]


def paired(things: Sequence[Phrase]) -> list[Phrase]:
    """Return "a and b" of all two things without a word in common, in either order."""
    return [(*one, AND, *other) for one, other in permutations(things, 2) if set(one).isdisjoint(other)]


def listed(things: Sequence[Phrase]) -> list[Phrase]:
    """Return "a, b and c" of all three things without a word in common, in every order."""
    return [
        (*one, COMMA, *second, AND, *third)
        for one, second, third in permutations(things, 3)
        if len({*one, *second, *third}) == len({*one}) + len({*second}) + len({*third})
    ]


def swapped(caption: Phrase) -> Phrase | None:
    """Return a caption with the two things before its first comma in the other order; None where there are not two."""
    things = head(caption)
    if things.count(AND) != 1 or things[0] == AND or things[-1] == AND:
        return None
    place = things.index(AND)
    return (*things[place + 1 :], AND, *things[:place], *caption[len(things) :])
