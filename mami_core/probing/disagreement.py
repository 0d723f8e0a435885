"""Where captioners, or the heads of one captioner, disagree.

Agreement of two captions is the F1 of their sets of words, or the cosine of their TF-IDF; disagreement is one minus
the mean agreement over pairs. NaN where fewer than two said anything: one voice neither agrees nor disagrees.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement
from typing import Final, Literal

import numpy as np
import pandas as pd

from mami_core.probing.words import Texts, caption_texts, tfidf_cosine, word_f1
from mami_core.records import COMBINED
from mami_core.store import Dissection

Measure = Literal["words", "tfidf"]
_MEASURES: Final[Mapping[str, Callable[[Texts, Texts], np.ndarray]]] = {"words": word_f1, "tfidf": tfidf_cosine}


@dataclass(frozen=True, eq=False)
class Agreement:
    """Mean agreement of every two voices over units, and over how many units each mean is taken."""

    mean: pd.DataFrame  # voices x voices, in [0, 1]; NaN where no unit has both
    units: pd.DataFrame  # voices x voices, int


def disagreement_of(voices: Mapping[str, Texts], units: int, measure: Measure = "words") -> np.ndarray:
    """Return one minus the mean agreement over pairs of voices, float64 (units,). O(pairs x words)."""
    scores = np.array([_measure(measure)(voices[a], voices[b]) for a, b in combinations(voices, 2)])
    if not len(scores):
        return np.full(units, np.nan)
    known = np.isfinite(scores).sum(axis=0)
    return np.where(known > 0, 1 - np.nansum(scores, axis=0) / np.maximum(known, 1), np.nan)


def _measure(name: str) -> Callable[[Texts, Texts], np.ndarray]:
    if name not in _MEASURES:
        raise ValueError(f"captions are compared by {' or '.join(_MEASURES)}, not by {name!r}")
    return _MEASURES[name]


def captioner_voices(dissection: Dissection, captioners: Sequence[str] | None = None) -> dict[str, Texts]:
    """Return what each captioner says of each unit, in the order of `dissection.units`."""
    return {name: caption_texts(dissection, name) for name in captioners or dissection.captioners}


def head_voices(dissection: Dissection, captioner: str, layer: str | None = None) -> dict[str, Texts]:
    """Return what each head of a captioner says on its own of each unit, in the order of `dissection.units`.

    Empty for a captioner without attention; with `layer`, units of others have None. Reads the attention files without
    their weights.
    """
    rows = head_rows(dissection, captioner, layer)
    spoken: dict[str, dict[tuple[str, int], str]] = {}
    for layer, unit, head, text in zip(rows["layer"], rows["unit"], rows["head"], rows["caption"], strict=True):
        spoken.setdefault(head, {})[layer, unit] = text
    keys = dissection.unit_keys()
    return {head: [texts.get(key) or None for key in keys] for head, texts in spoken.items()}


def head_rows(dissection: Dissection, captioner: str, layer: str | None = None) -> pd.DataFrame:
    """Return a row per unit and head, the combined one left out."""
    caption_texts(dissection, captioner)  # refuses a captioner that there is not
    layers = dissection.layers if layer is None else (dissection.manifest.layer(layer).name,)
    parts = [dissection.heads(captioner, name).assign(layer=name) for name in layers]
    found = [part for part in parts if len(part)] or parts[:1]
    rows = pd.concat(found, ignore_index=True)
    return rows[rows["head"] != COMBINED].reset_index(drop=True)


def captioner_disagreement(dissection: Dissection, *, measure: Measure = "words") -> np.ndarray:
    """Return how much all captioners disagree on each unit, float64 (units,) in the order of `dissection.units`."""
    return disagreement_of(captioner_voices(dissection), len(dissection.units), measure)


def head_disagreement(dissection: Dissection, captioner: str, *, measure: Measure = "words") -> np.ndarray:
    """Return how much a captioner's heads disagree on each unit when each speaks alone, float64 (units,)."""
    return disagreement_of(head_voices(dissection, captioner), len(dissection.units), measure)


def agreement_matrix(
    dissection: Dissection, *, captioner: str | None = None, layer: str | None = None, measure: Measure = "words"
) -> Agreement:
    """Return the mean agreement of every two captioners, or of every two heads of `captioner`, over a layer or all.

    The diagonal is 1 where the voice says anything. O(pairs x words).
    """
    voices = captioner_voices(dissection) if captioner is None else head_voices(dissection, captioner, layer)
    inside = np.ones(len(dissection.units), dtype=bool)
    if layer is not None:
        inside = (dissection.units["layer"] == dissection.manifest.layer(layer).name).to_numpy()
    mean = pd.DataFrame(np.nan, index=list(voices), columns=list(voices))
    units = pd.DataFrame(0, index=list(voices), columns=list(voices))
    chosen = {name: [text for text, here in zip(texts, inside, strict=True) if here] for name, texts in voices.items()}
    for one, other in combinations_with_replacement(chosen, 2):
        scores = _measure(measure)(chosen[one], chosen[other])
        known = scores[np.isfinite(scores)]
        units.loc[one, other] = units.loc[other, one] = len(known)
        mean.loc[one, other] = mean.loc[other, one] = known.mean() if len(known) else np.nan
    return Agreement(mean, units)
