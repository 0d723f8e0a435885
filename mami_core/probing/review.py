"""Blind review: units in a random order, captions behind letters. Who won, and whether reviewers agree: `verdicts`.

Order and letters follow from seed, reviewer and unit alone, so that a queue reopened tomorrow goes on as it was and no
two reviewers see captioners in the same place. Wilson 1927 for intervals; Cohen 1960, Fleiss 1971 for kappa.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from mami_core.probing.words import caption_texts
from mami_core.store import Dissection, UnitKey


@dataclass(frozen=True, slots=True)
class Option:
    """One caption behind a letter. `captioners` said exactly this: not to be shown before a verdict."""

    letter: str
    text: str
    captioners: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """One unit to judge."""

    layer: str
    unit: int
    options: tuple[Option, ...]

    def captioner(self, letter: str) -> str:
        """Return who stands behind a letter: the first of those who said it. KeyError for no such letter."""
        for option in self.options:
            if option.letter == letter:
                return option.captioners[0]
        raise KeyError(f"no option {letter!r} for {self.layer}/{self.unit}")


@dataclass(frozen=True, slots=True)
class Queue:
    """What one reviewer has still to judge, in order, and how far they are."""

    items: tuple[ReviewItem, ...]
    done: int

    @property
    def total(self) -> int:
        """Return how many units there are to judge in all."""
        return len(self.items) + self.done


def review_queue(
    dissection: Dissection,
    captioners: Sequence[str],
    *,
    reviewer: str,
    seed: int = 0,
    labels: pd.DataFrame | None = None,
    keys: Sequence[UnitKey] | None = None,
) -> Queue:
    """Return the units that a reviewer has still to judge; only units of which every captioner says something.

    `labels` is `LabelStore.frame(...)`: units this reviewer labelled are done. `keys`: only these units. O(units).
    ValueError where no captioner is named.
    """
    if not captioners or len(set(captioners)) != len(captioners):
        raise ValueError("a review needs one or more different captioners")
    texts = {name: caption_texts(dissection, name) for name in captioners}
    wanted = None if keys is None else set(keys)
    judged = _judged(labels, reviewer)
    items: list[tuple[bytes, ReviewItem]] = []
    done = 0
    for place, key in enumerate(dissection.unit_keys()):
        said = {name: text for name, column in texts.items() if (text := column[place]) is not None}
        if len(said) < len(captioners) or (wanted is not None and key not in wanted):
            continue
        if key in judged:
            done += 1
        else:
            items.append((_draw(seed, reviewer, key, ""), _item(key, said, seed, reviewer)))
    return Queue(tuple(item for _, item in sorted(items, key=lambda entry: entry[0])), done)


def _judged(labels: pd.DataFrame | None, reviewer: str) -> set[UnitKey]:
    if labels is None:
        return set()
    own = labels[(labels["reviewer"] == reviewer).to_numpy() & (labels["verdict"] != "withdrawn").to_numpy()]
    return {(layer, int(unit)) for layer, unit in zip(own["layer"], own["unit"], strict=True)}


def _draw(seed: int, reviewer: str, key: UnitKey, salt: str) -> bytes:
    return hashlib.sha256(repr((seed, reviewer, *key, salt)).encode()).digest()


def _item(key: UnitKey, said: dict[str, str], seed: int, reviewer: str) -> ReviewItem:
    by_text: dict[str, list[str]] = {}
    for name, text in said.items():
        by_text.setdefault(text, []).append(name)
    shuffled = sorted(by_text, key=lambda text: _draw(seed, reviewer, key, by_text[text][0]))
    options = (Option(chr(ord("A") + at), text, tuple(by_text[text])) for at, text in enumerate(shuffled))
    return ReviewItem(*key, tuple(options))
