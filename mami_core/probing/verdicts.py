"""What a blind review showed: who won how often, with intervals, and how far reviewers agree beyond chance.

Wilson 1927, "Probable Inference", for intervals; Cohen 1960 and Fleiss 1971 for kappa.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from mami_core.probing.words import caption_texts
from mami_core.store import Dissection

Z95 = 1.959963984540054  # two-sided 95 %
Judgement = Literal["verdict", "choice"]


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its 95 % Wilson interval. Without any decided case all three are NaN."""

    wins: int
    decided: int

    @property
    def rate(self) -> float:
        """Return wins over decided."""
        return self.wins / self.decided if self.decided else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Return (low, high) of Wilson's score interval."""
        return wilson(self.wins, self.decided)


def wilson(wins: int, decided: int, z: float = Z95) -> tuple[float, float]:
    """Return Wilson's score interval of a share (Wilson 1927); (NaN, NaN) of nothing."""
    if not 0 <= wins <= decided:
        raise ValueError(f"{wins} wins of {decided} decided")
    if not decided:
        return math.nan, math.nan
    share, step = wins / decided, z * z / decided
    centre = (share + step / 2) / (1 + step)
    half = z * math.sqrt(share * (1 - share) / decided + step / (4 * decided)) / (1 + step)
    return (0.0 if wins == 0 else centre - half), (1.0 if wins == decided else centre + half)


def win_rates(dissection: Dissection, labels: pd.DataFrame, captioners: Sequence[str]) -> pd.DataFrame:
    """Return `captioner, wins, decided, rate, low, high, rejected, unsure, ties`, a row per captioner.

    A captioner wins where a reviewer accepted or edited what it says while the others' captions were there to take;
    captioners that say the same win together. Not decided: `rejected` (none was good enough), `unsure`, and `ties` (all
    say the same). One vote a unit and reviewer; Wilson's interval takes votes for independent, which those of several
    reviewers on one unit are not: give one reviewer's labels for an interval that holds. O(labels).
    """
    votes = _counted(labels)
    texts = _texts(dissection, votes, captioners)  # (votes, captioners)
    whole = np.array([None not in row for row in texts], dtype=bool)
    tied = whole & np.array([len(set(row)) < 2 for row in texts], dtype=bool)
    place = {name: at for at, name in enumerate(captioners)}
    chosen = [place.get(name, -1) for name in votes["captioner"]]
    taken = whole & ~tied & votes["verdict"].isin(["accept", "edit"]).to_numpy() & (np.array(chosen, dtype=int) >= 0)
    count = {name: int((whole & (votes["verdict"] == name).to_numpy()).sum()) for name in ("reject", "unsure")}
    undecided = {"rejected": count["reject"], "unsure": count["unsure"], "ties": int(tied.sum())}
    table = []
    for name, at in place.items():
        same = np.array([row[at] == row[own] for row, own in zip(texts, chosen, strict=True)], dtype=bool)
        rate = Rate(int((taken & same).sum()), int(taken.sum()))
        low, high = rate.interval
        figures = {"wins": rate.wins, "decided": rate.decided, "rate": rate.rate, "low": low, "high": high}
        table.append({"captioner": name, **figures, **undecided})
    return pd.DataFrame(table)


def _texts(dissection: Dissection, votes: pd.DataFrame, captioners: Sequence[str]) -> list[tuple[str | None, ...]]:
    """Return what each captioner says of each vote's unit; None where it says nothing, or there is no such unit."""
    said = [caption_texts(dissection, name) for name in captioners]
    rows = {key: row for row, key in enumerate(dissection.unit_keys())}
    found = [rows.get((layer, int(unit))) for layer, unit in zip(votes["layer"], votes["unit"], strict=True)]
    return [tuple(None if row is None else column[row] for column in said) for row in found]


def _counted(labels: pd.DataFrame) -> pd.DataFrame:
    return labels[(labels["verdict"] != "withdrawn").to_numpy()].reset_index(drop=True)


@dataclass(frozen=True, slots=True)
class Kappa:
    """Agreement beyond chance: 1 full, 0 what chance gives, NaN where chance alone agrees fully, or no unit is shared.

    `kind`: Cohen's for two reviewers, Fleiss's for more.
    """

    kind: Literal["cohen", "fleiss"]
    kappa: float
    observed: float
    expected: float
    units: int
    reviewers: tuple[str, ...]


def reviewer_agreement(labels: pd.DataFrame, *, on: Judgement = "verdict") -> Kappa:
    """Return how far reviewers agree over units that two or more of them judged.

    `on`: their verdicts, or their `choice`, which also says whose caption was taken. With three or more reviewers a
    unit counts with as many as judged it. ValueError for fewer than two reviewers.
    """
    table = _counted(labels)
    reviewers = tuple(sorted(table["reviewer"].unique()))
    if len(reviewers) < 2:
        raise ValueError(f"agreement needs two reviewers, there are {len(reviewers)}")
    said = table["verdict"].astype(str)
    if on == "choice":
        said = said + ":" + table["captioner"].fillna("").astype(str)
    wide = table.assign(said=said).pivot(index=["layer", "unit"], columns="reviewer", values="said")
    wide = wide[(wide.notna().sum(axis=1) >= 2).to_numpy()]
    if len(reviewers) == 2:
        return cohen_kappa(wide[reviewers[0]].tolist(), wide[reviewers[1]].tolist(), reviewers)
    names = sorted({value for value in wide.to_numpy().ravel() if isinstance(value, str)})
    counts = np.stack([(wide == name).sum(axis=1).to_numpy() for name in names], axis=1) if names else np.empty((0, 0))
    return fleiss_kappa(counts, reviewers)


def cohen_kappa(first: Sequence[str], second: Sequence[str], reviewers: Sequence[str] = ("", "")) -> Kappa:
    """Return Cohen's kappa of two reviewers' judgements of the same units."""
    if len(first) != len(second):
        raise ValueError(f"two reviewers of the same units, but {len(first)} and {len(second)} judgements")
    if not len(first):
        return Kappa("cohen", math.nan, math.nan, math.nan, 0, tuple(reviewers))
    names = sorted({*first, *second})
    one, other = (np.array([names.index(value) for value in column]) for column in (first, second))
    observed = float((one == other).mean())
    shares = [np.bincount(column, minlength=len(names)) / len(column) for column in (one, other)]
    expected = float(shares[0] @ shares[1])
    return Kappa("cohen", _kappa(observed, expected), observed, expected, len(first), tuple(reviewers))


def fleiss_kappa(counts: np.ndarray, reviewers: Sequence[str] = ()) -> Kappa:
    """Return Fleiss's kappa of counts (units, categories): how many reviewers put a unit into a category.

    Units may have different numbers of reviewers, each at least two; with equal numbers it is Fleiss's own.
    """
    if not counts.size:
        return Kappa("fleiss", math.nan, math.nan, math.nan, 0, tuple(reviewers))
    judges = counts.sum(axis=1)
    if (judges < 2).any():
        raise ValueError("Fleiss's kappa needs two or more reviewers for every unit")
    observed = float((((counts**2).sum(axis=1) - judges) / (judges * (judges - 1))).mean())
    expected = float(((counts.sum(axis=0) / judges.sum()) ** 2).sum())
    return Kappa("fleiss", _kappa(observed, expected), observed, expected, len(counts), tuple(reviewers))


def _kappa(observed: float, expected: float) -> float:
    return (observed - expected) / (1 - expected) if expected < 1 else math.nan
