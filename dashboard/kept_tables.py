"""The papers' tables as commands last wrote them, and the captions behind table 2: read once, shared, not changed.

What lies in `MAMI_HOME` comes before what this checkout carries: `results.md`, and the folder `results/table2` that
`mami reproduce table2 --keep` writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from dashboard import loaders
from mami_core.evaluation.corpus import CorpusFigures, corpus_figures
from mami_core.pipeline.tables.sections import read_section
from mami_core.pipeline.tables.table2.behind import TABLE, KeptTable, Order, UnitBehind, units_behind
from mami_core.pipeline.tables.table2.said import Row, TestUnit
from mami_core.probing.descriptions import descriptions
from mami_core.scenery.planted.files import RULES, read_rules
from mami_core.scenery.planted.words import oracle_caption
from mami_core.store import UnitKey, home

TABLES: Final[Mapping[str, tuple[str, str]]] = {
    "table2": ("Table 2", "mami reproduce table2 --out RESULTS.md"),
    "table1": ("Table 1", "mami reproduce table1 --out RESULTS.md"),
    "planted": ("Planted neurons", "mami reproduce planted --out RESULTS.md"),
}
_EXAMPLE: Final = re.compile(r"^- `(.+)/(\d+)`: “(.*?)”; (.*)$", re.MULTILINE)


def _places() -> tuple[Path, Path]:
    return home(), Path(__file__).parents[1] / "docs"


def written_section(name: str) -> str | None:
    """Return a table's section as last written; None where it never was."""
    return next(filter(None, (read_section(place / "results.md", name) for place in _places())), None)


def seed_of(section: str | None) -> str:
    """Return the option of `mami world` that makes the world a section was written of; "" where it does not say."""
    found = re.search(r"seed (\d+) of the painted world", section or "")
    return f" --seed {found[1]}" if found else ""


def kept_table2() -> KeptTable | None:
    """Return table 2 with the captions behind it; None where no run was kept. ValueError where it cannot be read."""
    for place in _places():
        folder = place / "results" / "table2"
        if (folder / TABLE).is_file():
            return _opened(folder, max(path.stat().st_mtime_ns for path in folder.iterdir()))
    return None


@lru_cache(maxsize=2)
def _opened(folder: Path, _changed: int) -> KeptTable:
    return KeptTable.open(folder)


@lru_cache(maxsize=16)
def behind(table: KeptTable, row: Row, figure: str, order: Order, seed: int) -> list[UnitBehind]:
    """Return the units behind a figure of table 2, in an order. KeyError for a row, ValueError for a figure it has not.

    The captions themselves may be missing: FileNotFoundError.
    """
    with loaders.READING:
        return units_behind(table.scored, row, figure, order, seed)


def at_hand(unit: TestUnit) -> loaders.Found | None:
    """Return the dissection a unit of table 2 is of, where it is open here: same name, same references of that unit."""
    name, layer, number = unit.key
    for found in loaders.found_dissections().values():
        if found.path.name == name and _texts(found, layer, number) == unit.texts:
            return found
    return None


def _texts(found: loaders.Found, layer: str, unit: int) -> dict[str, tuple[str, ...]]:
    texts: dict[str, tuple[str, ...]] = {}
    with loaders.READING:
        for entry in loaders.opened(found).references_of(layer, unit):
            texts[entry.set] = (*texts.get(entry.set, ()), entry.text)
    return texts


def examples(section: str) -> list[tuple[UnitKey, str, dict[str, str]]]:
    """Return the example units of the planted neurons' section: each with its rule in words, and who says what."""
    return [
        ((layer, int(unit)), rule, dict(re.findall(r"(\w+) “(.*?)”", said)))
        for layer, unit, rule, said in _EXAMPLE.findall(section)
    ]


def planted_at_hand(rules: Iterable[tuple[UnitKey, str]]) -> loaders.Found | None:
    """Return the open dissection of planted neurons whose units have these rules, in plain words."""
    wanted = tuple(rules)
    ruled = (found for found in loaders.found_dissections().values() if (found.path / RULES).is_file())
    return next((found for found in ruled if _has(found, wanted)), None)


@lru_cache(maxsize=4)
def _has(found: loaders.Found, wanted: tuple[tuple[UnitKey, str], ...]) -> bool:
    with loaders.READING:
        rules = read_rules(loaders.opened(found))
    return all(key in rules and oracle_caption(rules[key]) == words for key, words in wanted)


@lru_cache(maxsize=8)
def described(found: loaders.Found) -> dict[str, dict[UnitKey, list[str]]]:
    """Return the open dissection's descriptions by set and unit."""
    with loaders.READING:
        return descriptions(loaders.opened(found))


@lru_cache(maxsize=8)
def described_as(found: loaders.Found) -> dict[str, CorpusFigures]:
    """Return what the open dissection's descriptions are like, by set."""
    return {set_: corpus_figures(texts) for set_, texts in described(found).items()}
