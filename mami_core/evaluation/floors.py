"""What a caption must beat: the best scores of captions that know nothing, or only little, of the unit.

A metric whose floor is near a captioner's score says little of the captioner. On MILANNOTATIONS of ResNet-152 one and
the same caption for every unit outscores published captions.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from mami_core.evaluation.text import (
    ORDERS,
    Bleu,
    NotComputed,
    bleu_from_statistics,
    bleu_statistics,
    preset_named,
    words_of,
)

_Gram = tuple[str, ...]
_CLOSE: Final = 25  # captions from which the search for a better one goes on


@dataclass(frozen=True, slots=True)
class ConstantFloor:
    """The caption that scores best when it is said of every unit."""

    caption: str
    bleu: Bleu
    tried: int  # how many captions were scored for it


class ConstantScorer:
    """BLEU of one caption said of every unit, without counting every unit anew.

    For each n-gram it is known how many units' references hold it at least once, twice, …: what a caption matches
    over all units together is then a sum over its own n-grams only, and the result is exact.
    """

    def __init__(self, references: Sequence[Sequence[str]], preset: str = "milan") -> None:
        """Count the references' n-grams; ValueError where there are no units, or a unit has no reference."""
        if not references:
            raise ValueError("no units, so no constant caption")
        self.preset = preset_named(preset).name
        self._units = len(references)
        self._units_with: dict[_Gram, list[int]] = defaultdict(list)  # n-gram → units with it ≥ 1, ≥ 2, … times
        self._lengths: list[list[int]] = []
        for number, given in enumerate(references):
            worded = [words for words in (words_of(text, preset) for text in given) if words]
            if not worded:
                raise ValueError(f"unit number {number} has no reference that says anything; leave it out")
            self._lengths.append([len(words) for words in worded])
            self._add(worded)
        self._nearest: dict[int, int] = {}

    def _add(self, worded: Sequence[Sequence[str]]) -> None:
        most: Counter[_Gram] = Counter()
        for words in worded:
            most |= _counts(words)
        for gram, times in most.items():
            held = self._units_with[gram]
            held.extend([0] * (times - len(held)))
            for time in range(times):
                held[time] += 1

    def _reference_words(self, words: int) -> int:
        """Return the summed length of each unit's reference nearest in length; the shorter of two as near."""
        if words not in self._nearest:
            self._nearest[words] = sum(min(given, key=lambda n: (abs(n - words), n)) for given in self._lengths)
        return self._nearest[words]

    def statistics(self, words: Sequence[str]) -> np.ndarray:
        """Return the summed BLEU statistics (10,) of saying `words` of every unit."""
        matches = [0] * ORDERS
        for gram, times in _counts(words).items():
            matches[len(gram) - 1] += sum(self._units_with.get(gram, ())[:times])
        grams = [self._units * max(0, len(words) - order) for order in range(ORDERS)]
        lengths = [self._units * len(words), self._reference_words(len(words))]
        return np.array([*lengths, *matches, *grams], dtype=np.int64)

    def bleu(self, words: Sequence[str]) -> Bleu:
        """Return the BLEU of saying `words` of every unit."""
        return bleu_from_statistics(self.statistics(words), self.preset)

    @property
    def common_words(self) -> list[str]:
        """Return the references' words, those of most units first."""
        single = [(held[0], gram[0]) for gram, held in self._units_with.items() if len(gram) == 1]
        return [word for _, word in sorted(single, key=lambda entry: (-entry[0], entry[1]))]


def best_constant(
    candidates: Iterable[str],
    references: Sequence[Sequence[str]],
    preset: str = "milan",
    *,
    refine: int = 0,
) -> ConstantFloor:
    """Return the candidate that scores best when said of every unit.

    `candidates` are captions to choose from: the references' own, or those of training units. With `refine`, the best
    ones are changed by one word at a time, trying that many common words, as long as it helps: a higher floor, of
    captions that nobody need have written. Exact for the candidates; the first of equals is taken.
    """
    scorer = ConstantScorer(references, preset)
    worded = {tuple(words_of(text, preset)): None for text in candidates}
    scores = {words: scorer.bleu(words).score for words in worded if words}
    if not scores:
        raise ValueError("no candidate says anything, so there is no constant caption")
    if refine:
        for words in sorted(scores, key=scores.__getitem__, reverse=True)[:_CLOSE]:
            _climb(scorer, words, scores, scorer.common_words[:refine])
    best = max(scores, key=scores.__getitem__)
    return ConstantFloor(" ".join(best), scorer.bleu(best), len(scores))


def _climb(scorer: ConstantScorer, start: _Gram, scores: dict[_Gram, float], words: Sequence[str]) -> None:
    best = start
    while True:
        near = _changed_by_a_word(best, words)
        for caption in near - scores.keys():
            scores[caption] = scorer.bleu(caption).score
        top = max(sorted(near), key=scores.__getitem__)
        if scores[top] <= scores[best]:
            return
        best = top


def _changed_by_a_word(caption: _Gram, words: Sequence[str]) -> set[_Gram]:
    places = range(len(caption))
    dropped = {caption[:i] + caption[i + 1 :] for i in places if len(caption) > 1}
    replaced = {(*caption[:i], word, *caption[i + 1 :]) for i in places for word in words}
    added = {(*caption[:i], word, *caption[i:]) for i in range(len(caption) + 1) for word in words}
    return dropped | replaced | added


def shuffled_bleu(
    captions: Sequence[str], references: Sequence[Sequence[str]], seed: int, preset: str = "milan", *, times: int = 10
) -> list[float]:
    """Return BLEU-4 of the captions dealt out to units at random, `times` over: right words, wrong units."""
    rng = np.random.default_rng(seed)
    scores = []
    for _ in range(times):
        order = rng.permutation(len(captions))
        statistics = bleu_statistics([captions[place] for place in order], references, preset)
        scores.append(bleu_from_statistics(statistics.sum(axis=0), preset).score)
    return scores


def nearest_captions(
    features: np.ndarray, known_features: np.ndarray, known_captions: Sequence[Sequence[str]]
) -> list[str]:
    """Return for each unit the first caption of the known unit most like it: copying, not describing.

    features (units, D) and known_features (known, D) are compared by cosine; the first of equals is taken.
    Raises ValueError for features that do not fit or are not finite.
    """
    if len(known_features) != len(known_captions) or not len(known_captions):
        raise ValueError(f"{len(known_features)} known features but captions of {len(known_captions)} units")
    if features.ndim != 2 or features.shape[1:] != known_features.shape[1:]:
        raise ValueError(f"features {features.shape} and known features {known_features.shape} do not fit")
    similarity = _unit_length(features) @ _unit_length(known_features).T  # (units, known)
    return [known_captions[place][0] for place in similarity.argmax(axis=1)]


def _unit_length(features: np.ndarray) -> np.ndarray:
    values = np.asarray(features, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError("some features are not finite; leave those units out")
    norms = np.linalg.norm(values, axis=1, keepdims=True)  # (units, 1)
    return values / np.where(norms > 0, norms, 1.0)


def annotators_bleu(references: Sequence[Sequence[str]], preset: str = "milan") -> Mapping[int, Bleu] | NotComputed:
    """Return, by position, BLEU of the annotator there against the others of the same units.

    Only units with two references and more take part. Each is judged by one reference fewer than a captioner is,
    which lowers BLEU: a ceiling that is somewhat low.
    """
    clean = preset_named(preset).clean
    said = [[text for text in given if clean(text)] for given in references]
    most = max((len(given) for given in said), default=0)
    if most < 2:
        return NotComputed("no unit has two references")
    found = {}
    for place in range(most):
        having = [given for given in said if len(given) > max(place, 1)]
        others = [[text for other, text in enumerate(given) if other != place] for given in having]
        statistics = bleu_statistics([given[place] for given in having], others, preset)
        found[place] = bleu_from_statistics(statistics.sum(axis=0), preset)
    return found


def _counts(words: Sequence[str]) -> Counter[_Gram]:
    return Counter(
        tuple(words[start : start + order]) for order in range(1, ORDERS + 1) for start in range(len(words) - order + 1)
    )
