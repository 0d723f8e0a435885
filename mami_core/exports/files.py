"""Write what is known of a dissection's units to one file, in our own full form or in a peer's."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, get_args

import numpy as np
import pandas as pd

from mami_core.config import Exported
from mami_core.exports.dataset_card import dataset_card
from mami_core.exports.heads import head_columns
from mami_core.exports.neurons import neuron_table
from mami_core.exports.projector import write_projector
from mami_core.interop.spreadsheet import guard_table
from mami_core.store import Dissection, UnitKey
from mami_core.store.atomic import replacing

_BY_ENDING: Final[dict[str, Exported]] = {
    ".csv": "csv",
    ".json": "json",
    ".parquet": "parquet",
    ".html": "html",
    ".md": "card",
}


def format_of(out: Path) -> Exported:
    """Return the format that a file's ending means; ValueError for an ending that means none."""
    ending = out.suffix.lower()
    if ending not in _BY_ENDING:
        raise ValueError(f"{out}: the ending {ending!r} names no format; use {', '.join(_BY_ENDING)} or --format")
    return _BY_ENDING[ending]


def write_export(
    dissection: Dissection,
    out: Path,
    format: Exported | None = None,  # noqa: A002  # the command line's own word
    *,
    captioner: str | None = None,
    keys: Iterable[UnitKey] | None = None,
    labels: pd.DataFrame | None = None,
) -> int:
    """Write `out` in one step and return how many units it holds; arguments as in `export_bytes`.

    The form `projector` is a folder of files: `projector.write_projector`.
    """
    if format == "projector":
        return write_projector(dissection, out, list(dissection.unit_keys() if keys is None else keys))
    if out.is_dir():
        raise ValueError(f"{out} is a folder; name a file for the export")
    content, rows = _rendered(dissection, format or format_of(out), captioner, keys, labels)
    with replacing(out) as partial:
        partial.write_bytes(content)
    return rows


def export_bytes(
    dissection: Dissection,
    format: Exported,  # noqa: A002
    *,
    captioner: str | None = None,
    keys: Iterable[UnitKey] | None = None,
    labels: pd.DataFrame | None = None,
) -> bytes:
    """Return an export as bytes, as a download needs it.

    `csv`, `json` and `parquet` hold the full table of `neuron_table`, and `json` what attention heads did too; `milan`
    (layer,unit,description) and `clip-dissect` (layer,unit,description,similarity) hold the captions of one `captioner`
    verbatim, only of units that have one. The similarity written is the captioner's own score where it has one, else
    our PMI: CLIP-Dissect's own default, soft WPMI, is of the same form. `imported` is the file that the captions came
    from, byte by byte. `html` is a report with pictures of the chosen units, `card` a dataset card in Markdown.
    """
    return _rendered(dissection, format, captioner, keys, labels)[0]


def _rendered(
    dissection: Dissection,
    form: Exported,
    captioner: str | None,
    keys: Iterable[UnitKey] | None,
    labels: pd.DataFrame | None,
) -> tuple[bytes, int]:
    if form not in get_args(Exported):
        raise ValueError(f"no export format {form!r}; there are {', '.join(get_args(Exported))}")
    if form == "projector":
        raise ValueError(
            "the projector's files are a folder; write them with `mami export D FOLDER --format projector`"
        )
    if form in ("html", "card"):
        return _document(dissection, form, keys)
    if form == "imported":
        return _as_imported(dissection, captioner, keys)
    table = neuron_table(dissection, keys=keys, labels=labels)
    if form == "json":
        return _json(table, head_columns(dissection, table)), len(table)
    if form in _FULL:
        return _FULL[form](table), len(table)
    table = _one_caption_each(table, _chosen_captioner(dissection, captioner))
    columns = ["layer", "unit", "description"] + (["similarity"] if form == "clip-dissect" else [])
    return _plain_csv(table[columns]), len(table)


def _document(dissection: Dissection, form: Exported, keys: Iterable[UnitKey] | None) -> tuple[bytes, int]:
    chosen = list(dissection.unit_keys() if keys is None else keys)
    if form == "card":
        return dataset_card(dissection).encode("utf-8"), len(dissection.units)
    from mami_core.exports.report import layer_report  # its masks need torch, which the other forms do without

    return layer_report(dissection, chosen).encode("utf-8"), len(chosen)


def _chosen_captioner(dissection: Dissection, captioner: str | None) -> str:
    known = dissection.captioners
    if captioner is None and len(known) == 1:
        return known[0]
    if captioner not in known:
        asked = "this form holds one caption a unit" if captioner is None else f"no captioner {captioner!r}"
        raise ValueError(f"{dissection.name}: {asked}; choose with --captioner among: {', '.join(known) or 'none yet'}")
    return captioner


def _as_imported(dissection: Dissection, captioner: str | None, keys: Iterable[UnitKey] | None) -> tuple[bytes, int]:
    if keys is not None and set(keys) != set(dissection.unit_keys()):
        raise ValueError("the imported file is given whole, as it was; leave out --layers, --units and filters")
    content = dissection.imported(_chosen_captioner(dissection, captioner))
    return content, content.count(b"\n") - 1


def _one_caption_each(table: pd.DataFrame, captioner: str) -> pd.DataFrame:
    spoken = table[table[f"{captioner}.caption"].notna()]
    return pd.DataFrame(
        {
            "layer": spoken["layer"],
            "unit": spoken["unit"],
            "description": spoken[f"{captioner}.caption"],
            "similarity": spoken[f"{captioner}.score" if f"{captioner}.score" in spoken else f"{captioner}.pmi"],
        }
    )


def _plain_csv(table: pd.DataFrame) -> bytes:
    return table.to_csv(index=False, lineterminator="\n").encode("utf-8")


def _guarded_csv(table: pd.DataFrame) -> bytes:
    return _plain_csv(guard_table(table))


def _json(table: pd.DataFrame, nested: Mapping[str, Sequence[object]]) -> bytes:
    columns = [*(_json_values(table[name]) for name in table.columns), *nested.values()]
    names = [*table.columns, *nested]
    rows = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    return (json.dumps(rows, ensure_ascii=False, allow_nan=False, indent=0) + "\n").encode("utf-8")


def _json_values(column: pd.Series) -> list[object]:
    """JSON has neither NaN nor infinity: both are written as null."""
    values = column.to_numpy(dtype=object)
    missing = column.isna().to_numpy(dtype=bool)
    if pd.api.types.is_float_dtype(column.dtype):
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
        missing, values = ~np.isfinite(numbers), numbers.astype(object)
    return list(np.where(missing, None, values))


def _parquet(table: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False, compression="zstd")
    return buffer.getvalue()


_FULL: Final[dict[str, Callable[[pd.DataFrame], bytes]]] = {"csv": _guarded_csv, "parquet": _parquet}
