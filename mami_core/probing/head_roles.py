"""What each attention head of a captioner is for: where it wins, and which words it is responsible for.

A head wins a word where its share of what entered the LSTM was the largest: the norm of its gated context over the sum
of all heads' norms. That says how much of it went in, not what it caused.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mami_core.probing.disagreement import head_rows
from mami_core.store import Dissection

_FIGURES = {"share": ("share", "mean"), "mask_overlap": ("mask_overlap", "mean"), "wins": ("wins", "mean")}


def head_words(dissection: Dissection, captioner: str, *, layer: str | None = None, least: int = 1) -> pd.DataFrame:
    """Return which head a captioner's words come from: `word, head, count, share, mask_overlap, wins`.

    Per word and head: how often the word was said, the head's mean share, the mean part of its weight on the unit's
    mask, and how often it won, as a part of `count` (ties: the first head). Words said fewer than `least` times are
    left out. Commonest words first. Empty where the captioner has one head or none. O(words x heads).
    """
    table = _summed(_word_rows(dissection, captioner, layer), ["word", "head"])
    table = table[table["count"] >= least]
    return table.sort_values(["count", "word", "share"], ascending=[False, True, False], ignore_index=True)


def heads_by_layer(dissection: Dissection, captioner: str) -> pd.DataFrame:
    """Return where each head wins: `layer, head, count, share, mask_overlap, wins`, layers in the dissection's order.

    `count` is the number of words said in the layer. O(words x heads).
    """
    table = _summed(_word_rows(dissection, captioner, None), ["layer", "head"])
    order = {name: place for place, name in enumerate(dissection.layers)}
    return table.sort_values("layer", key=lambda column: column.map(order), kind="stable", ignore_index=True)


def responsible_words(table: pd.DataFrame, *, count: int = 8) -> pd.DataFrame:
    """Return the words that each head wins more often than it wins words at all: `head, word, count, wins, more`.

    `table` is of `head_words`. `more`: how often the head wins this word less how often it wins any, largest first.
    """
    won = table["wins"] * table["count"]
    usual = won.groupby(table["head"]).sum() / table.groupby("head")["count"].sum()
    more = table["wins"] - table["head"].map(usual).astype(np.float64)
    found = table.assign(more=more)[["head", "word", "count", "wins", "more"]]
    found = found[found["more"] > 0].sort_values(["more", "count"], ascending=False, kind="stable")
    return found.groupby("head", sort=False).head(count).sort_values("head", kind="stable", ignore_index=True)


def _summed(said: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    if said.empty:
        return pd.DataFrame(columns=[*by, "count", *_FIGURES])
    largest = said.groupby("saying", sort=False)["share"].transform("max")
    first = said[said["share"] == largest].drop_duplicates("saying").index
    won = said.assign(wins=said.index.isin(first).astype(np.float64))
    return won.groupby(by, sort=False).agg(count=("share", "size"), **_FIGURES).reset_index()


def _word_rows(dissection: Dissection, captioner: str, layer: str | None) -> pd.DataFrame:
    """Return a row per word said and head: `layer, word, head, share, mask_overlap, saying`.

    `saying` numbers the words of all units, so that the heads of one word share it.
    """
    rows = head_rows(dissection, captioner, layer)
    tokens = dissection.captions(captioner)["tokens"].to_dict()  # the caption's text joins marks to words
    found = (tokens.get(key) for key in zip(rows["layer"], rows["unit"], strict=True))
    words = [() if entry is None else entry for entry in found]
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
            "layer": np.repeat(rows["layer"].to_numpy(dtype=object), lengths),
            "word": np.concatenate([np.array(entry, dtype=object) for entry in words]),
            "head": np.repeat(rows["head"].to_numpy(dtype=object), lengths),
            "share": np.concatenate(rows["share"].to_numpy()).astype(np.float64),
            "mask_overlap": np.concatenate(rows["mask_overlap"].to_numpy()).astype(np.float64),
            "saying": np.repeat(unit, lengths) * (int(lengths.max()) + 1) + position,
        }
    )
