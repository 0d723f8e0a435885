"""One row a unit: what was dissected, what excites it, what people and captioners say of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import pandas as pd

from mami_core.store import Dissection, UnitKey

_KEY: Final = ["layer", "unit"]


def neuron_table(
    dissection: Dissection, *, keys: Iterable[UnitKey] | None = None, labels: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return the labelled-neuron table, a row per unit; what is missing is empty (NA), never 0.

    `keys` chooses units and their order; without it every unit comes in the dissection's order. `labels` holds
    `layer, unit, reviewer, text, version, updated` as the label store gives them; where several reviewers labelled a
    unit, the latest label is taken. log_p is log p(d|E) and log_p_lm is log p(d): natural logarithms.

    Raises ValueError for a key that was not dissected.
    """
    units = _chosen_units(dissection, keys)
    index = pd.MultiIndex.from_frame(units[_KEY])
    columns: dict[str, Any] = _origin(dissection, units)
    columns["exemplar_ids"] = _exemplar_ids(dissection, index)
    columns |= _references(dissection, index)
    columns |= _labels(labels, index)
    for captioner in dissection.captioners:
        columns |= _captions(dissection, captioner, index)
    return pd.DataFrame(columns)


def _chosen_units(dissection: Dissection, keys: Iterable[UnitKey] | None) -> pd.DataFrame:
    units = dissection.units
    if keys is None:
        return units.reset_index(drop=True)
    wanted = pd.MultiIndex.from_tuples(list(keys), names=_KEY)
    rows = pd.MultiIndex.from_frame(units[_KEY]).get_indexer(wanted)
    if (rows < 0).any():
        layer, unit = wanted[int(np.flatnonzero(rows < 0)[0])]
        raise ValueError(f"{dissection.name} has no unit {unit} in layer {layer!r}; it has {dissection.layers}")
    return units.iloc[rows].reset_index(drop=True)


def _origin(dissection: Dissection, units: pd.DataFrame) -> dict[str, Any]:
    manifest, count = dissection.manifest, len(units)
    return {
        "network": _text([manifest.network] * count),
        "weights_sha256": _text([manifest.weights_sha256] * count),
        "dataset": _text([manifest.dataset] * count),
        "simulated": np.full(count, manifest.simulated, dtype=bool),
        "layer": _text(units["layer"]),
        "unit": units["unit"].to_numpy(dtype=np.int64),
        "state": _text(units["state"]),
        "k": pd.array([manifest.settings.get("k")] * count, dtype="Int64"),
        "quantile": pd.array([manifest.settings.get("quantile")] * count, dtype="Float64"),
        "threshold": units["threshold"].to_numpy(dtype=np.float32),
    }


def _exemplar_ids(dissection: Dissection, index: pd.MultiIndex) -> pd.Series:
    table = dissection.exemplars
    top = table[table["set"] == "top"]
    rows = index.get_indexer(pd.MultiIndex.from_frame(top[_KEY]))
    order = np.lexsort((top["rank"].to_numpy(), rows))
    order = order[rows[order] >= 0]
    ids = top["image_id"].to_numpy()[order].astype(str).tolist()
    ends = np.cumsum(np.bincount(rows[order], minlength=len(index)))  # (units,)
    starts = np.concatenate([[0], ends[:-1]]) if len(ends) else ends
    return _text([";".join(ids[start:end]) or None for start, end in zip(starts, ends, strict=True)])


def _references(dissection: Dissection, index: pd.MultiIndex) -> dict[str, pd.Series]:
    table = dissection.references
    place = table.groupby(_KEY, sort=False).cumcount().to_numpy() if len(table) else np.empty(0, dtype=int)
    rows = index.get_indexer(pd.MultiIndex.from_frame(table[_KEY])) if len(table) else place
    texts = table["text"].to_numpy(dtype=object)
    columns: dict[str, pd.Series] = {}
    for number in range(int(place.max(initial=-1)) + 1):
        chosen = (place == number) & (rows >= 0)
        column = np.full(len(index), None, dtype=object)
        column[rows[chosen]] = texts[chosen]
        columns[f"reference_{number + 1}"] = _text(column)
    return columns


def _labels(labels: pd.DataFrame | None, index: pd.MultiIndex) -> dict[str, Any]:
    if labels is None or labels.empty:
        nothing = [None] * len(index)
        return {"label": _text(nothing), "reviewer": _text(nothing), "label_version": pd.array(nothing, dtype="Int64")}
    latest = labels.sort_values("updated", kind="stable").drop_duplicates(_KEY, keep="last").set_index(_KEY)
    found = latest.reindex(index)
    return {
        "label": _text(found["text"]),
        "reviewer": _text(found["reviewer"]),
        "label_version": _integers(found["version"]),
    }


def _captions(dissection: Dissection, captioner: str, index: pd.MultiIndex) -> dict[str, Any]:
    said = dissection.captions(captioner).reindex(index)
    spoken = (said["state"] == "ok").to_numpy(dtype=bool)
    treated = said["state"].notna().to_numpy(dtype=bool)
    provenance = dissection.manifest.captioners[captioner]
    columns = {
        "caption": _text(said["caption"].where(spoken)),
        "log_p": said["log_p_given_exemplars"].where(spoken).to_numpy(dtype=np.float32),
        "log_p_lm": said["log_p"].where(spoken).to_numpy(dtype=np.float32),
        "pmi": said["pmi"].where(spoken).to_numpy(dtype=np.float32),
        "words": _integers(said["words"].where(spoken)),
        "settings_sha256": _constant(provenance.get("settings_sha256"), treated),
        "trained_on": _constant(provenance.get("trained_on"), treated),
    }
    if provenance.get("score_name"):
        columns["score"] = said["score"].where(spoken).to_numpy(dtype=np.float64)
    return {f"{captioner}.{name}": column for name, column in columns.items()}


def _constant(value: Any, where: np.ndarray) -> pd.Series:
    text = ";".join(map(str, value)) if isinstance(value, list | tuple) else value
    return _text([text if there else None for there in where])


def _text(values: Any) -> pd.Series:
    return pd.Series(np.asarray(values, dtype=object), dtype="string")


def _integers(values: pd.Series) -> pd.Series:
    return pd.Series(values.to_numpy(dtype=np.float64, na_value=np.nan)).astype("Int64")
