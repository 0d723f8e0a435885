"""How much truth is lost on a network that a captioner never met: the same units, met in training's network or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from mami_core.evaluation.seeds import compare_means
from mami_core.evaluation.truth import MEASURES
from mami_core.pipeline.tables.table2.names import COMPOUND, NeuronKey
from mami_core.pipeline.tables.table2.rows import HELD_OUT
from mami_core.pipeline.tables.table2.said import Row
from mami_core.pipeline.tables.table2.scored import SHOWN, Scored, compared

ALL: Final = "all"


def across_networks(scored: Scored) -> dict[str, Any]:
    """Return per captioner and held-out source what is lost; `all` has the test units of all sources together.

    Nothing where the truth is not known.
    """
    if not scored.said.painted:
        return {}
    rows = sorted(row for row in scored.said.captions if row.source.startswith(HELD_OUT) and row.variant == "best")
    found: dict[str, Any] = {}
    for captioner in sorted({row.captioner for row in rows}):
        lost = {row.source.removeprefix(HELD_OUT): _lost(scored, row) for row in rows if row.captioner == captioner}
        known = {source: pair for source, pair in lost.items() if pair is not None}
        if known:
            seeds = min(pair[0].shape[1] for pair in known.values())
            whole = tuple(np.concatenate([pair[side][:, :seeds] for pair in known.values()], 2) for side in (0, 1))
            found[captioner] = {source: _compared(pair) for source, pair in {**known, ALL: whole}.items()}
    return found


def _lost(scored: Scored, row: Row) -> tuple[np.ndarray, np.ndarray] | None:
    """Return truth (measures, S, U) of the units that both were tested on, held out and not; None without the other."""
    other = Row(row.references, COMPOUND, row.captioner)
    if other not in scored.said.captions:
        return None
    shared = sorted(set(scored.keys(row)) & set(scored.keys(other)))
    seeds = sorted(set(scored.seeds(row)) & set(scored.seeds(other)))
    if not shared or not seeds:
        return None
    return _truth(scored, row, seeds, shared), _truth(scored, other, seeds, shared)


def _truth(scored: Scored, row: Row, seeds: list[int], keys: list[NeuronKey]) -> np.ndarray:
    place = {key: column for column, key in enumerate(scored.keys(row))}
    own = scored.seeds(row)
    return scored.truth(row)[:, [own.index(seed) for seed in seeds]][:, :, [place[key] for key in keys]]


def _compared(pair: Any) -> Mapping[str, Any]:
    held_out, met = pair
    figures = {
        name: {"met": float(np.nanmean(ours)), "held_out": float(np.nanmean(theirs)),
               **compared(compare_means(theirs, ours))}
        for name, theirs, ours in zip(MEASURES, held_out, met, strict=True)
        if name in SHOWN
    }  # fmt: skip
    return {"units": held_out.shape[2], "seeds": held_out.shape[1], "truth": figures}
