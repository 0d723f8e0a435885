"""How much a caption depends on which exemplars were shown: captions of bootstrapped exemplars, and their shares.

A unit's k exemplars are drawn k times with repeats (Efron and Tibshirani 1993, chapter 6) and captioned again. Nothing
is encoded again. Exemplars that the mask does not touch are never drawn: they show a captioner nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mami_core.probing.words import word_f1, words_of


def bootstrap_counts(seen: np.ndarray, exemplars: int, resamples: int, seed: Sequence[int]) -> np.ndarray:
    """Return how often each exemplar is drawn, int64 (resamples, exemplars): as many draws as exemplars are `seen`.

    `seen`: their ranks. The seed is a unit's own, so that its resamples do not depend on which others are asked for.
    """
    drawn = np.random.default_rng(list(seed)).integers(len(seen), size=(resamples, len(seen)))
    counts = np.zeros((resamples, exemplars), dtype=np.int64)
    np.add.at(counts, (np.arange(resamples)[:, None], seen[drawn]), 1)
    return counts


@dataclass(frozen=True)
class Stability:
    """What is said of one unit when its exemplars are drawn again."""

    caption: str  # of all exemplars
    captions: tuple[str, ...]  # one a resample

    @property
    def shares(self) -> list[tuple[str, float]]:
        """Return each distinct caption with its share of the resamples, most frequent first, ties by first said."""
        return [(text, count / len(self.captions)) for text, count in Counter(self.captions).most_common()]

    @property
    def same(self) -> float:
        """Return the share of resamples in which exactly the caption of all exemplars is said."""
        return self.captions.count(self.caption) / len(self.captions)

    @property
    def agreement(self) -> float:
        """Return the mean word F1 of two different resamples' captions, in [0, 1]; two that say nothing agree."""
        texts = list(self.captions)
        pairs = [(i, j) for i in range(len(texts)) for j in range(i)]
        f1 = word_f1([texts[i] for i, _ in pairs], [texts[j] for _, j in pairs])
        silent = np.array([not words_of(texts[i]) and not words_of(texts[j]) for i, j in pairs], dtype=bool)
        return float(np.where(silent, 1.0, np.nan_to_num(f1)).mean()) if pairs else 1.0

    @property
    def word_shares(self) -> list[tuple[str, float]]:
        """Return each word with the share of resamples that say it, most frequent first."""
        said = Counter(word for text in self.captions for word in dict.fromkeys(words_of(text)))
        return [(word, count / len(self.captions)) for word, count in said.most_common()]
