"""`mami export`: labelled neurons as one file."""

from __future__ import annotations

from mami_core.config import ExportConfig, parse_units
from mami_core.exports.files import format_of, write_export
from mami_core.pipeline.progress import print_result
from mami_core.pipeline.selection import chosen_keys
from mami_core.store import Dissection
from mami_core.store.labels import LabelStore


def run_export(config: ExportConfig) -> None:
    """Write one dissection's units, with the labels that people gave them."""
    dissection = Dissection.open(config.dissection)
    form = config.format or format_of(config.out)
    keys = chosen_keys(dissection, config.layers, parse_units(config.units))
    labels = LabelStore.default().frame(dissection.name)
    rows = write_export(dissection, config.out, form, captioner=config.captioner, keys=keys, labels=labels)
    result = {"out": str(config.out), "rows": rows, "format": form}
    print_result(result, as_json=config.json, text=f"wrote {rows} units to {config.out}")
