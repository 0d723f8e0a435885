"""Which units to silence first: those whose captions fit a query, have most of a property, or just any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from mami_core.probing.intervention.naming import ALIKE, scores_of
from mami_core.probing.intervention.tagging import LEXICON_CLASSES, Lexicon, Tagger, class_counts
from mami_core.probing.search import Mode
from mami_core.probing.words import TextIndex, caption_texts, words_of
from mami_core.store import Dissection, UnitKey

PLAIN_PROPERTIES: Final = ("length", "specificity")


@dataclass(frozen=True, eq=False)
class Order:
    """Units in the order in which they are silenced: `keys` those that may be, the first first."""

    said: str  # why these, in words
    keys: tuple[UnitKey, ...]
    among: tuple[UnitKey, ...]  # all living units of the layers: what fractions and random choices are of

    def first(self, count: int) -> tuple[UnitKey, ...]:
        """Return the first `count` of them, or fewer where there are no more."""
        return self.keys[:count]


def by_query(
    dissection: Dissection, captioner: str, wanted: str, mode: Mode, layers: Sequence[str], seed: int = 0
) -> Order:
    """Return the units whose captions fit; those that fit equally well in a seeded random order.

    ValueError where no caption fits.
    """
    keys, texts = _said(dissection, captioner, layers)
    scores = scores_of(texts, wanted, mode)
    fit = scores >= (ALIKE if mode == "meaning" else 1)
    if not fit.any():
        raise ValueError(f"no unit of {dissection.name} has a caption by {captioner} that fits {wanted!r} ({mode})")
    chosen = [place for place in _descending(scores, seed) if fit[place]]
    return Order(f"captions of {captioner} that fit {wanted!r} ({mode})", tuple(keys[p] for p in chosen), tuple(keys))


def by_property(
    dissection: Dissection,
    captioner: str,
    wanted: str,
    layers: Sequence[str],
    *,
    tagger: Tagger | None = None,
    least: bool = False,
    seed: int = 0,
) -> Order:
    """Return all captioned units, those with most of a property of their caption first (or least); ties at random."""
    keys, texts = _said(dissection, captioner, layers)
    values = property_of(dissection, texts, wanted, tagger)
    known = np.where(np.isfinite(values), -values if least else values, -np.inf)
    chosen = [place for place in _descending(known, seed) if np.isfinite(known[place])]
    which = "least" if least else "most"
    return Order(f"{which} {wanted} in captions of {captioner}", tuple(keys[place] for place in chosen), tuple(keys))


def at_random(among: Sequence[UnitKey], seed: int) -> Order:
    """Return units in a random order."""
    order = np.random.default_rng(seed).permutation(len(among))
    return Order("random units", tuple(among[place] for place in order), tuple(among))


def property_of(
    dissection: Dissection, texts: Sequence[str | None], wanted: str, tagger: Tagger | None = None
) -> np.ndarray:
    """Return a property of each caption, float64 (n,), NaN where nothing was said.

    `length`: words; `specificity`: how rare its words are among these captions (mean inverse document frequency);
    `part`, `colour`, `texture`, `position`: how many it names, by the painted world's lexicon; any other: words of
    that class, by `tagger`. ValueError where a tagger is needed.
    """
    if wanted == "length":
        return np.array([len(words_of(text)) if text else np.nan for text in texts], dtype=np.float64)
    if wanted == "specificity":
        return specificity(texts)
    if tagger is not None:
        return class_counts(texts, wanted, tagger)
    if wanted in LEXICON_CLASSES and dissection.manifest.simulated:
        return class_counts(texts, wanted, Lexicon())
    own = ", ".join(PLAIN_PROPERTIES + (LEXICON_CLASSES if dissection.manifest.simulated else ()))
    raise ValueError(f"{wanted!r} needs a tagger (--tagger NAME or path.py:factory); without one there are {own}")


def specificity(texts: Sequence[str | None]) -> np.ndarray:
    """Return the mean inverse document frequency of each text's different words, float64 (n,); NaN without words."""
    index = TextIndex.of(texts)
    present = index.rows.astype(bool)  # (n, W)
    words = np.asarray(present.sum(axis=1)).ravel()
    total = np.asarray(present @ index.idf).ravel()
    return np.divide(total, words, out=np.full(len(words), np.nan), where=words > 0)


def living_units(dissection: Dissection, layers: Sequence[str]) -> list[UnitKey]:
    """Return the units of some layers (none: all) that ever answer; ValueError for a layer that was not dissected."""
    for layer in layers:
        if layer not in dissection.layers:
            raise ValueError(f"{dissection.name} has no layer {layer!r}; it has {', '.join(dissection.layers)}")
    states = zip(dissection.unit_keys(), dissection.units["state"], strict=True)
    return [key for key, state in states if state == "alive" and (not layers or key[0] in layers)]


def _said(dissection: Dissection, captioner: str, layers: Sequence[str]) -> tuple[list[UnitKey], list[str | None]]:
    """Return the living units of some layers (none: all) and what the captioner says of each."""
    said = dict(zip(dissection.unit_keys(), caption_texts(dissection, captioner), strict=True))
    keys = living_units(dissection, layers)
    return keys, [said[key] for key in keys]


def _descending(scores: np.ndarray, seed: int) -> np.ndarray:
    """Return the places of scores, largest first, ties in a seeded random order."""
    return np.lexsort((np.random.default_rng([seed, 3]).permutation(len(scores)), -scores))
