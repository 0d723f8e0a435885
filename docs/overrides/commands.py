"""A hook of the documentation's build: `<!-- commands -->` becomes a table a command, read from its record."""

from __future__ import annotations

import inspect
import re
from dataclasses import MISSING, Field, fields
from html import escape
from typing import Any

from mami_core.cli import COMMANDS, Command

_MARK = "<!-- commands -->"
_FIELD = re.compile(r"^    (\w+): (.*?)(?: = .*?)?(?:  # (.+))?$", re.MULTILINE)


def on_page_markdown(markdown: str, **_context: Any) -> str:
    """Return the page with every command's options."""
    if _MARK not in markdown:
        return markdown
    return markdown.replace(_MARK, "\n\n".join(_section(name, command) for name, command in COMMANDS.items()))


def _section(name: str, command: Command) -> str:
    notes = {found[1]: (found[2], found[3] or "") for found in _FIELD.finditer(inspect.getsource(command.config))}
    rows = [_row(entry, command, *notes.get(entry.name, ("", ""))) for entry in fields(command.config)]
    head = "| option | type | default | |\n|---|---|---|---|"
    return f"## `mami {name}`\n\n{inspect.getdoc(command.config)}\n\n{head}\n" + "\n".join(rows)


def _row(entry: Field, command: Command, kind: str, note: str) -> str:
    option = entry.name.upper() if entry.name in command.positional else f"--{entry.name.replace('_', '-')}"
    default = "" if entry.default is MISSING else _code(str(entry.default))
    return f"| {_code(option)} | {_code(kind) if kind else ''} | {default} | {escape(note).replace('|', '&#124;')} |"


def _code(text: str) -> str:
    """Return code for a cell of a table: a bar in it must not end the cell."""
    return f"<code>{escape(text).replace('|', '&#124;')}</code>"
