"""Words of strangers (captions, names, addresses) among our own Markdown: shown as they stand, never obeyed."""

from __future__ import annotations

import re

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+!|~$:&])")


def plain(text: object) -> str:
    """Return text that Streamlit's Markdown shows letter by letter: no link, no picture, no colour, no formula.

    >>> plain("![see](https://a.example/x)")
    '\\\\!\\\\[see\\\\]\\\\(https\\\\://a.example/x\\\\)'
    """
    return _MARKDOWN.sub(r"\\\1", str(text))
