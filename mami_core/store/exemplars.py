"""All exemplars of a dissection in a quarter of a data frame's memory; one unit's are found by halving."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

NAMES: Final = ["layer", "set", "image_name"]  # columns that repeat few texts: read as numbers into a list of them


class ExemplarTable:
    """The rows of a table of `layout.EXEMPLAR_SCHEMA`, its `NAMES` dictionary-encoded. Made in O(n log n)."""

    def __init__(self, table: pa.Table) -> None:
        for name in NAMES:
            place = table.schema.get_field_index(name)
            table = table.set_column(place, name, table[name].dictionary_encode())
        self._table = table.unify_dictionaries()
        layers = self._table["layer"].combine_chunks()
        units = self._table["unit"].to_numpy()
        self._layers = {name: place for place, name in enumerate(layers.dictionary.to_pylist())}
        self._width = int(units.max(initial=-1)) + 1
        codes = layers.indices.to_numpy().astype(np.int64) * self._width + units
        self._order = np.argsort(codes, kind="stable").astype(np.int32)
        self._codes = codes[self._order]  # ascending

    def rows(self, layer: str, unit: int) -> list[dict[str, Any]]:
        """Return a unit's exemplars as they stand in the table; empty where it has none."""
        if layer not in self._layers or not 0 <= unit < self._width:
            return []
        code = self._layers[layer] * self._width + unit
        start, stop = np.searchsorted(self._codes, [code, code + 1])
        return self._table.take(self._order[start:stop]).to_pylist()

    def images(self, units: pd.DataFrame, exemplar_set: str) -> tuple[np.ndarray, np.ndarray]:
        """Return, of every exemplar of a set, the row of its unit in `units` and its image id, int64 each."""
        of_set = self._table["set"].combine_chunks()
        names = of_set.dictionary.to_pylist()
        kept = of_set.indices.to_numpy() == (names.index(exemplar_set) if exemplar_set in names else -1)
        known = units["layer"].map(self._layers).fillna(-1).to_numpy(dtype=np.int64) * self._width + units["unit"]
        rows = pd.Index(known).get_indexer(self._codes[kept[self._order]])
        return rows, self._table["image_id"].to_numpy()[self._order][kept[self._order]]
