"""What people wrote of a dissection's units, set by set, and which units stand behind a figure of table 1."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np

from mami_core.evaluation.corpus import corpus_words
from mami_core.store import Dissection, UnitKey

Texts = Mapping[UnitKey, Sequence[str]]
_BY_LENGTH: Final[Mapping[str, Callable[[Sequence[int]], float]]] = {"longest": max, "mean": np.mean}
LENGTHS: Final = (*_BY_LENGTH, "mode", "at_mode")


def descriptions(dissection: Dissection) -> dict[str, dict[UnitKey, list[str]]]:
    """Return the references by set and unit, units in the dissection's order; units that have none are left out."""
    found: dict[str, dict[UnitKey, list[str]]] = {}
    for key in dissection.unit_keys():
        for entry in dissection.references_of(*key):
            found.setdefault(entry.set, {}).setdefault(key, []).append(entry.text)
    return found


def units_by_length(texts: Texts, figure: str, mode: int) -> list[tuple[UnitKey, float]]:
    """Return units with their longest or mean description in words, longest first; of the commonest length, `mode`,
    only units that have such descriptions, with how many.
    """
    counts = {key: [len(corpus_words(text)) for text in given] for key, given in texts.items()}
    if figure in ("mode", "at_mode"):
        found = [(key, float(own.count(mode))) for key, own in counts.items() if mode in own]
    elif figure in _BY_LENGTH:
        found = [(key, float(_BY_LENGTH[figure](own))) for key, own in counts.items()]
    else:
        raise ValueError(f"no length {figure!r}; there are {', '.join(LENGTHS)}")
    return sorted(found, key=lambda entry: -entry[1])


def units_saying(texts: Texts, word: str) -> list[tuple[UnitKey, float]]:
    """Return the units whose descriptions say a word, with how often, most often first."""
    counts = {key: sum(corpus_words(text).count(word) for text in given) for key, given in texts.items()}
    return sorted(((key, float(count)) for key, count in counts.items() if count), key=lambda entry: -entry[1])
