"""The units behind a figure of the table: what was said of each from every seed, and what each scored."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np

from mami_core.evaluation.text import bleu4, brevity_penalties
from mami_core.evaluation.truth import MEASURES
from mami_core.pipeline.tables.table2.names import COMPOUND, NeuronKey
from mami_core.pipeline.tables.table2.said import Row, Said, TestUnit
from mami_core.pipeline.tables.table2.scored import ANNOTATORS, SHOWN, Scored

Order = Literal["worst", "best", "random"]
TABLE: Final = "table.json"
PEOPLE: Final = "annotators"  # their row: what they wrote is held against the truth as captions are
# whose figure over all units is not their mean: of BLEU a unit has that of its own caption alone
TEXTUAL: Final = ("bleu", "brevity_penalty", "bleu_no_penalty", "words")
FIGURES: Final = (*TEXTUAL, *SHOWN)


@dataclass(frozen=True, eq=False)
class KeptTable:
    """A table as a run of `mami reproduce table2` kept it: its figures, and the captions they are of, read if asked."""

    folder: Path
    figures: Mapping[str, Any]

    @classmethod
    def open(cls, folder: Path) -> KeptTable:
        """Open what was kept; FileNotFoundError or ValueError where there is no table, or it cannot be read."""
        try:
            return cls(folder, json.loads((folder / TABLE).read_text(encoding="utf-8")))
        except json.JSONDecodeError as problem:
            raise ValueError(f"{folder / TABLE} cannot be read ({problem}); write it again by --keep") from None

    @cached_property
    def scored(self) -> Scored:
        """Return every caption, ready to be scored."""
        return Scored(Said.load(self.folder))

    @property
    def sets(self) -> list[str]:
        """Return the sets of references; the paper's rows are of the first."""
        return sorted({Row.named(name).references for name in self.figures["rows"]}, reverse=True)

    @property
    def painted(self) -> bool:
        """Tell whether the truth of all units is known."""
        return all(None not in found.values() for found in self.figures["annotators"].values())


@dataclass(frozen=True, eq=False)
class UnitBehind:
    """One unit of a row: its captions and what each scored, by seed; of people, by annotator."""

    unit: TestUnit
    captions: Mapping[int, str]
    scores: Mapping[int, float]  # NaN where a caption has none: precision of one that names no part

    @property
    def score(self) -> float:
        """Return the mean over the seeds that have a score; NaN where none has."""
        known = [score for score in self.scores.values() if np.isfinite(score)]
        return float(np.mean(known)) if known else float("nan")


def units_behind(scored: Scored, row: Row, figure: str, order: Order = "worst", seed: int = 0) -> list[UnitBehind]:
    """Return the units of a row, those with the lowest or the highest score first, or all in a random order.

    Of units that score the same the seed chooses which comes first; those without a score come last. KeyError for a
    row that was not kept, ValueError for a figure there is not.
    """
    said, values = _said(scored, row), _values(scored, row, figure)  # values (S, U)
    found = [
        UnitBehind(
            scored.said.units[key],
            {one: captions[key] for one, captions in said.items()},
            dict(zip(said, own.tolist(), strict=True)),
        )
        for key, own in zip(sorted(next(iter(said.values()))), values.T, strict=True)
    ]
    return _ordered(found, order, seed)


def people(references: str) -> Row:
    """Return the row of the annotators."""
    return Row(references, COMPOUND, PEOPLE)


def _said(scored: Scored, row: Row) -> Mapping[int, Mapping[NeuronKey, str]]:
    """Return the captions of a row by seed and unit, seeds in order."""
    if row.captioner != PEOPLE:
        return {seed: scored.said.captions[row][seed] for seed in scored.seeds(row)}
    texts = {key: scored.said.units[key].texts[row.references] for key in scored.described(row.references)}
    return {place: {key: given[place] for key, given in texts.items()} for place in range(ANNOTATORS)}


def _values(scored: Scored, row: Row, figure: str) -> np.ndarray:
    """Return what each caption of each seed scores, (S, U)."""
    if figure in MEASURES and row.captioner == PEOPLE:
        return scored.annotators[row.references][MEASURES.index(figure)]
    if figure in MEASURES:
        return scored.truth(row)[MEASURES.index(figure)]
    if figure == "bleu_no_penalty":
        return bleu4(scored.statistics(row, "sat"), "sat")
    statistics = scored.statistics(row, "milan")
    if figure == "bleu":
        return bleu4(statistics)
    if figure == "brevity_penalty":
        return brevity_penalties(statistics)
    if figure == "words":
        return statistics[..., 0].astype(np.float64)
    raise ValueError(f"no figure {figure!r}; there are {', '.join(FIGURES)}")


def _ordered(found: Sequence[UnitBehind], order: Order, seed: int) -> list[UnitBehind]:
    drawn = [found[place] for place in np.random.default_rng(seed).permutation(len(found))]
    if order == "random":
        return drawn
    sign = -1 if order == "best" else 1
    scores = np.array([sign * entry.score for entry in drawn])
    return [drawn[place] for place in np.argsort(scores, kind="stable")]  # NaN last
