"""The components' JavaScript, kept in small modules and sent as one.

A component's inline script travels with every message of the page, so where our routes answer, only a line travels
that imports the script from there; else the script itself does.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "components"
PARTS = {
    "viewer": (
        "element",
        "colour",
        "maps",
        "payload",
        "exemplars",
        "fullsize",
        "heads",
        "facts",
        "similar",
        "doubts",
        "viewer",
    ),
    "units": ("element", "similar", "units"),
    "picker": ("element", "picker"),
    "seen": ("element", "colour", "maps", "exemplars", "heads", "seen"),
    "board": ("element", "similar", "board"),
    "spaces": ("element", "similar", "hues", "plane", "spaces"),
    "rows": ("element", "similar", "rows"),
    "firing": ("element", "colour", "maps", "similar", "exemplars", "firing"),
}
_IMPORT = re.compile(r"^import .*?;\n", re.MULTILINE | re.DOTALL)
_EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Bundle:
    """One component's script in one piece, and the digest that names this very text."""

    text: str
    digest: str


@cache
def bundle(name: str) -> Bundle:
    """Join a component's modules in order; KeyError for a component that is not ours."""
    if name not in PARTS:
        raise KeyError(f"no script {name!r}")
    texts = (_IMPORT.sub("", (FOLDER / f"{part}.js").read_text(encoding="utf-8")) for part in PARTS[name])
    text = "\n".join(_EXPORT.sub("", part) for part in texts)
    return Bundle(text, hashlib.sha256(text.encode()).hexdigest()[:12])


def inline(name: str, served_under: str | None) -> str:
    """Return what to give Streamlit as a component's script: the whole, or the line that fetches it."""
    if served_under is None:
        return bundle(name).text
    address = f"{served_under.strip('/')}/-/{bundle(name).digest}/{name}.js"
    return (
        f'const loaded = import(new URL("{address}", document.baseURI).href);\n'
        "export default (component) => {\n"
        "  let cleanup;\n"
        "  loaded.then((module) => { cleanup = module.default(component); });\n"
        "  return () => cleanup?.();\n"
        "};\n"
    )
