"""Read a dissection folder. Tables are read once, arrays are memory-mapped: 30,000 units open in a second."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mami_core.records import (
    Caption,
    Exemplar,
    HeadOutput,
    NeuronId,
    NeuronRecord,
    Reference,
    UnitStatistics,
    join_words,
    with_combined,
)
from mami_core.store import layout
from mami_core.store.attention import WEIGHTS, AttentionFile
from mami_core.store.exemplars import NAMES, ExemplarTable
from mami_core.store.histogram import COUNTS, HistogramFile
from mami_core.store.images import ImageFile
from mami_core.store.manifest import Manifest, problems_of_files, read_manifest
from mami_core.store.milan_arrays import ARRAYS, MilanArrays, MilanImages

UnitKey = tuple[str, int]
_OF_EXEMPLAR = ("rank", "image_id", "image_name", "activation", "peak_y", "peak_x")


class Dissection:
    """A read-only view of one folder. What a stage has not made yet reads as empty, never as zeros."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest
        self._attention: dict[tuple[str, str], AttentionFile] = {}
        self._caption_tables: dict[str, pd.DataFrame] = {}
        self._caption_rows: dict[str, dict[UnitKey, int]] = {}

    @classmethod
    def open(cls, path: Path | str) -> Dissection:
        """Open a folder; FileNotFoundError or ValueError says why it cannot be read."""
        folder = Path(path)
        return cls(folder, read_manifest(folder))

    @property
    def name(self) -> str:
        """Return the dissection's name, as lists show it."""
        return self.manifest.name

    @property
    def layers(self) -> tuple[str, ...]:
        """Return the dissected layers, in the order the data meets them."""
        return tuple(layer.name for layer in self.manifest.layers)

    @property
    def captioners(self) -> tuple[str, ...]:
        """Return who captioned these units, in the order they did."""
        return tuple(self.manifest.captioners)

    def _read(self, name: str, **options: Any) -> pa.Table | None:
        """Return a Parquet file's table, None where it was never written; `options` are those of `pq.read_table`."""
        path = self.path / name
        if not path.is_file():
            if name in self.manifest.files:
                raise FileNotFoundError(f"{path} is missing though the manifest lists it; restore it or dissect again")
            return None
        try:
            return pq.read_table(path, **options)
        except (OSError, ValueError) as problem:
            raise ValueError(f"{path} cannot be read ({problem}); run `mami inspect --verify {self.path}`") from problem

    def _table(self, name: str, columns: list[str]) -> pd.DataFrame:
        found = self._read(name)
        return pd.DataFrame(columns=columns) if found is None else found.to_pandas()

    @cached_property
    def units(self) -> pd.DataFrame:
        """Return a row per unit, columns of `layout.UNIT_SCHEMA` but for the counts, in the order of the maps."""
        columns = [name for name in layout.UNIT_SCHEMA.names if name != COUNTS]
        found = self._read(layout.UNITS, columns=columns)
        return pd.DataFrame(columns=columns) if found is None else found.to_pandas()

    def units_with_counts(self) -> pd.DataFrame:
        """Return `units` with the counts of every histogram: 170 MB for 30,000 units."""
        return self._table(layout.UNITS, layout.UNIT_SCHEMA.names)

    @cached_property
    def _counts(self) -> HistogramFile:
        return HistogramFile(self.path / layout.UNITS)

    def histogram(self, layer: str, unit: int) -> np.ndarray | None:
        """Return a unit's counts in the bins of `histogram_edges()`, int32 (512,); None where they were not kept."""
        return self._counts.counts(self.position(layer, unit))

    @cached_property
    def exemplars(self) -> pd.DataFrame:
        """Return a row per exemplar, columns of `layout.EXEMPLAR_SCHEMA`, strongest first within a set."""
        return self._table(layout.EXEMPLARS, layout.EXEMPLAR_SCHEMA.names)

    @cached_property
    def references(self) -> pd.DataFrame:
        """Return a row per reference, columns of `layout.REFERENCE_SCHEMA`; empty when there are none."""
        return self._table(layout.REFERENCES, layout.REFERENCE_SCHEMA.names)

    @cached_property
    def splits(self) -> dict[str, list[UnitKey]]:
        """Return the units of `train`, `val` and `test`; empty when units were never split."""
        path = self.path / layout.SPLITS
        if not path.is_file():
            return {}
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            return {name: [(layer, unit) for layer, unit in units] for name, units in found.items()}
        except (ValueError, TypeError, AttributeError) as problem:
            raise ValueError(f"{path} cannot be read ({problem}); run `mami inspect --verify {self.path}`") from problem

    @cached_property
    def truth(self) -> dict[UnitKey, dict[str, Any]]:
        """Return what each unit's masks truly hold; empty for anything but a simulated world."""
        table = self._table(layout.TRUTH, layout.TRUTH_SCHEMA.names)
        rows = zip(table["layer"], table["unit"], table["content"], strict=True)
        return {(layer, int(unit)): json.loads(content) for layer, unit, content in rows}

    @cached_property
    def _rows(self) -> dict[UnitKey, tuple[int, int]]:
        """Return (row among all units, row within the layer) by unit."""
        rows: dict[UnitKey, tuple[int, int]] = {}
        within: dict[str, int] = {}
        for position, (layer, unit) in enumerate(zip(self.units["layer"], self.units["unit"], strict=True)):
            rows[layer, int(unit)] = (position, within.get(layer, 0))
            within[layer] = within.get(layer, 0) + 1
        return rows

    def position(self, layer: str, unit: int) -> int:
        """Return the row of a unit in `units`; KeyError when it was not dissected."""
        return self._row_pair(layer, unit)[0]

    def row(self, layer: str, unit: int) -> int:
        """Return the row of a unit within its layer's maps and peaks; KeyError when it was not dissected."""
        return self._row_pair(layer, unit)[1]

    def _row_pair(self, layer: str, unit: int) -> tuple[int, int]:
        self.manifest.layer(layer)
        if (layer, unit) not in self._rows:
            raise KeyError(f"no unit {unit} in layer {layer!r} of {self.name}")
        return self._rows[layer, unit]

    def unit_keys(self, layer: str | None = None) -> list[UnitKey]:
        """Return (layer, unit) of every unit, or of one layer's, in the order of the maps."""
        return [key for key in self._rows if layer is None or key[0] == layer]

    def _array(self, name: str) -> np.ndarray:
        path = self.path / name
        if not path.is_file():
            raise FileNotFoundError(f"{self.name} has no {name}: that stage was not run, or the file was removed")
        try:
            return np.load(path, mmap_mode="r", allow_pickle=False)
        except (ValueError, EOFError, OSError) as problem:
            raise ValueError(f"{path} cannot be read ({problem}); run `mami inspect --verify {self.path}`") from problem

    def maps(self, layer: str, exemplar_set: str = "top") -> np.ndarray:
        """Return the memory-mapped activation maps, float16 (units, k, h, w); row order is that of `units`.

        Of MILANNOTATIONS the maps of the top exemplars are its masks, uint8 0 or 1.
        """
        if self.milan_arrays is not None and exemplar_set == "top":
            return self.milan_arrays.masks(layer)
        return self._array(layout.maps_file(layer, exemplar_set))

    def has_maps(self, layer: str, exemplar_set: str = "top") -> bool:
        """Tell whether maps were kept of a set of exemplars."""
        elsewhere = self.milan_arrays is not None and exemplar_set == "top"
        return elsewhere or layout.maps_file(layer, exemplar_set) in self.manifest.files

    @cached_property
    def milan_arrays(self) -> MilanArrays | None:
        """Return MILAN's arrays that this dissection's masks and images are read from; None where they are its own."""
        return MilanArrays(self.path) if ARRAYS in self.manifest.files else None

    def peaks(self, layer: str) -> np.ndarray:
        """Return every image's spatial maximum, memory-mapped float16 (images, units)."""
        return self._array(layout.peaks_file(layer))

    @cached_property
    def peak_ids(self) -> np.ndarray:
        """Return which images the rows of the peaks are, int64 ascending: all of them, or a sample."""
        if layout.PEAK_IDS in self.manifest.files:
            return np.asarray(self._array(layout.PEAK_IDS))
        return np.arange(self.manifest.images, dtype=np.int64)

    @cached_property
    def image_labels(self) -> np.ndarray | None:
        """Return every image's class by image id, int32 (images,); None where the images have no classes."""
        return np.asarray(self._array(layout.LABELS)) if layout.LABELS in self.manifest.files else None

    def classes(self, layer: str) -> np.ndarray:
        """Return each unit's mean peak over the images of each class, memory-mapped float32 (classes, units)."""
        return self._array(layout.classes_file(layer))

    @property
    def encoders(self) -> tuple[str, ...]:
        """Return the labels of the encoders by which each unit has a vector; none in older dissections."""
        found = (name for name in self.manifest.files if name.startswith(layout.FEATURES))
        return tuple(unquote(name.removeprefix(layout.FEATURES).removesuffix(".npy")) for name in found)

    def features(self, encoder: str) -> np.ndarray:
        """Return each unit's vector by one encoder, memory-mapped float16 (units, D) of length 1; NaN for none."""
        return self._array(layout.features_file(encoder))

    @cached_property
    def images(self) -> ImageFile | MilanImages:
        """Return the exemplar images, each once."""
        path = self.path / layout.IMAGES
        if self.milan_arrays is not None and layout.IMAGES not in self.manifest.files:
            return MilanImages(self.milan_arrays, self.exemplars)
        if not path.is_file():
            raise FileNotFoundError(f"{self.name} has no {layout.IMAGES}: it was removed, or it never was finished")
        try:
            return ImageFile(path)
        except (OSError, ValueError) as problem:
            raise ValueError(f"{path} cannot be read ({problem}); run `mami inspect --verify {self.path}`") from problem

    @cached_property
    def _exemplar_table(self) -> ExemplarTable:
        found = self._read(layout.EXEMPLARS, read_dictionary=NAMES)
        return ExemplarTable(found if found is not None else layout.EXEMPLAR_SCHEMA.empty_table())

    def exemplars_of(self, layer: str, unit: int) -> dict[str, tuple[Exemplar, ...]]:
        """Return a unit's exemplars by set, strongest first."""
        sets: dict[str, list[Exemplar]] = {}
        for row in self._exemplar_table.rows(layer, unit):
            sets.setdefault(row["set"], []).append(Exemplar(**{name: row[name] for name in _OF_EXEMPLAR}))
        return {name: tuple(sorted(entries, key=lambda entry: entry.rank)) for name, entries in sets.items()}

    def exemplar_images(self, exemplar_set: str = "top") -> tuple[np.ndarray, np.ndarray]:
        """Return, of every exemplar of a set, the row of its unit in `units` and its image's id, int64 each."""
        return self._exemplar_table.images(self.units, exemplar_set)

    def captions(self, captioner: str) -> pd.DataFrame:
        """Return a row per captioned unit, columns of `layout.CAPTION_SCHEMA`."""
        if captioner not in self._caption_tables:
            table = self._table(layout.captions_file(captioner), layout.CAPTION_SCHEMA.names)
            self._caption_tables[captioner] = table.set_index(["layer", "unit"], drop=False)
            keys = zip(table["layer"], table["unit"].tolist(), strict=True)
            self._caption_rows[captioner] = {key: row for row, key in enumerate(keys)}
        return self._caption_tables[captioner]

    def _caption_row(self, captioner: str, layer: str, unit: int) -> pd.Series | None:
        table = self.captions(captioner)
        row = self._caption_rows[captioner].get((layer, unit))  # an index of two levels takes a hundred times as long
        return None if row is None else table.iloc[row]

    def said(self, captioner: str, layer: str, unit: int) -> str | None:
        """Return the text of a unit's caption; None where there is none."""
        row = self._caption_row(captioner, layer, unit)
        return str(row["caption"]) if row is not None and row["state"] == "ok" else None

    def imported(self, captioner: str) -> bytes:
        """Return the file that a captioner's captions were imported from, byte by byte.

        FileNotFoundError where they were not imported.
        """
        path = self.path / layout.imported_file(captioner)
        if not path.is_file():
            raise FileNotFoundError(f"{self.name}: the captions of {captioner!r} were not imported from a file")
        return path.read_bytes()

    def attention(self, captioner: str, layer: str, unit: int) -> tuple[HeadOutput, ...]:
        """Return what each head of a captioner did for a unit; empty when it has no attention."""
        file = self._attention_file(captioner, layer)
        return () if file is None else file.heads(unit)

    def heads(self, captioner: str, layer: str) -> pd.DataFrame:
        """Return a row per unit and head of one layer, columns of `layout.ATTENTION_SCHEMA` but for the weights.

        The weights stay compressed: 30,000 units read in seconds. Empty where the captioner has no attention.
        """
        file = self._attention_file(captioner, layer)
        columns = [name for name in layout.ATTENTION_SCHEMA.names if name not in WEIGHTS]
        return pd.DataFrame(columns=columns) if file is None else file.table()

    def _attention_file(self, captioner: str, layer: str) -> AttentionFile | None:
        key = (captioner, layer)
        if key not in self._attention:
            path = self.path / layout.attention_file(captioner, layer)
            if not path.is_file():
                return None
            try:
                self._attention[key] = AttentionFile(path)
            except (OSError, ValueError) as problem:
                raise ValueError(
                    f"{path} cannot be read ({problem}); run `mami inspect --verify {self.path}`"
                ) from problem
        return self._attention[key]

    def caption(self, captioner: str, layer: str, unit: int) -> Caption | None:
        """Return what a captioner says of a unit, its heads included; None when it was not captioned."""
        row = self._caption_row(captioner, layer, unit)
        if row is None:
            return None
        words = () if row["tokens"] is None else tuple(row["tokens"])
        text = row["caption"] or ""
        return Caption(
            captioner=captioner,
            words=words,
            log_p_given_exemplars=float(row["log_p_given_exemplars"]),
            log_p=float(row["log_p"]),
            state=row["state"],
            alternatives=tuple((entry["text"], entry["score"]) for entry in _listed(row["alternatives"])),
            heads=with_combined(self.attention(captioner, layer, unit), words),
            written=None if text == join_words(words) else text,
            score=float(row.get("score", np.nan)),
            gate=tuple(float(value) for value in _listed(row.get("gate"))),
        )

    @cached_property
    def _reference_rows(self) -> dict[UnitKey, tuple[Reference, ...]]:
        found: dict[UnitKey, list[Reference]] = {}
        for row in self.references.itertuples(index=False):
            found.setdefault((row.layer, row.unit), []).append(Reference(row.set, row.position, row.text))
        return {key: tuple(entries) for key, entries in found.items()}

    def references_of(self, layer: str, unit: int) -> tuple[Reference, ...]:
        """Return the references of a unit, in the order they were written."""
        return self._reference_rows.get((layer, unit), ())

    def statistics(self, layer: str, unit: int) -> UnitStatistics:
        """Return the spread of a unit's activations."""
        row = self.units.iloc[self.position(layer, unit)]
        return UnitStatistics(
            threshold=float(row["threshold"]),
            maximum=float(row["max"]),
            mean=float(row["mean"]),
            variance=float(row["variance"]),
            skewness=float(row["skewness"]),
            kurtosis=float(row["kurtosis"]),
            fraction_positive=float(row["fraction_positive"]),
            state=row["state"],
        )

    def neuron(self, layer: str, unit: int) -> NeuronRecord:
        """Return everything known of one unit; KeyError when it was not dissected."""
        statistics = self.statistics(layer, unit)
        captions = {name: self.caption(name, layer, unit) for name in self.captioners}
        return NeuronRecord(
            neuron=NeuronId(self.manifest.network, layer, unit),
            statistics=statistics,
            exemplars=self.exemplars_of(layer, unit),
            captions={name: caption for name, caption in captions.items() if caption is not None},
            references=self.references_of(layer, unit),
        )

    def verify(self) -> list[str]:
        """Return what is wrong with the files, a sentence each that names the file; empty when all is intact."""
        return problems_of_files(self.path, self.manifest)


def _listed(value: Any) -> list[Any]:
    return [] if value is None else list(value)
