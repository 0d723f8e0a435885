"""`mami reproduce table1`: what the descriptions are like, source by source, beside the paper's table 1."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from mami_core.config import Table1Config
from mami_core.evaluation.corpus import CorpusFigures, corpus_figures
from mami_core.interop.captions_csv import read_references
from mami_core.pipeline.progress import print_result, progress
from mami_core.pipeline.tables.sections import data_option, write_section
from mami_core.pipeline.worlds.files import described_names, is_world
from mami_core.pipeline.worlds.world import find_world
from mami_core.probing.descriptions import descriptions
from mami_core.store import Dissection, UnitKey
from mami_core.store.atomic import replacing
from mami_core.store.layout import MANIFEST

Texts = Mapping[tuple[str, UnitKey], Sequence[str]]  # references by (dissection, unit)
COMPOUND: Final = "compound"
# Table 1 of the paper, typed in as it is printed; it has no compound column and gives neither descriptions nor words
PAPER: Final[Mapping[str, Mapping[str, Any]]] = {
    "AlexNet": {
        "units": 1376, "longest": 21, "mean": 4, "mode": 5, "at_mode": 896,
        "frequent": ("objects", "and", "the", "of", "colored", "white", "or", "with", "lines", "black"),
    },
    "ResNet-152": {
        "units": 3904, "longest": 47, "mean": 5, "mode": 4, "at_mode": 2577,
        "frequent": ("a", "and", "the", "of", "in", "on", "people", "objects", "space", "with"),
    },
    "BigGAN": {
        "units": 4992, "longest": 39, "mean": 4, "mode": 4, "at_mode": 2838,
        "frequent": ("and", "of", "items", "merchandise", "store", "a", "the", "areas", "people", "in"),
    },
}  # fmt: skip
_COLUMNS: Final = ("units", "descriptions", "longest", "mean", "mode", "at_mode", "vocabulary", "frequent")


def run_table1(config: Table1Config) -> None:
    """Count the descriptions, print the table, and write it where it was asked for."""
    with progress(quiet=config.json) as report:
        folder = find_world(config.data, report)
    sets = {name: corpus_figures(texts) for name, texts in gather_texts(folder).items()}
    table = {"ours": {name: asdict(found) for name, found in sets.items()}, "paper": PAPER}
    text = as_markdown(sets, command=f"mami reproduce table1{data_option(config.data)}")
    if config.keep is not None:
        _keep(config.keep, table)
    if config.out is not None:
        write_section(config.out, "table1", text, title="Results")
    print_result(table, as_json=config.json, text=text)


def gather_texts(folder: Path) -> dict[str, Texts]:
    """Return descriptions by row of the table, `source, set`, of a world, a dissection, or a folder of either or CSVs.

    ValueError where there are none.
    """
    if is_world(folder):
        return _of_world(folder)
    found: dict[str, Texts] = {}
    for path in [folder, *sorted(folder.iterdir())] if folder.is_dir() else [folder]:
        if (path / MANIFEST).is_file():
            found |= _of_dissection(path)
        elif path.suffix == ".csv" and path.name.startswith("milannotations"):
            found[path.stem] = {(path.stem, key): given for key, given in read_references(path).items()}
    if not found:
        raise ValueError(f"{folder} holds no world, no dissection with references and no milannotations*.csv")
    return found


def _of_world(folder: Path) -> dict[str, Texts]:
    sources = described_names(folder, "described")
    parts: dict[str, dict[tuple[str, UnitKey], Sequence[str]]] = {}
    for name, source in sources.items():
        for set_, texts in _of_dissection(folder / name).items():
            kind = set_.rpartition(", ")[2]
            parts.setdefault(f"{source}, {kind}", {}).update(texts)
            parts.setdefault(f"{COMPOUND}, {kind}", {}).update(texts)
    order = [*dict.fromkeys(sources.values()), COMPOUND]
    return {f"{source}, {kind}": parts[f"{source}, {kind}"] for kind in ("short", "long") for source in order}


def _of_dissection(path: Path) -> dict[str, Texts]:
    dissection = Dissection.open(path)
    return {
        f"{dissection.name}, {set_}": {(path.name, key): given for key, given in texts.items()}
        for set_, texts in descriptions(dissection).items()
    }


def as_markdown(sets: Mapping[str, CorpusFigures], *, command: str) -> str:
    """Return the table as Markdown: ours, then the paper's as it is printed."""
    head = "| | units | descriptions | longest | mean words | commonest length | so many | words | ten most frequent |"
    lines = [
        "## Table 1: what the descriptions are like",
        "",
        f"Written by `{command}`. The painted world's descriptions are simulated. The paper's are of networks trained",
        "on Places365; it says neither whether its amounts are units or descriptions, nor how words were cut.",
        "",
        head,
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [_line(name, asdict(found)) for name, found in sets.items()]
    lines += [_line(f"paper: {name}", row) for name, row in PAPER.items()]
    return "\n".join(lines)


def _line(name: str, row: Mapping[str, Any]) -> str:
    def number(key: str) -> str:
        value = row.get(key)
        return "—" if value is None else f"{value:.1f}" if isinstance(value, float) else f"{value:,}"

    cells = [number(key) for key in _COLUMNS[:-1]]
    return f"| {name} | {' | '.join(cells)} | {', '.join(row['frequent'])} |"


def _keep(folder: Path, table: Mapping[str, Any]) -> None:
    """Write `table1.json` and `table1.csv`."""
    with replacing(folder / "table1.json") as partial:
        partial.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    rows = [("ours", name, row) for name, row in table["ours"].items()]
    rows += [("paper", name, row) for name, row in table["paper"].items()]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["from", "set", *_COLUMNS])
    for origin, name, row in rows:
        cells = [row.get(key, "") for key in _COLUMNS[:-1]]
        writer.writerow([origin, name, *cells, " ".join(row["frequent"])])
    with replacing(folder / "table1.csv") as partial:
        partial.write_text(text.getvalue(), encoding="utf-8")
