"""Learn which words are used of units: ridge regression from mean regions to shares of references."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from mami_core.captioning.tokens import tokenize
from mami_core.captioning.words import WordReader, WordVectors

RIDGES: Final = (0.1, 0.3, 1.0, 3.0)  # times the number of channels; the best on held-out folds is taken
FOLDS: Final = 10
_MIN_UNITS: Final = 4  # units whose references must hold a word


@dataclass(frozen=True, eq=False)
class LearntWords:
    """A reader of words, and what it says of the training units when it has not seen them."""

    vectors: WordVectors
    held_out: np.ndarray  # (U, W): shares of training units, each by the reader of the other folds
    ridge: float
    explained: float  # share of the held-out references' variance


def learn_words(pooled: np.ndarray, texts: Sequence[Sequence[str]], *, seed: int = 0) -> LearntWords:
    """Learn from mean regions (U, D) and references of training units.

    A decoder that is trained on words the reader knows by heart would trust them too much: `held_out` is what it
    should be trained on. ValueError where no word is common enough.
    """
    words = common_words(texts)
    shares = word_shares(texts, words)
    folds = np.random.default_rng(seed).permutation(len(pooled)) % FOLDS
    tried = {ridge: _held_out(pooled, shares, words, folds, ridge) for ridge in RIDGES}
    errors = {ridge: float(np.square(found - shares).mean()) for ridge, found in tried.items()}
    best = min(errors, key=errors.__getitem__)
    reader = _fitted(pooled, shares, words, best)
    lift = reader.lift(tried[best])
    vectors = WordVectors(reader, lift.mean(0), lift.std(0) + 1e-3)
    return LearntWords(vectors, tried[best], best, 1 - errors[best] / float(np.square(shares - shares.mean(0)).mean()))


def common_words(texts: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return the words in references of several units, those of most units first."""
    counts = Counter(word for given in texts for word in {word for text in given for word in tokenize(text)})
    ranked = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))  # a set's order differs between sessions
    found = tuple(word for word, units in ranked if units >= _MIN_UNITS)
    if not found:
        raise ValueError(f"no word stands in the references of {_MIN_UNITS} units; there is too little to learn from")
    return found


def word_shares(texts: Sequence[Sequence[str]], words: Sequence[str]) -> np.ndarray:
    """Return the share of each unit's references that hold each word, float32 (U, W)."""
    place = {word: column for column, word in enumerate(words)}
    shares = np.zeros((len(texts), len(words)), dtype=np.float32)
    for row, given in enumerate(texts):
        for text in given:
            for word in set(tokenize(text)) & place.keys():
                shares[row, place[word]] += 1 / len(given)
    return shares


def _held_out(
    pooled: np.ndarray, shares: np.ndarray, words: tuple[str, ...], folds: np.ndarray, ridge: float
) -> np.ndarray:
    found = np.zeros_like(shares)
    for fold in _folds(folds):
        found[fold] = _fitted(pooled[~fold], shares[~fold], words, ridge).shares(pooled[fold])
    return found


def _folds(folds: np.ndarray) -> Iterator[np.ndarray]:
    yield from (folds == number for number in np.unique(folds))


def _fitted(pooled: np.ndarray, shares: np.ndarray, words: tuple[str, ...], ridge: float) -> WordReader:
    mean, scale = pooled.mean(0), pooled.std(0) + 1e-3
    known, base = (pooled - mean) / scale, shares.mean(0)
    channels = known.shape[1]
    gram = known.T @ known + ridge * channels * np.eye(channels, dtype=known.dtype)
    return WordReader(words, mean, scale, np.linalg.solve(gram, known.T @ (shares - base)), base)
