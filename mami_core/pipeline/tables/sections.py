"""Figures that commands write into the documentation: each has a marked section of a Markdown file."""

from __future__ import annotations

import re
from pathlib import Path

from mami_core.store.atomic import replacing


def write_section(path: Path, name: str, text: str, *, title: str) -> None:
    """Put `text` into the section that `name` marks; what else the file holds stays as it is.

    A file that is not there yet starts with `title`.
    """
    start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    whole = path.read_text(encoding="utf-8") if path.is_file() else f"# {title}\n"
    section = f"{start}\n{text}\n{end}"
    marked = re.compile(re.escape(start) + ".*?" + re.escape(end), re.DOTALL)
    body = marked.sub(lambda _: section, whole) if marked.search(whole) else f"{whole.rstrip()}\n\n{section}\n"
    with replacing(path) as partial:
        partial.write_text(body, encoding="utf-8")


def read_section(path: Path, name: str) -> str | None:
    """Return what stands in the section that `name` marks; None where there is no such file or section."""
    whole = path.read_text(encoding="utf-8") if path.is_file() else ""
    found = re.search(f"<!-- {re.escape(name)} -->\n(.*?)\n<!-- end of {re.escape(name)} -->", whole, re.DOTALL)
    return found.group(1) if found else None
