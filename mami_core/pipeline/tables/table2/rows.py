"""Which rows each part of the table has, and what they are called: shared by the Markdown and the screen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from mami_core.pipeline.tables.table2.names import COMPOUND, CONSENSUS, MILAN, PARTS, TOLD
from mami_core.pipeline.tables.table2.paper import CAPTIONERS, GROUPS, PRINTED
from mami_core.pipeline.tables.table2.said import CONSTANT, NEAREST, Row

NAMES: Final[Mapping[str, str]] = {
    MILAN: "MILAN (Bahdanau)",
    "luong": "Luong",
    "self": "Self",
    "mami": "MAMI",
    CONSENSUS: "consensus (ours)",
    NEAREST: "copying the nearest unit's reference",
    CONSTANT: "best constant caption",
}
MEASURES: Final[Mapping[str, str]] = {
    "names_top": "names the top part",
    "first_is_top": "first part right",
    "recall_top3": "recall of three",
    "precision": "precision",
    "attribute_f1": "attribute F1",
}
PENALISED: Final[Mapping[str, str]] = {
    "milan+penalty": "batches of unlike lengths, doubly stochastic penalty over words",
    "milan+padded": "batches of unlike lengths, doubly stochastic penalty over words and padding",
}
HELD_OUT: Final = "without-"


@dataclass(frozen=True, slots=True)
class Line:
    """A row of figures with its name; whether anybody trained it the figures say."""

    label: str
    row: Row


@dataclass(frozen=True, slots=True)
class PrintedLine(Line):
    """One of the paper's rows: what theirs and ours were trained on, and BLEU and BERTScore's F1 as printed."""

    group: str
    theirs: str
    ours: str
    bleu: float | None
    f1: float | None


def printed_lines(references: str, painted: bool) -> Iterator[PrintedLine]:
    """Give the paper's rows beside ours on a set of references."""
    for group, (theirs, scenes, described) in GROUPS.items():
        source = COMPOUND if group.startswith(COMPOUND) else group
        for captioner, label in CAPTIONERS.items():
            bleu, _, _, f1 = PRINTED[group][captioner]
            row = Row(references, source, captioner, "last" if group == COMPOUND else "best")
            yield PrintedLine(label, row, group, theirs, scenes if painted else described, bleu, f1)


def part_lines(references: str) -> list[Line]:
    """Return MILAN, and ours with one part after the other."""

    def line(label: str, captioner: str, variant: str = "best") -> Line:
        return Line(label, Row(references, COMPOUND, captioner, variant))

    return [
        line("MILAN, its best decoding", MILAN),
        line("MILAN's weights, word agreement among samples", MILAN, "by word agreement among samples"),
        line(f"ours: {TOLD}, one decoder, its best decoding", CONSENSUS, f"with {TOLD}"),
        *(line(f"+ {name}", CONSENSUS, f"with {name}") for name in PARTS),
        line("+ expected words = consensus", CONSENSUS),
    ]


def truth_lines(references: str) -> list[Line]:
    """Return ours, MILAN, MAMI and the floors."""
    names = (CONSENSUS, MILAN, "mami", NEAREST, CONSTANT)
    return [Line(NAMES[captioner], Row(references, COMPOUND, captioner)) for captioner in names]


def held_out_lines(rows: Iterable[str]) -> Iterator[Line]:
    """Give those of some rows, by name, that were tested on a source they never met."""
    for row in map(Row.named, rows):
        if row.source.startswith(HELD_OUT) and row.captioner in NAMES and row.captioner != CONSTANT:
            yield Line(f"{row.source.removeprefix(HELD_OUT)} held out: {NAMES[row.captioner]}", row)


def varied_lines(rows: Iterable[str]) -> Iterator[Line]:
    """Give those of some rows, by name, that differ in decoding, weights or penalty alone."""
    for row in map(Row.named, rows):
        if row.captioner in (MILAN, "mami") and (row.variant.startswith("by ") or row.variant == "last"):
            what = "weights of the last epoch" if row.variant == "last" else f"decoded {row.variant}"
            yield Line(f"{row.references}: {NAMES[row.captioner]}, {what}", row)
        elif row.captioner in PENALISED and row.variant == "best":
            yield Line(f"{row.references}: {NAMES[MILAN]}, {PENALISED[row.captioner]}", row)
