"""Boards of figures for the Evaluate page: an evaluation in, columns and rows for the component out, no widgets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

import pandas as pd

from mami_core.evaluation.breakdown import PURITIES, corpus_bleu, means, purity_name
from mami_core.evaluation.firing import FIRING
from mami_core.evaluation.measures import CONTENT, RULED, TITLES, TRUTHS
from mami_core.probing.payload import number

MEASURES: Final = {**TITLES, "bleu": "BLEU-4, milan"}
SIMULATED: Final = ":gray-badge[simulated: painted scenes, simulated annotators]"
ABOUT: Final = {
    "captioner": "captioner",
    "copy": "floor: copies a training unit's reference",
    "shuffled": "floor: right words, wrong units",
    "constant": "floor: the same of every unit",
    "annotator": "people, each against the others",
    "oracle": "ceiling: the rule itself",
}
HELP: Final = {
    "names_top": "Share of units whose most enriched part under the masks is named",
    "first_is_top": "Share of units where the first part named is that one",
    "recall_top3": "How many of the three most enriched parts are named",
    "precision": "How many of the named parts are among the five most enriched",
    "attribute_f1": "Parts, colours, textures, positions and places together",
    "rule_f1": "What is said against what the planted rule asks for",
    "auprc": "Does the caption say on which unseen images the unit fires? A caption that says nothing scores the "
    "prevalence",
    "lift": "AUPRC over prevalence: 1 is chance",
    "pearson": "Expected against measured activation over all unseen images",
    "iou": "Pixels the caption is about against pixels where the unit fires",
    "bleu": "Corpus BLEU-4 against all references",
}
_SCALES: Final = {"lift": (1, 3), "pearson": (-0.2, 0.6), "iou": (0, 0.6), "bleu": (0, 30)}
Link = Callable[[str, str | None, str | None], str]  # voice, measure, group → address


def linker(dissection: str, split: str, captioners: Sequence[str], by: str = "all") -> Link:
    """Return a function that leads from a cell to the list of its units, those with the highest figure first.

    Only captioners' figures can be sorted by; of floors and people the list is the units themselves.
    """
    bands = {purity_name(*band): band for band in PURITIES}

    def link(voice: str, measure: str | None, group: str | None) -> str:
        address = {"d": dissection, **({} if split == "all" else {"split": split})}
        if by in ("layer", "family") and group:
            address["layer"] = group
        if by == "purity" and group in bands:
            low, high = bands[group]
            return f"neurons?{urlencode({**address, 'sort': 'purity', 'least': low, 'most': min(high, 1.0)})}"
        if voice in captioners and measure in (*TRUTHS, "references", "words"):
            address["sort"] = measure if measure == "words" else f"{measure}:{voice}"
        return f"neurons?{urlencode(address)}"

    return link


def truth_board(scores: pd.DataFrame, missing: Mapping[str, str], link: Link) -> dict[str, Any]:
    """Return what captions say against what units do: a column a measure, a row a voice."""
    figures = {name: means(scores, name) for name in (*CONTENT, RULED, *FIRING) if _asked(scores, name)}
    columns = [_column(name, table) for name, table in figures.items()]
    found = {(name, row["voice"]): row for name, table in figures.items() for row in table.to_dict("records")}
    rows = [
        _row(voice, kind, [_cell(found.get((name, voice)), link(voice, name, None)) for name in figures])
        for voice, kind in _voices(scores)
    ]
    _mark_best(rows)
    unknown = [] if any(name in figures for name in FIRING) else ["auprc", "iou"]
    for name in unknown:
        columns.append(_column(name, pd.DataFrame()))
        for row in rows:
            row["cells"].append({"value": None, "why": missing.get("firing", "not known of these units")})
    return {"columns": columns, "rows": rows}


def text_board(report: Mapping[str, Any], scores: pd.DataFrame, link: Link) -> dict[str, Any]:
    """Return how near captions come to what people wrote: BLEU in three forms beside its penalty, variety, length."""
    columns = [
        {"name": "BLEU-4, milan", "digits": 1, "least": 0, "most": _most(scores), "help": HELP["bleu"]},
        {"name": "brevity penalty", "digits": 2, "help": "1: no shorter than the references. Length alone moves BLEU"},
        {"name": "BLEU-4, sat", "digits": 1, "help": "Without brevity penalty"},
        {"name": "BLEU-4, coco", "digits": 1, "help": "Words cut as COCO's evaluation does"},
        {"name": "CIDEr", "digits": 2, "help": "By pycocoevalcap"},
        {"name": "METEOR", "digits": 3, "help": "By pycocoevalcap and Java"},
        {"name": "BERTScore F1", "digits": 3, "help": "By bert-score; its backbone in the cell's title"},
        {"name": "words", "digits": 1, "help": "Mean length of a caption"},
        {"name": "repeating", "digits": 2, "help": "Share of captions that say a phrase of two words twice"},
    ]
    corpus = {row["voice"]: row for row in means(scores, "bleu").to_dict("records")}
    rows = []
    for voice, kind in _voices(scores):
        own = scores[scores["voice"] == voice]
        measured = report["text"].get(voice)
        variety = [own["words"].mean(), (own["repeats"] >= 2).mean()]
        cells = [_cell(corpus.get(voice), link(voice, "references", None)), *_texts(own, measured),
                 *({"value": number(value), "href": link(voice, "words", None)} for value in variety)]  # fmt: skip
        rows.append(_row(voice, kind, cells))
    _mark_best(rows, only=1)
    return {"columns": columns, "rows": rows}


def group_board(scores: pd.DataFrame, measure: str, by: str, link: Link) -> dict[str, Any] | None:
    """Return one measure by layer, purity or family: a column a group; None where there are not two."""
    table = means(scores, measure, by)
    groups = list(dict.fromkeys(table["group"]))
    if len(groups) < 2:
        return None
    found = {(row["voice"], row["group"]): row for row in table.to_dict("records")}
    sizes = table.groupby("group", observed=True)["count"].max()
    base = _column(measure, table)
    columns = [{**base, "name": f"{group} · {sizes[group]} units", "help": None} for group in groups]
    rows = [
        _row(voice, kind, [_cell(found.get((voice, group)), link(voice, measure, group)) for group in groups])
        for voice, kind in _voices(scores)
        if voice in set(table["voice"])
    ]
    _mark_best(rows)
    return {"columns": columns, "rows": rows}


def _asked(scores: pd.DataFrame, measure: str) -> bool:
    return bool(scores[measure].notna().any())


def _voices(scores: pd.DataFrame) -> Iterable[tuple[str, str]]:
    pairs = scores[["voice", "kind"]].drop_duplicates()
    return zip(pairs["voice"], pairs["kind"], strict=True)


def _most(scores: pd.DataFrame) -> float:
    return max(10.0, float(means(scores, "bleu")["high"].max()))


def _column(measure: str, table: pd.DataFrame) -> dict[str, Any]:
    least, most = _SCALES.get(measure, (0, 1))
    if len(table):
        most = max(most, float(table["mean"].max()))
    digits = 1 if measure == "bleu" else 2
    return {"name": MEASURES[measure], "digits": digits, "least": least, "most": most, "help": HELP[measure]}


def _row(voice: str, kind: str, cells: Sequence[dict[str, Any] | None]) -> dict[str, Any]:
    return {"name": voice, "kind": kind, "about": ABOUT[kind], "cells": list(cells)}


def _cell(figure: Mapping[str, Any] | None, href: str) -> dict[str, Any] | None:
    if figure is None:
        return None
    values = {"value": figure["mean"], "low": figure["low"], "high": figure["high"]}
    return {**values, "href": href, "title": f"{figure['count']} units: open them"}


def _texts(own: pd.DataFrame, measured: Mapping[str, Any] | None) -> list[dict[str, Any] | None]:
    """Return the cells between BLEU and length; of floors and people only what adds up from their units."""
    bleu = corpus_bleu(own, "sat")
    values = [bleu.brevity_penalty, bleu.score] if bleu else [None, None]
    if measured is None:
        return [*({"value": value} for value in values), *([None] * 4)]
    coco, people = measured.get("coco", {}), measured.get("bertscore", {})
    asked = {"not_computed": "not asked for: mami evaluate D --coco"}
    scored = {"not_computed": people.get("not_computed", "not asked for: mami evaluate D --bertscore-backbone MODEL")}
    return [
        *({"value": value} for value in (*values, measured["bleu"]["coco"]["score"])),
        *(_or_why(coco.get(name, asked)) for name in ("cider", "meteor")),
        {"value": people["f1"]["mean"], "title": people["label"]} if "f1" in people else _or_why(scored),
    ]


def _or_why(value: Any) -> dict[str, Any]:
    return {"value": None, "why": value["not_computed"]} if isinstance(value, Mapping) else {"value": value}


def _mark_best(rows: Sequence[Mapping[str, Any]], only: int | None = None) -> None:
    """Mark the best captioner of each column; where all are alike, none."""
    own = [row["cells"] for row in rows if row["kind"] == "captioner"]
    for column in range(len(own[0]) if own else 0):
        known = [cells[column] for cells in own if cells[column] and cells[column]["value"] is not None]
        best = max((cell["value"] for cell in known), default=None)
        if any(cell["value"] != best for cell in known) and (only is None or column < only):
            for cell in known:
                cell["best"] = cell["value"] == best
