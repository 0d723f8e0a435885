"""The figures of the table: every row with intervals, what is compared with what, and the floors and ceilings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import numpy as np

from mami_core.evaluation.bertscore import BertScoreSpec, bert_score, named_spec
from mami_core.evaluation.seeds import (
    Comparison,
    OverSeeds,
    bleu_over_seeds,
    compare_bleu,
    compare_means,
    mean_over_seeds,
)
from mami_core.evaluation.text import NotComputed, bleu_from_statistics, bleu_statistics, lengths
from mami_core.evaluation.truth import IMPURE, MEASURES, score_caption
from mami_core.pipeline.tables.table2.said import NEAREST, Row, Said
from mami_core.pipeline.tables.table2.trainings import CONSENSUS
from mami_core.pipeline.tables.table2.units import COMPOUND, NeuronKey

MILAN: Final = "milan"
FORMS: Final = ("milan", "sat")  # with and without brevity penalty
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
        """Return the truth measures (measures, S, U), NaN where a caption names no part to be precise about."""
        keys, said = self.keys(row), self.said.captions[row]
        found = [[self._truth(key, said[seed][key]) for key in keys] for seed in self.seeds(row)]
        return np.array(found).transpose(2, 0, 1)

    def _truth(self, key: NeuronKey, caption: str) -> tuple[float, ...]:
        if (key, caption) not in self._truths:
            scores = score_caption(caption, self.said.units[key].content)
            self._truths[key, caption] = tuple(scores[measure] for measure in MEASURES)
        return self._truths[key, caption]

    @cached_property
    def annotators(self) -> Mapping[str, np.ndarray]:
        """Return the annotators' truth measures by set of references, (measures, annotators, U)."""
        sets = sorted({row.references for row in self.said.captions})
        return {set_: self._annotators(set_) for set_ in sets}

    def _annotators(self, references: str) -> np.ndarray:
        row = Row(references, COMPOUND, NEAREST)
        keys = self.keys(row) if row in self.said.captions else sorted(self.said.units)
        texts = [self.said.units[key].texts[references] for key in keys]
        found = [[self._truth(key, given[place]) for key, given in zip(keys, texts, strict=True)]
                 for place in range(ANNOTATORS)]  # fmt: skip
        return np.array(found).transpose(2, 0, 1)


def table_of(said: Said, backbone: str = "roberta-large") -> dict[str, Any]:
    """Return all figures, ready for JSON. Intervals are 95 %, by bootstrap over units and trainings.

    `backbone` of BERTScore is MILAN's, or a local model's folder, whose figures are comparable with nobody's; where it
    is absent the figures say so.
    """
    scored = Scored(said)
    spec = named_spec(backbone)
    return {
        "units": len(said.units),
        "rows": {
            row.name: {**row_figures(scored, row), "bertscore": bertscore_of(scored, row, spec)}
            for row in sorted(said.captions)
        },
        "annotators": {set_: annotators_figures(scored, set_) for set_ in scored.annotators},
        "comparisons": comparisons(scored),
    }


def bertscore_of(scored: Scored, row: Row, spec: BertScoreSpec) -> dict[str, Any]:
    """Return BERTScore of a row's first training, or why there is none."""
    keys, said = scored.keys(row), scored.said.captions[row][scored.seeds(row)[0]]
    given = [scored.said.units[key].texts[row.references] for key in keys]
    found = bert_score([said[key] for key in keys], given, spec)
    if isinstance(found, NotComputed):
        return {"not_computed": found.reason}
    means = {name: float(getattr(found, name).mean()) for name in ("precision", "recall", "f1")}
    return {**means, "label": found.label}


def row_figures(scored: Scored, row: Row) -> dict[str, Any]:
    """Return one row's figures."""
    statistics, truth = scored.statistics(row, "milan"), scored.truth(row)
    said = [scored.said.captions[row][seed][key] for seed in scored.seeds(row) for key in scored.keys(row)]
    impure = np.array([scored.said.units[key].content.purity < IMPURE for key in scored.keys(row)])
    figures: dict[str, Any] = {
        "units": statistics.shape[1],
        "seeds": scored.seeds(row),
        "bleu": {form: plain(bleu_over_seeds(scored.statistics(row, form), form)) for form in FORMS},
        "brevity_penalty": bleu_from_statistics(statistics.sum(axis=(0, 1))).brevity_penalty,
        "words": lengths(said).mean,
        "different": len(set(said)) / len(scored.seeds(row)),
        "truth": {name: plain(mean_over_seeds(values)) for name, values in zip(MEASURES, truth, strict=True)},
    }
    if impure.any():
        figures["truth"]["names_top_impure"] = plain(mean_over_seeds(truth[0][:, impure]))
    return figures


def annotators_figures(scored: Scored, references: str) -> dict[str, float]:
    """Return the annotators' mean truth measures: what a captioner can be measured by."""
    return {name: float(np.nanmean(values))
            for name, values in zip(MEASURES, scored.annotators[references], strict=True)}  # fmt: skip


def comparisons(scored: Scored) -> dict[str, Any]:
    """Return ours against MILAN, MAMI against MILAN, and ours against copying, wherever both are there."""
    found: dict[str, Any] = {}
    for row in sorted(scored.said.captions):
        if row.captioner in (CONSENSUS, "mami", "luong", "self") and row.variant in ("best", "last"):
            found |= _against(scored, row, Row(row.references, row.source, MILAN, row.variant))
        if row.captioner == CONSENSUS and row.variant == "best":
            found |= _against(scored, row, Row(row.references, row.source, NEAREST))
    return found


def _against(scored: Scored, first: Row, second: Row) -> dict[str, Any]:
    """Return the comparison of two rows over the seeds that both have; a floor has one for all."""
    if second not in scored.said.captions:
        return {}
    ours, theirs = scored.seeds(first), scored.seeds(second)
    shared = ours if second.captioner == NEAREST else sorted(set(ours) & set(theirs))
    mine = [ours.index(seed) for seed in shared]
    other = [0] * len(shared) if second.captioner == NEAREST else [theirs.index(seed) for seed in shared]
    entry: dict[str, Any] = {"seeds": shared}
    entry["bleu"] = {
        form: compared(compare_bleu(scored.statistics(first, form)[mine], scored.statistics(second, form)[other], form))
        for form in FORMS
    }
    pairs = zip(MEASURES, scored.truth(first)[:, mine], scored.truth(second)[:, other], strict=True)
    entry["truth"] = {name: compared(compare_means(a, b)) for name, a, b in pairs if name in SHOWN}
    return {f"{first.name} - {second.captioner}": entry}


def plain(figure: OverSeeds) -> dict[str, Any]:
    """Return a figure as plain values, None for what is not a number."""
    values = {"value": figure.value, "low": figure.low, "high": figure.high, "spread": figure.spread}
    known = {name: value if np.isfinite(value) else None for name, value in values.items()}
    return {**known, "by_seed": [value if np.isfinite(value) else None for value in figure.by_seed]}


def compared(found: Comparison) -> dict[str, Any]:
    """Return a comparison as plain values."""
    return {"difference": plain(found.difference), "ratio": plain(found.ratio), "p": found.p}


def mean_of(table: Mapping[str, Any], row: Row, *path: str) -> float | None:
    """Return one value of a row of the table; None where the row is not there."""
    held: Any = table["rows"].get(row.name)
    for name in path:
        held = None if held is None else held.get(name)
    return None if held is None else float(held["value"] if isinstance(held, dict) else held)


def rows_of(table: Mapping[str, Any], **wanted: str) -> Sequence[Row]:
    """Return the rows whose fields are as wanted."""
    rows = [Row.named(name) for name in table["rows"]]
    return [row for row in rows if all(getattr(row, field) == value for field, value in wanted.items())]
