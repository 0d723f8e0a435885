"""Means of measures over groups of units with 95 % intervals: over all, by layer, by purity, by family of rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd

from mami_core.evaluation.by_unit import COUNTED
from mami_core.evaluation.intervals import bootstrap_mean
from mami_core.evaluation.measures import TRUTHS
from mami_core.evaluation.report import bleu_interval
from mami_core.evaluation.text import Bleu, bleu_from_statistics

PURITIES: Final = ((0.0, 0.3), (0.3, 0.5), (0.5, 1.0))  # share of the top part in the masks; the first are impure
ALL: Final = "all units"


def grouping(scores: pd.DataFrame, by: str) -> pd.Series:
    """Return the group of each row of `unit_scores`: `all`, `layer`, `purity` or `family`."""
    if by == "all":
        return pd.Series(ALL, index=scores.index)
    if by == "purity":
        edges = [*(low for low, _ in PURITIES), np.inf]
        return pd.cut(scores["purity"], edges, labels=[purity_name(*band) for band in PURITIES], right=False)
    if by not in ("layer", "family"):
        raise ValueError(f"no grouping {by!r}; there are all, layer, purity, family")
    return scores[by]


def purity_name(low: float, high: float) -> str:
    """Return a band of purities in words."""
    return f"{low:.0%}–{high:.0%}" if low else f"under {high:.0%}"


def annotators_together(scores: pd.DataFrame) -> pd.DataFrame:
    """Return `unit_scores` with one voice `annotators` for all of them: the means of their measures, unit by unit."""
    single = scores["kind"] == "annotator"
    if not single.any():
        return scores
    measures = ["words", "repeats", *TRUTHS, "bleu"]
    how = dict.fromkeys(measures, "mean") | dict.fromkeys(COUNTED, "sum") | {"family": "first", "purity": "first"}
    grouped = scores[single].groupby(["layer", "unit"], sort=False)
    together = grouped.agg(how | {"caption": "first"}).reset_index()
    together.loc[grouped["bleu"].count().to_numpy() == 0, list(COUNTED)] = np.nan
    together = together.assign(voice="annotators", kind="annotator")
    return pd.concat([scores[~single], together[scores.columns]], ignore_index=True)


def means(scores: pd.DataFrame, measure: str, by: str = "all", *, seed: int = 0) -> pd.DataFrame:
    """Return a row per voice and group: `voice, kind, group, mean, low, high, count`; `measure` may be `bleu`.

    BLEU is that of the group's captions together, not a mean. Groups and voices without a value have no row. Purities
    come from impure to pure, other groups in the order of the units.
    """
    groups = grouping(scores, by).rename("group")
    order = {name: place for place, name in enumerate(groups.cat.categories if by == "purity" else groups.unique())}
    rows = []
    for (voice, kind, group), own in scores.groupby(["voice", "kind", groups], sort=False, observed=True):
        values = own[measure].to_numpy()
        known = np.isfinite(values)
        if known.any():
            mean, low, high = _bleu(own[known], seed) if measure == "bleu" else _mean(values[known], seed)
            rows.append((voice, kind, group, mean, low, high, int(known.sum())))
    table = pd.DataFrame(rows, columns=["voice", "kind", "group", "mean", "low", "high", "count"])
    voices = {name: place for place, name in enumerate(table["voice"].unique())}
    places = [
        voices[voice] * len(order) + order[group] for voice, group in zip(table["voice"], table["group"], strict=True)
    ]
    return table.iloc[np.argsort(places, kind="stable")].reset_index(drop=True)


def corpus_bleu(scores: pd.DataFrame, preset: str) -> Bleu | None:
    """Return BLEU of all captions of a voice together, in `milan` or `sat`, which cut words alike; None without any."""
    counted = scores[list(COUNTED)].dropna()
    return None if counted.empty else bleu_from_statistics(counted.to_numpy().astype(np.int64).sum(axis=0), preset)


def _mean(values: np.ndarray, seed: int) -> tuple[float, float, float]:
    found = bootstrap_mean(values, seed)
    return found.mean, found.low, found.high


def _bleu(rows: pd.DataFrame, seed: int) -> tuple[float, float, float]:
    counted = rows[list(COUNTED)].to_numpy().astype(np.int64)
    return bleu_from_statistics(counted.sum(axis=0)).score, *bleu_interval(counted, "milan", seed)


def measured(scores: pd.DataFrame, measures: tuple[str, ...]) -> Iterator[str]:
    """Give those of the measures that any unit has."""
    return (name for name in measures if scores[name].notna().any())
