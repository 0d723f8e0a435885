"""Every caption of the table, scored once: statistics of BLEU and measures of truth."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

import numpy as np

from mami_core.evaluation.seeds import Comparison, OverSeeds, compare_means, mean_over_seeds
from mami_core.evaluation.text import bleu_statistics
from mami_core.evaluation.truth import MEASURES, score_caption
from mami_core.pipeline.tables.table2.names import COMPOUND, NeuronKey
from mami_core.pipeline.tables.table2.said import NEAREST, Row, Said

SHOWN: Final = ("names_top", "first_is_top", "recall_top3", "precision", "attribute_f1")
ANNOTATORS: Final = 3


class Scored:
    """Every caption's statistics and truth, each computed once."""

    def __init__(self, said: Said) -> None:
        """Keep what is scored; nothing is computed yet."""
        self.said = said
        self._truths: dict[tuple[NeuronKey, str], tuple[float, ...]] = {}
        self._statistics: dict[tuple[Row, str], np.ndarray] = {}

    def keys(self, row: Row) -> list[NeuronKey]:
        """Return the units of a row, in order."""
        return sorted(next(iter(self.said.captions[row].values())))

    def seeds(self, row: Row) -> list[int]:
        """Return the seeds that a row was trained from."""
        return sorted(self.said.captions[row])

    def statistics(self, row: Row, form: str) -> np.ndarray:
        """Return BLEU's statistics (S, U, 10)."""
        if (row, form) not in self._statistics:
            keys = self.keys(row)
            given = [self.said.units[key].texts[row.references] for key in keys]
            self._statistics[row, form] = np.stack(
                [bleu_statistics([self.said.captions[row][seed][key] for key in keys], given, form)
                 for seed in self.seeds(row)]
            )  # fmt: skip
        return self._statistics[row, form]

    def truth(self, row: Row) -> np.ndarray:
        """Return the truth measures (measures, S, U), NaN where a caption names no part to be precise about.

        All are NaN where the truth is not known.
        """
        keys, said = self.keys(row), self.said.captions[row]
        found = [[self._truth(key, said[seed][key]) for key in keys] for seed in self.seeds(row)]
        return np.array(found).transpose(2, 0, 1)

    def _truth(self, key: NeuronKey, caption: str) -> tuple[float, ...]:
        if (key, caption) not in self._truths:
            content = self.said.units[key].content
            scores = dict.fromkeys(MEASURES, np.nan) if content is None else score_caption(caption, content)
            self._truths[key, caption] = tuple(scores[measure] for measure in MEASURES)
        return self._truths[key, caption]

    def mean_truth(self, values: np.ndarray) -> dict[str, Any]:
        """Return the mean of a measure (S, U) as plain values, None where the truth is not known."""
        return plain(mean_over_seeds(values)) if self.said.painted else plain(_unknown(len(values)))

    def compared_truth(self, first: np.ndarray, second: np.ndarray) -> dict[str, Any]:
        """Return the comparison of a measure (S, U) of two rows, None where the truth is not known."""
        if self.said.painted:
            return compared(compare_means(first, second))
        nothing = plain(_unknown(len(first)))
        return {"difference": nothing, "ratio": nothing, "p": None}

    @cached_property
    def annotators(self) -> Mapping[str, np.ndarray]:
        """Return the annotators' truth measures by set of references, (measures, annotators, U)."""
        return {set_: self._annotators(set_) for set_ in sorted(self.said.sets)}

    def described(self, references: str) -> list[NeuronKey]:
        """Return the units that annotators are measured on: those of the rows of all sources."""
        row = Row(references, COMPOUND, NEAREST)
        return self.keys(row) if row in self.said.captions else sorted(self.said.units)

    def _annotators(self, references: str) -> np.ndarray:
        keys = self.described(references)
        texts = [self.said.units[key].texts[references] for key in keys]
        found = [[self._truth(key, given[place]) for key, given in zip(keys, texts, strict=True)]
                 for place in range(ANNOTATORS)]  # fmt: skip
        return np.array(found).transpose(2, 0, 1)


def _unknown(seeds: int) -> OverSeeds:
    return OverSeeds(np.nan, np.nan, np.nan, (np.nan,) * seeds)


def plain(figure: OverSeeds) -> dict[str, Any]:
    """Return a figure as plain values, None for what is not a number."""
    values = {"value": figure.value, "low": figure.low, "high": figure.high, "spread": figure.spread}
    known = {name: value if np.isfinite(value) else None for name, value in values.items()}
    return {**known, "by_seed": [value if np.isfinite(value) else None for value in figure.by_seed]}


def compared(found: Comparison) -> dict[str, Any]:
    """Return a comparison as plain values."""
    return {"difference": plain(found.difference), "ratio": plain(found.ratio), "p": found.p}
