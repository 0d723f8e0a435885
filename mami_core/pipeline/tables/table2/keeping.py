"""What a run of the table leaves behind: captions, figures as JSON and CSV, the chart."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from safetensors.numpy import save_file

from mami_core.captioning.consensus_files import DESCRIPTION, load_consensus, save_consensus
from mami_core.pipeline.tables.table2.behind import TABLE
from mami_core.pipeline.tables.table2.chart import bleu_chart
from mami_core.pipeline.tables.table2.names import COMPOUND, CONSENSUS
from mami_core.pipeline.tables.table2.said import Row, Said
from mami_core.pipeline.tables.table2.scored import SHOWN
from mami_core.pipeline.tables.table2.trainings import RunFolders, Training
from mami_core.pipeline.tables.table2.units import TableUnits
from mami_core.store.atomic import replacing

CHART: Final = "table2.svg"
WEIGHTS: Final = "weights"
REGIONS, UNITS_READ = "regions.safetensors", "regions.json"  # mean regions of the test units, and which these are
_COLUMNS: Final = ("references", "source", "captioner", "variant", "seeds", "units", "bleu", "bleu_low", "bleu_high",
                   "brevity_penalty", "bleu_no_penalty", "bertscore_f1", "words", *SHOWN)  # fmt: skip


def keep(folder: Path, table: Mapping[str, Any], said: Said) -> None:
    """Write captions and units, `table.json`, `table.csv` and the chart into `folder`."""
    said.save(folder)
    _write(folder / TABLE, json.dumps(table, indent=1) + "\n")
    _write(folder / "table.csv", as_csv(table))
    _write(folder / CHART, bleu_chart(table, "painted scenes" if said.painted else "described units"))


def keep_weights(folder: Path, world: TableUnits, folders: RunFolders) -> None:
    """Write our captioners of the first seed, and what they read of the test units: they can say everything again."""
    rows = world.rows(COMPOUND, "test")
    regions = {"pooled": world.features.pooled()[rows]}
    for references in world.texts:
        run = folders.run(Training(CONSENSUS, COMPOUND, references, 0))
        if (run / DESCRIPTION).is_file():
            save_consensus(folder / references, load_consensus(run))
    with replacing(folder / REGIONS) as partial:
        save_file(regions, partial)
    _write(folder / UNITS_READ, json.dumps([list(world.keys[row]) for row in rows]) + "\n")


def as_csv(table: Mapping[str, Any]) -> str:
    """Return a line a row of the table."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for name, figures in table["rows"].items():
        row, bleu = Row.named(name), figures["bleu"]["milan"]
        writer.writerow([
            row.references, row.source, row.captioner, row.variant, len(figures["seeds"]), figures["units"],
            bleu["value"], bleu["low"], bleu["high"], figures["brevity_penalty"], figures["bleu"]["sat"]["value"],
            figures["bertscore"].get("f1", "not computed"), figures["words"],
            *(_cell(figures["truth"][measure]["value"]) for measure in SHOWN),
        ])  # fmt: skip
    return out.getvalue()


def _cell(value: float | None) -> float | str:
    return "not computed" if value is None else value


def _write(path: Path, text: str) -> None:
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")
