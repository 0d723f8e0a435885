"""Attention on disk: one byte a weight with a scale per word; few units a record batch, so that one unit reads fast."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mami_core.records import HeadOutput
from mami_core.store.atomic import replacing
from mami_core.store.layout import ATTENTION_SCHEMA

WEIGHTS = ("weights", "scale")  # the columns that hold the attention itself
TOGETHER = 4  # units a batch: three fifths of the size of one a batch


def write_attention(path: Path, units: Iterable[tuple[int, Sequence[HeadOutput]]]) -> None:
    """Write every head of every unit of one layer."""
    options = pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", compression_level=19))  # written once, read often
    with replacing(path) as partial, pa.ipc.new_file(str(partial), ATTENTION_SCHEMA, options=options) as file:
        rest = iter(units)
        while group := list(islice(rest, TOGETHER)):
            rows = [_row(unit, head) for unit, heads in group for head in heads]
            file.write_batch(pa.RecordBatch.from_pylist(rows, schema=ATTENTION_SCHEMA))


def _row(unit: int, head: HeadOutput) -> dict[str, object]:
    if not np.isfinite(head.weights).all() or (head.weights < 0).any():
        raise ValueError(f"unit {unit}, head {head.head!r}: attention weights must be finite and not negative")
    scale = (head.weights.max(axis=1, initial=0.0) / 255).astype(np.float32)  # (words,)
    scale[scale == 0] = 1.0  # a word that attends to nothing
    levels = np.rint(head.weights / scale[:, None]).astype(np.uint8)  # (words, regions)
    return {
        "unit": unit,
        "head": head.head,
        "grid": list(head.grid),
        "weights": levels.tobytes(),
        "scale": scale.tolist(),
        "share": list(head.share),
        "mask_overlap": list(head.mask_overlap),
        "caption": " ".join(head.caption),
        "norm": list(head.norm),
        "entropy": list(head.entropy),
        "without": " ".join(head.without),
    }


class AttentionFile:
    """Read one unit's heads at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reader = pa.ipc.open_file(pa.OSFile(str(path)))  # not mapped: pages once read would stay in memory
        place = self._reader.schema.get_field_index("unit")
        only_unit = pa.ipc.IpcReadOptions(included_fields=[place], use_threads=False)  # leaves the weights compressed
        index = pa.ipc.open_file(pa.memory_map(str(path)), options=only_unit).read_all().column("unit")
        self._batch_of = {unit: number for number, units in enumerate(index.chunks) for unit in units.to_pylist()}

    def table(self) -> pd.DataFrame:
        """Return a row per unit and head: every column but the weights, which stay compressed.

        Columns that an older file lacks are null.
        """
        kept = [place for place, name in enumerate(self._reader.schema.names) if name not in WEIGHTS]
        options = pa.ipc.IpcReadOptions(included_fields=kept, use_threads=False)  # batches are small: threads cost more
        found = pa.ipc.open_file(pa.memory_map(str(self._path)), options=options).read_all().combine_chunks()
        return found.to_pandas().reindex(columns=[name for name in ATTENTION_SCHEMA.names if name not in WEIGHTS])

    def heads(self, unit: int) -> tuple[HeadOutput, ...]:
        """Return a unit's heads in the order they were written; empty when the unit has none."""
        if unit not in self._batch_of:
            return ()
        batch = self._reader.get_batch(self._batch_of[unit])
        return tuple(_head(row) for row in batch.filter(pc.equal(batch.column("unit"), unit)).to_pylist())


def _head(row: dict) -> HeadOutput:
    exemplars, height, width = row["grid"]
    scale = np.asarray(row["scale"], dtype=np.float32)
    levels = np.frombuffer(row["weights"], dtype=np.uint8).reshape(len(scale), exemplars * height * width)
    return HeadOutput(
        head=row["head"],
        weights=levels * scale[:, None],  # (words, regions)
        grid=(exemplars, height, width),
        share=tuple(row["share"]),
        mask_overlap=tuple(row["mask_overlap"]),
        caption=tuple(row["caption"].split()),
        norm=tuple(row.get("norm", ())),
        entropy=tuple(row.get("entropy", ())),
        without=tuple(row.get("without", "").split()),
    )
