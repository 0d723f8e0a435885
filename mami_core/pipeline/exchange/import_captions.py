"""`mami import`: what others say of these units, as captions, references or planted truth beside ours."""

from __future__ import annotations

from typing import Any

from mami_core.config import ImportConfig
from mami_core.interop.bare_dissection import add_units, is_bare, make_bare, plant
from mami_core.interop.caption_import import (
    REFERENCES,
    captions_from,
    complaint,
    joined_references,
    provenance_of,
    references_from,
    unknown_rows,
)
from mami_core.interop.captions_csv import CaptionFile, read_captions
from mami_core.interop.synthetic_neurons import read_synthetic
from mami_core.pipeline.progress import print_result
from mami_core.store import Dissection, DissectionWriter
from mami_core.store.layout import MANIFEST


def run_import(config: ImportConfig) -> None:
    """Take one file in; where there is no dissection yet, make one of the file's units alone."""
    result = import_synthetic(config) if config.file.suffix.lower() == ".json" else import_captions(config)
    text = f"{config.dissection}: {result['units']} units of {', '.join(result['names'])} from {config.file}"
    text += f"; {result['skipped']} rows left out, of units that are not there" if result["skipped"] else ""
    print_result(result, as_json=config.json, text=text)


def import_captions(config: ImportConfig) -> dict[str, Any]:
    """Write a CSV's captions, or its references, into the dissection; return what was taken in.

    ValueError with file, line and column for whatever does not fit; nothing is written then.
    """
    file = read_captions(config.file, layer=config.layer)
    content = config.file.read_bytes()
    said = {} if file.form == REFERENCES else captions_from(file, config.name, config.source)
    dissection, skipped = _dissection_for(file, config)
    known = set(dissection.unit_keys())
    writer = DissectionWriter.open(dissection.path)
    for name, captions in said.items():
        own = {key: captions[key] for key in dissection.unit_keys() if key in captions}
        writer.write_captions(name, own, provenance_of(file, content))
        writer.keep_import(name, content)
        writer.stage(f"caption:{name}", "done")
    if file.form == REFERENCES:
        described = {key: texts for key, texts in references_from(file, config.name).items() if key in known}
        writer.write_references(joined_references(dissection, described, config.name))
    units = {(row.layer, row.unit) for row in file.rows} & known
    names = list(said) or [config.name]
    return {
        "form": file.form,
        "names": names,
        "rows": len({row.line for row in file.rows}),
        "units": len(units),
        "skipped": skipped,
    }


def _dissection_for(file: CaptionFile, config: ImportConfig) -> tuple[Dissection, int]:
    """Return the dissection that takes the file in, and how many rows are left out."""
    keys = [(row.layer, row.unit) for row in file.rows]
    if not (config.dissection / MANIFEST).is_file():
        return make_bare(config.dissection, config.network or config.file.stem, keys), 0
    dissection = Dissection.open(config.dissection)
    unknown = unknown_rows(file, dissection.unit_keys())
    if unknown and config.unknown == "refuse":
        also = ", --unknown add takes the units in" if is_bare(dissection) else ""
        raise ValueError(complaint(file, unknown[0], dissection) + also)
    if unknown and config.unknown == "add":
        return add_units(dissection, keys), 0
    return dissection, len(unknown)


def import_synthetic(config: ImportConfig) -> dict[str, Any]:
    """Write MAIA's synthetic neurons into a dissection of their own, a layer a rule; return what was taken in."""
    neurons = read_synthetic(config.file, config.layer)
    if (config.dissection / MANIFEST).is_file():
        dissection = Dissection.open(config.dissection)
    else:
        dissection = make_bare(config.dissection, config.network or "synthetic", [])
    plant(dissection, neurons, config.name)
    return {"form": "maia", "names": [config.name], "rows": len(neurons), "units": len(neurons), "skipped": 0}
