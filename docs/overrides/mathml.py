"""A hook of the documentation's build: `$…$` and `$$…$$` become MathML, which browsers draw without script or font."""

from __future__ import annotations

import re
from typing import Any

from latex2mathml.converter import convert

_CODE = re.compile(r"(^```.*?^```[^\S\n]*$|^~~~.*?^~~~[^\S\n]*$|`[^`\n]+`)", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"\$\$(.+?)\$\$", re.DOTALL)
_INLINE = re.compile(r"(?<![\w$\\])\$(?!\s)([^$\n]+?)(?<!\s)\$(?![\w$])")


def on_page_markdown(markdown: str, **_context: Any) -> str:
    """Return a page with its formulas drawn; code is left as it is."""
    pieces = _CODE.split(markdown)
    return "".join(piece if place % 2 else _drawn(piece) for place, piece in enumerate(pieces))


def _drawn(text: str) -> str:
    text = _BLOCK.sub(lambda found: f"\n<div>{_mathml(found[1], 'block')}</div>\n", text)
    return _INLINE.sub(lambda found: _mathml(found[1], "inline"), text)


def _mathml(formula: str, display: str) -> str:
    return convert(" ".join(formula.split()), display=display)
