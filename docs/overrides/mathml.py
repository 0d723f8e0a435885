"""A hook of the documentation's build: `$…$` and `$$…$$` become MathML, which browsers draw without script or font."""

from __future__ import annotations

import re
from typing import Any

from latex2mathml.converter import convert

_CODE = re.compile(r"(^```.*?^```[^\S\n]*$|^~~~.*?^~~~[^\S\n]*$|`[^`\n]+`)", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"\$\$(.+?)\$\$", re.DOTALL)
_INLINE = re.compile(r"(?<![\w$\\])\$(?!\s)((?:[^$\n]|\n(?!\s*\n))+?)(?<!\s)\$(?![\w$])")
_PLACE = re.compile(r"MATHML(\d+)END")
_drawn: list[str] = []  # formulas of all pages; a page holds their places until it is HTML


def on_page_markdown(markdown: str, **_context: Any) -> str:
    """Return a page with places for its formulas, which Markdown leaves alone; code is left as it is."""
    pieces = _CODE.split(markdown)
    return "".join(piece if place % 2 else _with_places(piece) for place, piece in enumerate(pieces))


def on_page_content(html: str, **_context: Any) -> str:
    """Return a page with its formulas drawn."""
    return _PLACE.sub(lambda found: _drawn[int(found[1])], html)


def _with_places(text: str) -> str:
    text = _BLOCK.sub(lambda found: f"\n\n{_place(found[1], 'block')}\n\n", text)
    return _INLINE.sub(lambda found: _place(found[1], "inline"), text)


def _place(formula: str, display: str) -> str:
    _drawn.append(convert(" ".join(formula.split()), display=display))
    return f"MATHML{len(_drawn) - 1}END"
