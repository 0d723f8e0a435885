"""What every attention head did, word by word, in the nested form that JSON alone can hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from mami_core.store import Dissection, UnitKey

_PER_WORD: Final = ("share", "norm", "entropy", "mask_overlap")
_CAPTIONS: Final = {"alone": "caption", "without": "without"}  # name here → column in the store

Json = dict[str, Any]


def head_columns(dissection: Dissection, table: pd.DataFrame) -> dict[str, list[Any]]:
    """Return `<captioner>.gate` (β per word) and `<captioner>.heads` for the units that are rows of `table`.

    A head is an object: `head`; per word its `share`, context `norm`, `entropy` in nats and `mask_overlap`; its caption
    `alone`, and that of the others `without` it. None where nothing was stored. The attention maps stay in the store.
    """
    keys = list(zip(table["layer"], table["unit"], strict=True))
    columns: dict[str, list[Any]] = {}
    for captioner in dissection.captioners:
        captions = dissection.captions(captioner)
        gates = captions["gate"].to_dict() if "gate" in captions else {}
        heads = _heads(dissection, captioner)
        columns[f"{captioner}.gate"] = [_numbers(gates.get(key)) for key in keys]
        columns[f"{captioner}.heads"] = [heads.get(key) for key in keys]
    return columns


def _heads(dissection: Dissection, captioner: str) -> dict[UnitKey, list[Json]]:
    found: dict[UnitKey, list[Json]] = {}
    for layer in dissection.layers:
        for row in dissection.heads(captioner, layer).to_dict("records"):
            found.setdefault((layer, int(row["unit"])), []).append(_head(row))
    return found


def _head(row: Mapping[Any, Any]) -> Json:
    per_word = {name: _numbers(row[name]) for name in _PER_WORD}
    captions = {name: row[column] or None if isinstance(row[column], str) else None
                for name, column in _CAPTIONS.items()}  # fmt: skip
    return {"head": row["head"], **per_word, **captions}


def _numbers(values: object) -> list[float | None] | None:
    """Return a value per word, None for one that is not finite; None where there are none."""
    if not isinstance(values, np.ndarray) or not len(values):
        return None
    return [float(value) if np.isfinite(value) else None for value in values]
