"""Captions to look at: right, wrong and repeating ones, drawn at random so that nobody picked them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import pandas as pd

REPEATING: Final = 2  # words of a phrase said twice
KINDS: Final[Mapping[str, Callable[[pd.DataFrame], pd.Series]]] = {
    "right": lambda rows: (rows["names_top"] == 1) & (rows["precision"] == 1),
    "wrong": lambda rows: rows["names_top"] == 0,
    "repeating": lambda rows: rows["repeats"] >= REPEATING,
}


def drawn(scores: pd.DataFrame, voice: str, kind: str, *, count: int, seed: int) -> tuple[pd.DataFrame, int]:
    """Return `count` random rows of a voice's captions that are `right`, `wrong` or `repeating`, and of how many.

    Right: the top part is named and nothing that is not there. ValueError for another kind.
    """
    if kind not in KINDS:
        raise ValueError(f"no gallery {kind!r}; there are {', '.join(KINDS)}")
    own = scores[scores["voice"] == voice]
    found = own[KINDS[kind](own)]
    order = np.random.default_rng(seed).permutation(len(found))[:count]
    return found.iloc[order], len(found)
