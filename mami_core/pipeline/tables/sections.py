"""Figures that commands write into the documentation: each has a marked section of a Markdown file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from mami_core.store.atomic import replacing


@dataclass(frozen=True, slots=True)
class WrittenTable:
    """A table of a section: the heading above it, its columns, and its cells as text."""

    heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


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


def data_option(data: Path) -> str:
    """Return how the command above a figure names its data: by the folder's name, not by where it lies on a machine."""
    given = str(data)
    return "" if given == "scenery" else f" --data {given if ':' in given else data.name}"


def read_section(path: Path, name: str) -> str | None:
    """Return what stands in the section that `name` marks; None where there is no such file or section."""
    whole = path.read_text(encoding="utf-8") if path.is_file() else ""
    found = re.search(f"<!-- {re.escape(name)} -->\n(.*?)\n<!-- end of {re.escape(name)} -->", whole, re.DOTALL)
    return found.group(1) if found else None


def tables_of(section: str) -> list[WrittenTable]:
    """Return the tables of a section, each with the heading it stands under."""
    found: list[WrittenTable] = []
    heading, lines = "", list[str]()
    for line in [*section.splitlines(), ""]:
        if line.startswith("|"):
            lines.append(line)
            continue
        if lines:
            columns, _, *rows = map(_cells, lines)
            found.append(WrittenTable(heading, columns, tuple(rows)))
            lines = []
        if line.startswith("#"):
            heading = line.lstrip("# ")
    return found


def about_section(section: str) -> str:
    """Return the paragraph under a section's title: which command wrote it, and what it is of."""
    paragraphs = [part for part in section.split("\n\n") if not part.startswith("#")]
    return " ".join(paragraphs[0].split()) if paragraphs else ""


def _cells(line: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in line.strip().strip("|").split("|"))
