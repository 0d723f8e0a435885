"""Figure 2's counterpart: BLEU of every captioner by what it was trained on, the paper's beside ours, as SVG."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mami_core.pipeline.tables.table2.names import COMPOUND
from mami_core.pipeline.tables.table2.paper import CAPTIONERS, GROUPS, PRINTED
from mami_core.pipeline.tables.table2.said import Row

COLOURS: Final[Mapping[str, str]] = {"milan": "#8d99ae", "luong": "#5e9ed6", "self": "#58a68b", "mami": "#d1495b"}
_HEIGHT, _BAR, _GAP, _LEFT, _TOP = 220.0, 16.0, 26.0, 44.0, 40.0
_FULL: Final = 40.0  # BLEU at the top of the chart


def bleu_chart(table: Mapping[str, Any], units: str = "painted scenes") -> str:
    """Return the chart: filled bars are ours on such `units` with 95 % intervals, outlines the paper's figures."""
    references = max(Row.named(name).references for name in table["rows"])  # the set of the paper's rows
    width = _LEFT + len(GROUPS) * (len(COLOURS) * _BAR + _GAP) + 10
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {_HEIGHT + _TOP + 44:.0f}" '
        'font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="8" y="16">BLEU: filled, ours on {units}, 95 % interval; outlined, as printed</text>',
        *_axis(width),
        *_legend(),
    ]
    for place, group in enumerate(GROUPS):
        left = _LEFT + place * (len(COLOURS) * _BAR + _GAP)
        lines.append(f'<text x="{left:.0f}" y="{_TOP + _HEIGHT + 16:.0f}">{group}</text>')
        lines += _bars(table, group, left, references)
    return "\n".join([*lines, "</svg>"]) + "\n"


def _height(bleu: float) -> float:
    return _TOP + _HEIGHT * (1 - min(bleu, _FULL) / _FULL)


def _axis(width: float) -> Iterator[str]:
    for bleu in range(0, int(_FULL) + 1, 10):
        y = _height(bleu)
        yield f'<line x1="{_LEFT - 4:.0f}" x2="{width - 8:.0f}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>'
        yield f'<text x="{_LEFT - 8:.0f}" y="{y + 4:.1f}" text-anchor="end">{bleu}</text>'


def _legend() -> Iterator[str]:
    for place, (captioner, colour) in enumerate(COLOURS.items()):
        x = _LEFT + 120 * place
        yield f'<rect x="{x:.0f}" y="{_TOP + _HEIGHT + 26:.0f}" width="10" height="10" fill="{colour}"/>'
        yield f'<text x="{x + 14:.0f}" y="{_TOP + _HEIGHT + 35:.0f}">{CAPTIONERS[captioner]}</text>'


def _bars(table: Mapping[str, Any], group: str, left: float, references: str) -> Iterator[str]:
    source = COMPOUND if group.startswith(COMPOUND) else group
    for place, (captioner, colour) in enumerate(COLOURS.items()):
        x = left + place * _BAR
        figures = table["rows"].get(Row(references, source, captioner, "last" if group == COMPOUND else "best").name)
        if figures is not None:
            bleu = figures["bleu"]["milan"]
            top = _height(bleu["value"])
            yield (f'<rect x="{x + 1:.1f}" y="{top:.1f}" width="{_BAR - 3:.1f}" height="{_TOP + _HEIGHT - top:.1f}" '
                   f'fill="{colour}"/>')  # fmt: skip
            middle = x + _BAR / 2
            yield (f'<line x1="{middle:.1f}" x2="{middle:.1f}" y1="{_height(bleu["low"]):.1f}" '
                   f'y2="{_height(bleu["high"]):.1f}" stroke="#222"/>')  # fmt: skip
        printed = PRINTED[group][captioner][0]
        if printed is not None:
            top = _height(printed)
            yield (f'<rect x="{x:.1f}" y="{top:.1f}" width="{_BAR - 1:.1f}" height="{_TOP + _HEIGHT - top:.1f}" '
                   f'fill="none" stroke="{colour}" stroke-dasharray="3 2"/>')  # fmt: skip
