"""What a set of descriptions is like: how many, how long, in which words. Columns of table 1 of MAMI's paper."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from mami_core.evaluation.text import words_of

FREQUENT: Final = 10


@dataclass(frozen=True, slots=True)
class CorpusFigures:
    """One column of the table."""

    units: int
    descriptions: int
    longest: int  # words
    mean: float
    mode: int  # the commonest length
    at_mode: int  # descriptions of that length
    frequent: tuple[str, ...]  # the ten commonest words, as people count them: "a" and "the" among them
    vocabulary: int  # different words


def corpus_words(text: str) -> list[str]:
    """Return a description's words as the table counts them: without punctuation."""
    return [word for word in words_of(text) if word[0].isalnum()]


def corpus_figures(texts: Mapping[Any, Sequence[str]]) -> CorpusFigures:
    """Return the figures of descriptions by unit; ValueError where there is not one.

    A tie for the commonest length goes to the shorter; for the tenth word to the alphabet.
    """
    spoken = [corpus_words(text) for given in texts.values() for text in given]
    if not spoken:
        raise ValueError("there is not one description; name units that have references")
    lengths = np.bincount([len(words) for words in spoken])
    counts = Counter(word for words in spoken for word in words)
    commonest = sorted(counts, key=lambda word: (-counts[word], word))
    return CorpusFigures(
        units=sum(bool(given) for given in texts.values()),
        descriptions=len(spoken),
        longest=len(lengths) - 1,
        mean=float(np.mean([len(words) for words in spoken])),
        mode=int(lengths.argmax()),
        at_mode=int(lengths.max()),
        frequent=tuple(commonest[:FREQUENT]),
        vocabulary=len(counts),
    )
