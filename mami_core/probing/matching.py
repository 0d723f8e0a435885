"""Units of two dissections side by side, and units of one layer that do the same thing.

Units are matched by Pearson's r of their peaks over the images both saw (Li et al. 2016, "Convergent Learning"): the
best match of each unit on its own, or one to one with the largest sum of r (Hungarian method).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from mami_core.probing.profiles import Profiles, correlations, shared_rows
from mami_core.probing.words import caption_texts, word_f1
from mami_core.store import Dissection

How = Literal["best", "one-to-one"]


def match_units(
    first: Dissection, second: Dissection, layer: str, other_layer: str, *, how: How = "one-to-one"
) -> pd.DataFrame:
    """Return `unit, match, correlation, mutual` for each unit of `layer` that has one, best correlated first.

    `match` is a unit of the second's `other_layer`; `mutual`: each is the other's best. Units without a profile are not
    matched. ValueError where the dissections are of different images. O(images x U x V), one-to-one + O(U^2 V).
    """
    if how not in ("best", "one-to-one"):
        raise ValueError(f"units are matched by best or one-to-one, not by {how!r}")
    rows, others = shared_rows(first, second)
    found = correlations(Profiles(first.peaks(layer), rows), Profiles(second.peaks(other_layer), others))  # (U, V)
    known = np.where(np.isfinite(found), found, -2.0)
    one, other = _best(known) if how == "best" else _one_to_one(known)
    kept = known[one, other] >= -1
    one, other = one[kept], other[kept]
    units = np.array([unit for _, unit in first.unit_keys(layer)], dtype=np.int64)
    matches = np.array([unit for _, unit in second.unit_keys(other_layer)], dtype=np.int64)
    mutual = (known.argmax(axis=1)[one] == other) & (known.argmax(axis=0)[other] == one)
    table = {"unit": units[one], "match": matches[other], "correlation": found[one, other], "mutual": mutual}
    return pd.DataFrame(table).sort_values("correlation", ascending=False, kind="stable", ignore_index=True)


def _best(known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.arange(len(known)), known.argmax(axis=1)


def _one_to_one(known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from scipy.optimize import linear_sum_assignment

    one, other = linear_sum_assignment(known, maximize=True)
    return np.asarray(one), np.asarray(other)


def caption_differences(
    first: Dissection,
    second: Dissection,
    layer: str,
    other_layer: str,
    matches: pd.DataFrame,
    captioner: str,
    other_captioner: str | None = None,
) -> pd.DataFrame:
    """Return `match_units`' table with `caption, match_caption, difference` (1 - word F1), most different first.

    `difference` is NaN where either was not captioned.
    """
    said = _by_unit(first, layer, captioner)
    heard = _by_unit(second, other_layer, other_captioner or captioner)
    texts = [said[unit] for unit in matches["unit"]]
    others = [heard[unit] for unit in matches["match"]]
    columns = {
        "caption": pd.Series(texts, dtype=object, index=matches.index),
        "match_caption": pd.Series(others, dtype=object, index=matches.index),
        "difference": 1 - word_f1(texts, others),
    }
    return matches.assign(**columns).sort_values("difference", ascending=False, kind="stable", ignore_index=True)


def _by_unit(dissection: Dissection, layer: str, captioner: str) -> dict[int, str | None]:
    texts = zip(dissection.unit_keys(), caption_texts(dissection, captioner), strict=True)
    return {unit: text for (name, unit), text in texts if name == layer}


@dataclass(frozen=True, eq=False)
class Redundancy:
    """How much the units of one layer repeat each other."""

    table: pd.DataFrame  # unit, nearest, correlation, group (0, 1, ...; -1: on its own), most redundant first
    effective_units: float  # the participation ratio: as many independent units would spread the same variance
    units: int  # with a profile


def redundancy(dissection: Dissection, layer: str, *, threshold: float = 0.9) -> Redundancy:
    """Return each unit's nearest in its own layer, and groups of units tied together by r of at least `threshold`.

    The participation ratio of the correlation matrix R is trace(R)^2 / sum(R^2): 1 where all units do the same, their
    number where none do. O(images x U^2). ValueError for a threshold outside (0, 1].
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"units are redundant from a correlation in (0, 1] on, got {threshold}")
    peaks = Profiles(dissection.peaks(layer))
    found = correlations(peaks, peaks).astype(np.float64)  # (U, U)
    known = np.isfinite(found.diagonal())
    units = np.array([unit for _, unit in dissection.unit_keys(layer)], dtype=np.int64)[known]
    found = found[np.ix_(known, known)]
    effective = len(units) ** 2 / (found**2).sum() if len(units) else float("nan")
    if len(units) < 2:
        columns = ["unit", "nearest", "correlation", "group"]
        return Redundancy(pd.DataFrame(columns=columns), effective, len(units))
    groups = _groups(found >= threshold)
    np.fill_diagonal(found, -np.inf)
    nearest = found.argmax(axis=1)
    table = pd.DataFrame(
        {
            "unit": units,
            "nearest": units[nearest],
            "correlation": found[np.arange(len(units)), nearest],
            "group": groups,
        }
    )
    return Redundancy(
        table.sort_values("correlation", ascending=False, kind="stable", ignore_index=True), effective, len(units)
    )


def _groups(tied: np.ndarray) -> np.ndarray:
    """Return each unit's connected component (U,), largest first; -1 for a unit that is tied to no other."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    _, label = connected_components(csr_matrix(tied), directed=False)
    size = np.bincount(label)
    order = np.argsort(-size, kind="stable")
    name = np.empty(len(size), dtype=np.int64)
    name[order] = np.where(size[order] > 1, np.arange(len(size)), -1)
    return name[label]
