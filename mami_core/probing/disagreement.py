"""Where captioners, or the heads of one captioner, disagree; which head is responsible for which word.

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
    rows = _heads(dissection, captioner, layer)
    spoken: dict[str, dict[tuple[str, int], str]] = {}
    for layer, unit, head, text in zip(rows["layer"], rows["unit"], rows["head"], rows["caption"], strict=True):
        spoken.setdefault(head, {})[layer, unit] = text
    keys = dissection.unit_keys()
    return {head: [texts.get(key) or None for key in keys] for head, texts in spoken.items()}


def _heads(dissection: Dissection, captioner: str, layer: str | None = None) -> pd.DataFrame:
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


def head_words(dissection: Dissection, captioner: str, *, layer: str | None = None, least: int = 1) -> pd.DataFrame:
    """Return which head a captioner's words come from: `word, head, count, share, mask_overlap, wins`.

    Per word and head: how often the word was said, the head's mean share of what entered the LSTM, the mean part of its
    weight on the unit's mask, and how often its share was the largest (ties: the first head), as a part of `count`.
    Words said fewer than `least` times are left out. Commonest words first. O(words x heads).
    """
    said = _word_rows(dissection, captioner, layer)
    if said.empty:
        return pd.DataFrame(columns=["word", "head", "count", "share", "mask_overlap", "wins"])
    largest = said.groupby("saying", sort=False)["share"].transform("max")
    first = said[said["share"] == largest].drop_duplicates("saying").index
    said["wins"] = said.index.isin(first).astype(np.float64)
    table = said.groupby(["word", "head"], sort=False).agg(
        count=("share", "size"), share=("share", "mean"), mask_overlap=("mask_overlap", "mean"), wins=("wins", "mean")
    )
    table = table[table["count"] >= least].reset_index()
    return table.sort_values(["count", "word", "share"], ascending=[False, True, False], ignore_index=True)


def _word_rows(dissection: Dissection, captioner: str, layer: str | None) -> pd.DataFrame:
    """Return a row per word said and head: `word, head, share, mask_overlap, saying` (which word of which unit)."""
    rows = _heads(dissection, captioner, layer)
    texts = dict(zip(dissection.unit_keys(), caption_texts(dissection, captioner), strict=True))
    words = [(texts[key] or "").split() for key in zip(rows["layer"], rows["unit"], strict=True)]
    lengths = np.array([len(entry) for entry in words], dtype=np.int64)
    uneven = [place for place, share in enumerate(rows["share"]) if len(share) != lengths[place]]
    if uneven:
        row = rows.iloc[uneven[0]]
        raise ValueError(
            f"{captioner}'s attention to {row['layer']}/{row['unit']} is not of its caption; caption again"
        )
    if not lengths.sum():
        return pd.DataFrame()
    unit = rows.groupby(["layer", "unit"], sort=False).ngroup().to_numpy()
    position = np.concatenate([np.arange(length) for length in lengths])
    return pd.DataFrame(
        {
            "word": np.concatenate([np.array(entry, dtype=object) for entry in words]),
            "head": np.repeat(rows["head"].to_numpy(dtype=object), lengths),
            "share": np.concatenate(rows["share"].to_numpy()).astype(np.float64),
            "mask_overlap": np.concatenate(rows["mask_overlap"].to_numpy()).astype(np.float64),
            "saying": np.repeat(unit, lengths) * (int(lengths.max()) + 1) + position,
        }
    )
