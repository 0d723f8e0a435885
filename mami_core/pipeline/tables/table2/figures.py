"""The figures of the table: every row with intervals, what is compared with what, and the floors and ceilings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from mami_core.evaluation.bertscore import BertScoreSpec, bert_score, named_spec
from mami_core.evaluation.seeds import (
    bleu_over_seeds,
    compare_bleu,
)
from mami_core.evaluation.text import NotComputed, bleu_from_statistics, lengths
from mami_core.evaluation.truth import IMPURE, MEASURES
from mami_core.pipeline.tables.table2.across import across_networks
from mami_core.pipeline.tables.table2.names import CONSENSUS, MILAN
from mami_core.pipeline.tables.table2.said import NEAREST, Row, Said
from mami_core.pipeline.tables.table2.scored import SHOWN, Scored, compared, plain

FORMS: Final = ("milan", "sat")  # with and without brevity penalty


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
        "annotators": {set_: annotators_figures(scored, set_) for set_ in sorted(said.sets)},
        "comparisons": comparisons(scored),
        "across": across_networks(scored),
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
    contents = [scored.said.units[key].content for key in scored.keys(row)]
    impure = np.array([content is not None and content.purity < IMPURE for content in contents])
    figures: dict[str, Any] = {
        "units": statistics.shape[1],
        "seeds": scored.seeds(row),
        "bleu": {form: plain(bleu_over_seeds(scored.statistics(row, form), form)) for form in FORMS},
        "brevity_penalty": bleu_from_statistics(statistics.sum(axis=(0, 1))).brevity_penalty,
        "words": lengths(said).mean,
        "different": len(set(said)) / len(scored.seeds(row)),
        "truth": {name: scored.mean_truth(values) for name, values in zip(MEASURES, truth, strict=True)},
    }
    if impure.any():
        figures["truth"]["names_top_impure"] = scored.mean_truth(truth[0][:, impure])
    return figures


def annotators_figures(scored: Scored, references: str) -> dict[str, float | None]:
    """Return the annotators' mean truth measures: what a captioner can be measured by; None where truth is unknown."""
    if not scored.said.painted:
        return dict.fromkeys(MEASURES)
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
    entry["truth"] = {name: scored.compared_truth(a, b) for name, a, b in pairs if name in SHOWN}
    return {f"{first.name} - {second.captioner}": entry}


def rows_of(table: Mapping[str, Any], **wanted: str) -> Sequence[Row]:
    """Return the rows whose fields are as wanted."""
    rows = [Row.named(name) for name in table["rows"]]
    return [row for row in rows if all(getattr(row, field) == value for field, value in wanted.items())]
