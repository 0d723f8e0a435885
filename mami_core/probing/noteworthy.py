"""What is worth a look in a dissection: units that captioners disagree on, that are selective, unexplained or dead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mami_core.probing.disagreement import captioner_disagreement, head_disagreement
from mami_core.probing.similarity import best
from mami_core.probing.words import caption_texts, words_of
from mami_core.store import Dissection

TOP_SHARE = 0.01  # of the images: what a selective unit keeps its activation for
_COLUMNS_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Noted:
    """One unit of a list, and the figure that put it there; None where there is none."""

    layer: str
    unit: int
    value: float | None


@dataclass(frozen=True, slots=True)
class WorthALook:
    """Lists of units, most striking first. An empty list: nothing of the kind, or not computed yet."""

    disagreement: tuple[Noted, ...]  # one minus the mean word F1 of captioners
    selective: tuple[Noted, ...]  # share of the activation that the strongest 1 % of images hold
    least_explained: tuple[Noted, ...]  # PMI of `explained_by`, lowest first
    dead: tuple[Noted, ...]  # never active, or constant; in the dissection's order
    dead_count: int
    explained_by: str | None  # PMI is comparable only within one captioner


def selectivity(peaks: np.ndarray) -> np.ndarray:
    """Return what share of each unit's activation the strongest 1 % of images hold, float64 (U,), in (0, 1].

    peaks (P, U); activation is measured from the unit's weakest image, so that units without a ReLU compare. 1: it
    fires on those images only; 0.01: on all alike. NaN for a unit that never varies or is not finite somewhere
    readable. O(images x units), 256 columns at a time.
    """
    shares = [_top_share(peaks[:, at : at + _COLUMNS_AT_ONCE]) for at in range(0, peaks.shape[1], _COLUMNS_AT_ONCE)]
    return np.concatenate(shares) if shares else np.empty(0)


def _top_share(peaks: np.ndarray) -> np.ndarray:
    values = np.ascontiguousarray(np.asarray(peaks, dtype=np.float32).T)  # (u, P)
    values = values[:, np.isfinite(values).any(axis=0)]  # unreadable images
    images = values.shape[1]
    if not images:
        return np.full(len(values), np.nan)
    count = int(np.ceil(images * TOP_SHARE))
    above = values - values.min(axis=1, keepdims=True)
    above.partition(images - count, axis=1)
    whole = above.sum(axis=1, dtype=np.float64)
    strongest = above[:, images - count :].sum(axis=1, dtype=np.float64)
    return np.divide(strongest, whole, out=np.full(len(values), np.nan), where=whole > 0)  # NaN compares as False


def unit_measures(dissection: Dissection) -> pd.DataFrame:
    """Return a row per unit, in the dissection's order: `layer, unit, state, selectivity, disagreement`, and per
    captioner `words:<name>`, `pmi:<name>`, `head_disagreement:<name>`. NaN where a figure was not computed.

    About 6 s of CPU for 30,000 units with peaks over 2,000 images, half of it heads: make it once and keep it.
    """
    units = dissection.units
    table = units[["layer", "unit", "state"]].reset_index(drop=True)
    table["selectivity"] = unit_selectivity(dissection)
    table["disagreement"] = captioner_disagreement(dissection)
    index = pd.MultiIndex.from_frame(units[["layer", "unit"]])
    for name in dissection.captioners:
        texts = caption_texts(dissection, name)
        table[f"words:{name}"] = [len(words_of(text)) if text else np.nan for text in texts]
        said = dissection.captions(name).reindex(index)
        pmi = said["pmi"].to_numpy(dtype=np.float64)
        table[f"pmi:{name}"] = np.where((said["state"] == "ok").to_numpy(), pmi, np.nan)
        table[f"head_disagreement:{name}"] = head_disagreement(dissection, name)
    return table


def unit_selectivity(dissection: Dissection) -> np.ndarray:
    """Return `selectivity` of every unit, float64 (units,); NaN for layers whose peaks were not kept."""
    parts = [_layer_selectivity(dissection, name) for name in dissection.layers]
    return np.concatenate(parts) if parts else np.empty(0)


def _layer_selectivity(dissection: Dissection, layer: str) -> np.ndarray:
    try:
        return selectivity(dissection.peaks(layer))
    except FileNotFoundError:  # peaks were not kept: not computed
        return np.full(len(dissection.unit_keys(layer)), np.nan)


def worth_a_look(
    dissection: Dissection, *, count: int = 10, explained_by: str | None = None, measures: pd.DataFrame | None = None
) -> WorthALook:
    """Return what is worth a look. `explained_by` says whose PMI counts (default: the first captioner's).

    `measures` is `unit_measures(dissection)`, where it was made already.
    """
    if explained_by is not None and explained_by not in dissection.captioners:
        raise KeyError(f"{explained_by!r} did not caption {dissection.name}")
    judge = explained_by or next(iter(dissection.captioners), None)
    table = unit_measures(dissection) if measures is None else measures
    alive = (table["state"] == "alive").to_numpy()
    silent = table["state"].isin(["dead", "constant"]).to_numpy()

    def listed(values: np.ndarray, sign: int = 1) -> tuple[Noted, ...]:
        places = best(np.where(alive, sign * values, np.nan), count)
        return tuple(Noted(table["layer"][at], int(table["unit"][at]), float(values[at])) for at in places)

    pmi = np.full(len(table), np.nan) if judge is None else table[f"pmi:{judge}"].to_numpy()
    disagreement = table["disagreement"].to_numpy()
    return WorthALook(
        disagreement=listed(np.where(disagreement > 0, disagreement, np.nan)),
        selective=listed(table["selectivity"].to_numpy()),
        least_explained=listed(pmi, -1),
        dead=tuple(Noted(table["layer"][at], int(table["unit"][at]), None) for at in np.flatnonzero(silent)[:count]),
        dead_count=int(silent.sum()),
        explained_by=judge,
    )
