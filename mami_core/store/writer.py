"""Make and extend a dissection folder. Every file is replaced in one step, then the manifest that vouches for it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mami_core.records import Caption, HeadOutput, Reference
from mami_core.store import attention, images, layout
from mami_core.store.atomic import PARTIAL, locked, remove_partials, replacing
from mami_core.store.histogram import GROUP
from mami_core.store.manifest import Manifest, present_manifest, read_manifest, record_file, write_manifest


def check_output_folder(path: Path) -> None:
    """Refuse to write into a folder that holds something else than a dissection."""
    if path.exists() and not path.is_dir():
        raise ValueError(f"{path} is a file; name a folder for the dissection")
    if not path.is_dir():
        return
    found = any(not entry.name.endswith(PARTIAL) for entry in path.iterdir())  # another worker may just begin
    if found and not (path / layout.MANIFEST).is_file():
        raise ValueError(f"{path} holds files that are not a dissection; name an empty or a new folder")


class DissectionWriter:
    """The only way to write into a dissection. Opening an existing one continues it."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest

    @classmethod
    def create(cls, path: Path, manifest: Manifest) -> DissectionWriter:
        """Start a dissection in a new or empty folder, or in place of one that is there: its files go.

        Files that `manifest.files` lists stay.
        """
        check_output_folder(path)
        path.mkdir(parents=True, exist_ok=True)
        old = read_manifest(path).files if (path / layout.MANIFEST).is_file() else {}
        writer = cls(path, manifest)
        write_manifest(path, manifest)
        for name in old.keys() - manifest.files.keys():
            (path / name).unlink(missing_ok=True)
        return writer

    @classmethod
    def open(cls, path: Path) -> DissectionWriter:
        """Continue a dissection that is there; leftovers of a killed writer are cleared away."""
        manifest = read_manifest(path)
        remove_partials(path)
        return cls(path, manifest)

    def _change(self, change: Callable[[Manifest], Manifest]) -> None:
        """Write the manifest as it is now, changed: another process may have written it since this one did."""
        self._check_there()
        with locked(self.path):
            self.manifest = change(present_manifest(self.path))
            write_manifest(self.path, self.manifest)

    def _check_there(self) -> None:
        """Raise FileNotFoundError where the dissection was removed meanwhile: nothing is written in its place."""
        if not (self.path / layout.MANIFEST).is_file():
            raise FileNotFoundError(f"{self.path} was removed while it was written to; put it back, or dissect again")

    def update(self, **changes: Any) -> None:
        """Change fields of the manifest (`layers`, `settings`, `encoder`, …) and write it."""
        self._change(lambda present: replace(present, **changes))

    def stage(self, name: str, state: str) -> None:
        """Record how far a stage is: `running`, `done` or `failed`."""
        self._change(lambda present: replace(present, stages={**present.stages, name: state}))

    @contextlib.contextmanager
    def _writing(self, name: str) -> Iterator[Path]:
        """Give a temporary path; when the block ends well it is the file `name`, and the manifest vouches for it."""
        self._check_there()
        with replacing(self.path / name) as partial:
            yield partial
        self._vouch(name)

    def _vouch(self, name: str) -> None:
        self._change(lambda present: record_file(self.path, present, name))

    def adopt(self, name: str) -> None:
        """Vouch for a file that was written into the folder by other means, e.g. a model that belongs to it."""
        if not (self.path / name).is_file():
            raise FileNotFoundError(f"{self.path / name} is not there, so the manifest cannot list it")
        self._vouch(name)

    def write_table(
        self, name: str, table: pa.Table | pd.DataFrame, schema: pa.Schema, *, group: int | None = None
    ) -> None:
        """Write a Parquet file with exactly `schema`; columns that `table` lacks become nulls.

        `group`: how many rows can be read without the others.
        """
        if isinstance(table, pd.DataFrame):
            table = _as_arrow(table, schema)
        with self._writing(name) as partial:
            pq.write_table(table, partial, compression="zstd", row_group_size=group)

    def write_array(self, name: str, array: np.ndarray) -> None:
        """Write a NumPy file; pass a memory map to write more than memory holds."""
        with self._writing(name) as partial, partial.open("wb") as file:
            np.save(file, array, allow_pickle=False)

    def write_units(self, units: pd.DataFrame) -> None:
        """Write a row per unit, columns of `layout.UNIT_SCHEMA`."""
        self.write_table(layout.UNITS, units, layout.UNIT_SCHEMA, group=GROUP)

    def write_exemplars(self, exemplars: pd.DataFrame) -> None:
        """Write a row per exemplar, columns of `layout.EXEMPLAR_SCHEMA`."""
        self.write_table(layout.EXEMPLARS, exemplars, layout.EXEMPLAR_SCHEMA)

    def write_maps(self, layer: str, maps: np.ndarray, exemplar_set: str = "top", *, exact: bool = False) -> None:
        """Write activation maps (units, k, h, w), stored as float16; NaN where there are fewer than k exemplars.

        `exact` keeps their own precision: masks that must agree with a reference to the pixel need it.
        """
        self.write_array(layout.maps_file(layer, exemplar_set), maps if exact else _as_float16(maps))

    def write_peaks(self, layer: str, peaks: np.ndarray) -> None:
        """Write every image's spatial maximum (images, units), stored as float16; a float16 memory map is streamed."""
        self.write_array(layout.peaks_file(layer), peaks if peaks.dtype == np.float16 else _as_float16(peaks))

    def write_peak_ids(self, ids: np.ndarray) -> None:
        """Write which images the rows of the peak files are, int64 ascending; not written where they are all images."""
        self.write_array(layout.PEAK_IDS, ids)

    def write_image_labels(self, labels: np.ndarray) -> None:
        """Write every image's class, int32 (images,), an index into the manifest's `class_names`."""
        self.write_array(layout.LABELS, np.asarray(labels, dtype=np.int32))

    def write_classes(self, layer: str, means: np.ndarray) -> None:
        """Write each unit's mean peak over the images of each class, float32 (classes, units)."""
        self.write_array(layout.classes_file(layer), means)

    def write_features(self, encoder: str, vectors: np.ndarray) -> None:
        """Write every unit's vector by one encoder (its label), float16 (units, D); NaN for units without."""
        self.write_array(layout.features_file(encoder), vectors)

    def write_images(self, entries: Iterable[tuple[int, str, bytes]]) -> None:
        """Write (id, name, encoded bytes) of every exemplar image, ids ascending."""
        self._check_there()
        images.write_images(self.path / layout.IMAGES, entries)
        self._vouch(layout.IMAGES)

    def write_references(self, references: Mapping[tuple[str, int], Sequence[Reference]]) -> None:
        """Write human or planted descriptions by (layer, unit)."""
        rows = [
            {"layer": layer, "unit": unit, "set": entry.set, "position": entry.position, "text": entry.text}
            for (layer, unit), entries in references.items()
            for entry in entries
        ]
        self.write_table(layout.REFERENCES, pd.DataFrame(rows), layout.REFERENCE_SCHEMA)

    def write_truth(self, contents: Mapping[tuple[str, int], Mapping[str, Any]]) -> None:
        """Write what the masks truly hold, by (layer, unit); only simulated worlds know it."""
        rows = [
            {"layer": layer, "unit": unit, "content": json.dumps(content, separators=(",", ":"))}
            for (layer, unit), content in contents.items()
        ]
        self.write_table(layout.TRUTH, pd.DataFrame(rows), layout.TRUTH_SCHEMA)

    def write_splits(self, splits: Mapping[str, Sequence[tuple[str, int]]]) -> None:
        """Write which units belong to `train`, `val` and `test`."""
        with self._writing(layout.SPLITS) as partial:
            partial.write_text(json.dumps({name: list(units) for name, units in splits.items()}, indent=0) + "\n")

    def write_captions(
        self, captioner: str, captions: Mapping[tuple[str, int], Caption], provenance: Mapping[str, Any]
    ) -> None:
        """Write one captioner's captions with their attention; replaces what it said before."""
        rows = [_caption_row(layer, unit, caption) for (layer, unit), caption in captions.items()]
        self.write_table(layout.captions_file(captioner), pd.DataFrame(rows), layout.CAPTION_SCHEMA)
        by_layer: dict[str, list[tuple[int, Sequence[HeadOutput]]]] = {}
        for (layer, unit), caption in captions.items():
            if caption.heads:
                by_layer.setdefault(layer, []).append((unit, caption.heads))
        self.forget(self.files_of(captioner))
        for layer, heads in by_layer.items():
            self.write_attention(captioner, layer, heads)
        facts = dict(provenance)
        self._change(lambda present: replace(present, captioners={**present.captioners, captioner: facts}))

    def keep_import(self, captioner: str, content: bytes) -> None:
        """Keep the file that a captioner's captions, written already, were imported from."""
        with self._writing(layout.imported_file(captioner)) as partial:
            partial.write_bytes(content)

    def files_of(self, captioner: str) -> list[str]:
        """Return what belongs to a captioner's earlier captions: its attention, or the file they came from."""
        folder = layout.attention_file(captioner, "").rpartition("/")[0] + "/"
        kept = layout.imported_file(captioner)
        return [name for name in self.manifest.files if name == kept or name.startswith(folder)]

    def drop_captioner(self, captioner: str) -> None:
        """Take a captioner off the list of those who spoke."""
        self._change(lambda m: replace(m, captioners={k: x for k, x in m.captioners.items() if k != captioner}))

    def forget(self, names: Iterable[str]) -> None:
        """Take files out of the manifest, then off the disk."""
        gone = set(names)
        if not gone:
            return
        self._change(lambda present: replace(present, files={k: x for k, x in present.files.items() if k not in gone}))
        for name in gone:
            (self.path / name).unlink(missing_ok=True)

    def write_attention(self, captioner: str, layer: str, heads: Iterable[tuple[int, Sequence[HeadOutput]]]) -> None:
        """Write every head of every unit of one layer."""
        self._check_there()
        name = layout.attention_file(captioner, layer)
        attention.write_attention(self.path / name, heads)
        self._vouch(name)


def _as_arrow(table: pd.DataFrame, schema: pa.Schema) -> pa.Table:
    arrays = [
        pa.Array.from_pandas(table[field.name], type=field.type)
        if field.name in table.columns
        else pa.nulls(len(table), field.type)  # NaN does not convert to every type: lists, for one
        for field in schema
    ]
    return pa.Table.from_arrays([_one_chunk(array) for array in arrays], schema=schema)


def _one_chunk(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _as_float16(values: np.ndarray) -> np.ndarray:
    """Cast, keeping infinities out: a value beyond float16's range is held at its largest."""
    limit = float(np.finfo(np.float16).max)
    return np.clip(values, -limit, limit).astype(np.float16)  # NaN stays NaN: it says "not finite"


def _caption_row(layer: str, unit: int, caption: Caption) -> dict[str, Any]:
    return {
        "layer": layer,
        "unit": unit,
        "caption": caption.text,
        "tokens": list(caption.words),
        "log_p_given_exemplars": caption.log_p_given_exemplars,
        "log_p": caption.log_p,
        "pmi": caption.pmi,
        "words": len(caption.text.split()),
        "state": caption.state,
        "alternatives": [{"text": text, "score": score} for text, score in caption.alternatives],
        "gate": list(caption.gate),
        "score": caption.score,
    }
