"""The table as Markdown: the paper's figures beside ours, what is due to what, floors, ceilings, and examples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from mami_core.pipeline.tables.table2.gallery import gallery
from mami_core.pipeline.tables.table2.names import COMPOUND, CONSENSUS, MILAN
from mami_core.pipeline.tables.table2.rows import (
    MEASURES,
    NAMES,
    Line,
    held_out_lines,
    part_lines,
    printed_lines,
    truth_lines,
    varied_lines,
)
from mami_core.pipeline.tables.table2.said import NEAREST, Row, Said
from mami_core.pipeline.tables.table2.scored import SHOWN
from mami_core.pipeline.tables.table2.trainings import EPOCHS

PAINTED: Final = "Simulated: painted scenes, simulated annotators."
DESCRIBED: Final = "What the units' masks hold is not known, so what asks for the truth is not computed."
Figures = Mapping[str, Any]


def as_markdown(table: Figures, said: Said, *, command: str, world: str) -> str:
    """Return everything that is shown of the table."""
    sets = said.sets
    lines = [
        "## MAMI, table 2",
        "",
        f"Written by `{command}` ({world}). {PAINTED if said.painted else DESCRIBED}",
        "The paper's table cannot be reproduced as such: its splits, decoding, BERTScore backbone and the split it was",
        "measured on are not stated, and its networks' images are not public. Its figures are shown as printed;",
        "only the order within a group can be compared. In brackets: 95 % interval, bootstrap over units and",
        "trainings. Every captioner learns from the same units, those of the training split that people described; the",
        f"sums of two channels that `mami world` adds are used by none. The paper's captioners see each unit {EPOCHS}",
        "times, those of one source alone so often that their steps are as many. BLEU moves with length alone, so its",
        "brevity penalty (BP) and BLEU without it stand beside it.",
        "",
        f"### Table 2: the paper's rows, and ours on references `{sets[0]}`",
        "",
        *_paper(table, said),
    ]
    lines += ["", "### Against MILAN, same units, regions, encoder and seeds", "", *_against(table, MILAN)]
    lines += ["", "### What each change of ours is worth (seed 0)", ""]
    for set_ in sets:
        lines += [*_parts(table, set_), ""]
    lines += ["### Truth, floors and annotators", ""]
    for set_ in sets:
        lines += [*_truth(table, set_), ""]
    lines += ["Ours against copying, the difference:", "", *_against(table, NEAREST)]
    lines += ["", f"### Trained on two sources, tested on the third (`{sets[-1]}`)", "", *_across(table)]
    lines += ["", "The same units, captioned by one that met their network in training and by one that did not:", ""]
    lines += _lost(table) if said.painted else ["not computed: it asks for the truth of the units."]
    lines += ["", "### What else could move a figure (seed 0)", "", *_confounders(table)]
    return "\n".join([*lines, "", *gallery(said)])


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(header)} |", "|---" * len(header) + "|", *(f"| {' | '.join(row)} |" for row in rows)]


def _spread(figure: Figures, digits: int = 1) -> str:
    if figure["value"] is None or figure["low"] is None:
        return "not computed"
    return f"{figure['value']:.{digits}f} [{figure['low']:.{digits}f}, {figure['high']:.{digits}f}]"


def _signed(figure: Figures, digits: int) -> str:
    if figure["value"] is None or figure["low"] is None:
        return "not computed"
    return f"{figure['value']:+.{digits}f} [{figure['low']:+.{digits}f}, {figure['high']:+.{digits}f}]"


def _printed(value: float | None) -> str:
    return "—" if value is None else f"{value:g}"


def _paper(table: Figures, said: Said) -> list[str]:
    rows = [
        [line.theirs, line.label, _printed(line.bleu), _printed(line.f1), line.ours,
         *_own(table["rows"].get(line.row.name))]
        for line in printed_lines(said.sets[0], said.painted)
    ]  # fmt: skip
    header = ["paper", "captioner", "BLEU", "BERTScore F1", "ours", "seeds", "BLEU", "BP", "BLEU, no penalty",
              "BERTScore F1", "names the top part"]  # fmt: skip
    return _table(header, rows)


def _own(figures: Figures | None) -> list[str]:
    if figures is None:
        return ["—"] * 6
    bert = figures.get("bertscore", {"not_computed": ""})
    return [
        str(len(figures["seeds"])),
        _spread(figures["bleu"]["milan"]),
        f"{figures['brevity_penalty']:.2f}",
        _spread(figures["bleu"]["sat"]),
        f"{bert['f1']:.3f}" if "f1" in bert else "not computed",
        _spread(figures["truth"]["names_top"], 3),
    ]


def _against(table: Figures, second: str) -> list[str]:
    rows = []
    for name, entry in table["comparisons"].items():
        first, _, other = name.rpartition(" - ")
        if other != second:
            continue
        row = Row.named(first)
        label = f"{NAMES[row.captioner]}{', last weights' if row.variant == 'last' else ''}"
        bleu, free = entry["bleu"]["milan"], entry["bleu"]["sat"]
        rows.append([
            row.references, row.source, label, str(len(entry["seeds"])),
            _spread(bleu["ratio"], 2), _signed(bleu["difference"], 1), f"{bleu['p']:.3f}",
            _spread(free["ratio"], 2), _signed(free["difference"], 1), f"{free['p']:.3f}",
            *(_signed(entry["truth"][measure]["difference"], 3) for measure in SHOWN[:4]),
        ])  # fmt: skip
    header = ["references", "units", "captioner", "seeds", "BLEU, ratio", "difference", "p", "no penalty, ratio",
              "difference", "p", *list(MEASURES.values())[:4]]  # fmt: skip
    return _table(header, rows)


def _line(label: str, figures: Figures | None) -> list[str]:
    if figures is None:
        return [label, *["—"] * 9]
    return [
        label,
        _spread(figures["bleu"]["milan"]),
        f"{figures['brevity_penalty']:.2f}",
        _spread(figures["bleu"]["sat"]),
        f"{figures['words']:.1f}",
        *(_spread(figures["truth"][measure], 3) for measure in MEASURES),
    ]


_LINE: Final = ("", "BLEU", "BP", "no penalty", "words", *MEASURES.values())


def _lines(table: Figures, lines: Iterable[Line]) -> list[list[str]]:
    return [_line(line.label, table["rows"].get(line.row.name)) for line in lines]


def _parts(table: Figures, references: str) -> list[str]:
    """Return MILAN, and ours with one part after the other."""
    return [f"References `{references}`:", "", *_table(_LINE, _lines(table, part_lines(references)))]


def _truth(table: Figures, references: str) -> list[str]:
    rows = []
    for line in truth_lines(references):
        figures = table["rows"].get(line.row.name)
        rows.append(_line(f"{line.label}{_seeds(figures)}", figures))
    found = table["annotators"][references]
    rows.append(["annotators, mean", "", "", "", "", *(_known(found[measure]) for measure in MEASURES)])
    ours = table["rows"].get(Row(references, COMPOUND, CONSENSUS).name)
    if ours is not None and None not in found.values():
        shares = [f"{ours['truth'][measure]['value'] / found[measure]:.2f} ×" for measure in MEASURES]
        rows.append(["ours over the annotators", "", "", "", "", *shares])
    return [f"References `{references}`:", "", *_table(_LINE, rows)]


def _known(value: float | None) -> str:
    return "not computed" if value is None else f"{value:.3f}"


def _seeds(figures: Figures | None) -> str:
    count = 0 if figures is None else len(figures["seeds"])
    return f", {count} seeds" if count > 1 else ""


def _across(table: Figures) -> list[str]:
    return _table(_LINE, _lines(table, held_out_lines(table["rows"])))


def _lost(table: Figures) -> list[str]:
    rows = [
        [NAMES[captioner], source, str(entry["units"]), str(entry["seeds"]),
         *(text for measure in SHOWN[:4] for text in _met_and_not(entry["truth"][measure]))]
        for captioner, sources in table.get("across", {}).items() if captioner in NAMES
        for source, entry in sources.items()
    ]  # fmt: skip
    header = ["captioner", "held out", "units", "seeds"]
    header += [text for label in list(MEASURES.values())[:4] for text in (f"{label}, met → not", "difference")]
    return _table(header, rows)


def _met_and_not(figure: Figures) -> tuple[str, str]:
    return f"{figure['met']:.3f} → {figure['held_out']:.3f}", _signed(figure["difference"], 3)


def _confounders(table: Figures) -> list[str]:
    """Return the decodings and the weights, set by set: what a comparison could owe to them."""
    return _table(_LINE, _lines(table, varied_lines(table["rows"])))
