"""Boards of the papers' tables: kept figures in, columns and rows for the component out, no widgets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any, Final

from mami_core.evaluation.corpus import CorpusFigures
from mami_core.pipeline.tables.planted_markdown import OURS
from mami_core.pipeline.tables.sections import WrittenTable
from mami_core.pipeline.tables.table2.behind import KeptTable, people
from mami_core.pipeline.tables.table2.names import CONSENSUS
from mami_core.pipeline.tables.table2.rows import (
    MEASURES,
    Line,
    held_out_lines,
    part_lines,
    printed_lines,
    truth_lines,
    varied_lines,
)
from mami_core.pipeline.tables.table2.said import CONSTANT, NEAREST, Row

Link = Callable[[Row, str], str]  # a row, one of its figures → address
Board = dict[str, Any]
FIGURES: Final[Mapping[str, tuple[str, int, str]]] = {  # name, digits, what it is
    "bleu": ("BLEU", 1, "Corpus BLEU-4 against all references, as MILAN computes it"),
    "brevity_penalty": ("brevity penalty", 2, "1: no shorter than the references. Length alone moves BLEU"),
    "bleu_no_penalty": ("BLEU, no penalty", 1, "Without brevity penalty, as Show, Attend and Tell has it"),
    "words": ("words", 1, "Mean length of a caption"),
    "names_top": (MEASURES["names_top"], 2, "Share of units whose most enriched part under the masks is named"),
    "first_is_top": (MEASURES["first_is_top"], 2, "Share of units where the first part named is that one"),
    "recall_top3": (MEASURES["recall_top3"], 2, "How many of the three most enriched parts are named"),
    "precision": (MEASURES["precision"], 2, "How many of the named parts are among the five most enriched"),
    "attribute_f1": (MEASURES["attribute_f1"], 2, "Parts, colours, textures, positions and places together"),
}
PARTS: Final[Mapping[str, str]] = {
    "paper": "The paper's rows",
    "parts": "What each change is worth",
    "truth": "Truth and floors",
    "held-out": "A network never met",
    "varied": "Decoding and weights",
}
_PRINTED: Final = (
    "bleu",
    "brevity_penalty",
    "bleu_no_penalty",
    "names_top",
    "first_is_top",
    "recall_top3",
    "precision",
)
_FULL_BLEU: Final = 40.0
_KINDS: Final = {CONSENSUS: "captioner", NEAREST: "copy", CONSTANT: "constant"}
_SPREAD: Final = re.compile(r"^(-?[\d.]+) \[(-?[\d.]+), (-?[\d.]+)\]$")
_TEN: Final = "ten most frequent"
_CORPUS: Final[Mapping[str, tuple[str, int]]] = {
    "units": ("units", 0), "descriptions": ("descriptions", 0), "longest": ("longest", 0), "mean": ("mean words", 1),
    "mode": ("commonest length", 0), "at_mode": ("so many", 0), "vocabulary": ("words", 0),
}  # fmt: skip


def figure_of(figures: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """Return a row's figure by name, `value` with `low` and `high` where it has an interval; None where it has none."""
    if name in ("bleu", "bleu_no_penalty"):
        found: Mapping[str, Any] = figures["bleu"]["milan" if name == "bleu" else "sat"]
    elif name in MEASURES:
        found = figures["truth"][name]
    else:
        found = {"value": figures[name]}
    return None if found["value"] is None else found


def table2_board(table: KeptTable, part: str, references: str, link: Link) -> Board:
    """Return a part of table 2: a column a figure, a row a captioner."""
    if part == "paper":
        return _printed_board(table, references, link)
    rows = table.figures["rows"]
    lines = {
        "parts": lambda: part_lines(references),
        "truth": lambda: truth_lines(references),
        "held-out": lambda: held_out_lines(rows),
        "varied": lambda: varied_lines(name for name in rows if Row.named(name).references == references),
    }[part]()
    shown = [_row(line, rows[line.row.name], FIGURES, link) for line in lines if line.row.name in rows]
    if part == "truth":
        shown.append(_people(table, references, link))
    return {"columns": [_column(name) for name in FIGURES], "rows": shown}


def _printed_board(table: KeptTable, references: str, link: Link) -> Board:
    """Return the paper's rows in its groups: its BLEU and BERTScore as printed, each beside ours."""
    rows: list[Board] = []
    lines = groupby(printed_lines(references, table.painted), key=lambda line: (line.theirs, line.ours))
    for (theirs, ours), group in lines:
        rows.append({"group": theirs, "about": f"ours: {ours}"})
        for line in group:
            figures = table.figures["rows"].get(line.row.name)
            cells = [None] * (len(_PRINTED) + 1) if figures is None else _own(line, figures, link)
            printed = [None if value is None else {"value": value} for value in (line.bleu, line.f1)]
            about = "not trained here" if figures is None else _seeds(figures)
            kind = "printed" if figures is None else "captioner"
            rows.append({"name": line.label, "kind": kind, "about": about, "cells": [printed[0], cells[0], printed[1],
                                                                                   *cells[1:]]})  # fmt: skip
    names = [_column(name) for name in _PRINTED]
    paper = [
        {"name": "paper: BLEU", "digits": 1, "help": "As printed"},
        {"name": "paper: BERTScore F1", "digits": 2, "help": "As printed; its backbone is not stated"},
    ]
    ours = {"name": "BERTScore F1", "digits": 2, "help": "By bert-score; backbone in the cell's title"}
    return {"columns": [paper[0], names[0], paper[1], ours, *names[1:]], "rows": rows}


def _own(line: Line, figures: Mapping[str, Any], link: Link) -> list[Board | None]:
    cells = [_cell(figures, name, link(line.row, name)) for name in _PRINTED]
    bert = figures.get("bertscore", {"not_computed": "not asked for"})
    score: Board = {"value": bert.get("f1"), "why": bert.get("not_computed"), "href": link(line.row, "bleu"),
                    "title": bert.get("label")}  # fmt: skip
    return [cells[0], score, *cells[1:]]


def _row(line: Line, figures: Mapping[str, Any], names: Iterable[str], link: Link) -> Board:
    cells = [_cell(figures, name, link(line.row, name)) for name in names]
    kind = _KINDS.get(line.row.captioner, "other")
    return {"name": line.label, "kind": kind, "about": _seeds(figures), "cells": cells}


def _people(table: KeptTable, references: str, link: Link) -> Board:
    found = table.figures["annotators"][references]
    cells = [
        {"value": found[name], "href": link(people(references), name), "title": "Open the units"}
        if found.get(name) is not None else None
        for name in FIGURES
    ]  # fmt: skip
    return {"name": "annotators", "kind": "annotator", "about": "mean of three, each alone", "cells": cells}


def _cell(figures: Mapping[str, Any], name: str, href: str) -> Board:
    found = figure_of(figures, name)
    if found is None:
        return {"value": None, "why": "what the units' masks hold is not known"}
    title = f"{figures['units']} units: open them"
    return {"value": found["value"], "low": found.get("low"), "high": found.get("high"), "href": href, "title": title}


def _column(name: str) -> Board:
    title, digits, about = FIGURES[name]
    most = {"bleu": _FULL_BLEU, "bleu_no_penalty": _FULL_BLEU, "words": None, "brevity_penalty": None}.get(name, 1.0)
    return {"name": title, "digits": digits, "least": 0, "most": most, "help": about}


def _seeds(figures: Mapping[str, Any]) -> str:
    count = len(figures["seeds"])
    return f"{count} trainings · {figures['units']} units" if count > 1 else f"{figures['units']} units"


def corpus_board(own: Mapping[str, CorpusFigures], written: WrittenTable | None, link: Callable[..., str]) -> Board:
    """Return table 1: the open dissection's descriptions, linked, above the rows that were written.

    `link(set, figure, word)` leads to the units behind a figure.
    """
    columns = [{"name": name, "digits": digits} for name, digits in _CORPUS.values()]
    rows: list[Board] = [{"group": "This dissection"}] if own else []
    for set_, found in own.items():
        figures = asdict(found)
        cells = [{"value": figures[name], "href": link(set_, name), "title": "Open the units"} for name in _CORPUS]
        words = [{"text": word, "href": link(set_, "frequent", word)} for word in found.frequent]
        rows.append({"name": set_, "kind": "captioner", "cells": [*cells, {"words": words}]})
    if written is not None:
        rows += _written_corpus(written)
    return {"columns": [*columns, {"name": _TEN, "digits": 0, "wide": True}], "rows": rows}


def _written_corpus(written: WrittenTable) -> list[Board]:
    paper = [row for row in written.rows if row[0].startswith("paper: ")]
    ours = [row for row in written.rows if row not in paper]
    rows: list[Board] = []
    for title, group in (("As last written", ours), ("The paper's, as printed", paper)):
        rows.append({"group": title})
        for name, *values, words in group:
            cells = [_number(value) for value in values]
            said = {"words": [{"text": word} for word in words.split(", ")]}
            rows.append({"name": name.removeprefix("paper: "), "kind": "printed", "cells": [*cells, said]})
    return rows


def _number(text: str) -> Board | None:
    return None if text == "—" else {"value": float(text.replace(",", ""))}


def planted_board(written: WrittenTable, link: Callable[[str], str | None]) -> Board:
    """Return one measure of planted neurons: a column a family of rules. `link` leads to a family's units."""
    families = written.columns[1:]
    said = [row for row in written.rows if not row[0].endswith(" over the oracle")]
    cells = {name: [_spread(cell, link(family)) for cell, family in zip(own, families, strict=True)]
             for name, *own in said}  # fmt: skip
    most = max((cell["value"] for own in cells.values() for cell in own if cell["value"] is not None), default=1.0)
    columns = [{"name": family, "digits": 2 if most <= 1 else 1, "least": 0, "most": most} for family in families]
    rows = [{"name": name, "kind": "captioner" if name in OURS else "other", "cells": own}
            for name, own in cells.items()]  # fmt: skip
    return {"columns": columns, "rows": rows}


def _spread(text: str, href: str | None) -> Board:
    found = _SPREAD.match(text)
    if found is None:
        return {"value": None, "why": text}
    value, low, high = map(float, found.groups())
    return {"value": value, "low": low, "high": high, "href": href, "title": "Open the units" if href else None}


def lines_of(texts: Sequence[str]) -> list[dict[str, str]]:
    """Return texts as a cell of lines."""
    return [{"text": text} for text in texts]
