"""A dissection of nothing but what others say: units without maps and images, to hold captions or planted truth."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd

from mami_core.interop.caption_import import joined_references
from mami_core.interop.synthetic_neurons import SyntheticNeuron
from mami_core.records import Reference
from mami_core.store import Dissection, DissectionWriter, LayerInfo, Manifest, UnitKey
from mami_core.store.layout import UNIT_SCHEMA

BARE: Final = "captions_only"  # setting of such a dissection's manifest


def make_bare(folder: Path, network: str, keys: Iterable[UnitKey]) -> Dissection:
    """Make a dissection of these units, a layer's in order of number; nothing is known of them but that they exist."""
    manifest = Manifest(
        name=folder.name,
        network=network,
        weights_sha256=None,
        dataset="no images",
        images=0,
        image_ids_sha256=hashlib.sha256().hexdigest(),
        simulated=False,
        settings={BARE: True},
        stages={"dissect": "done"},
    )
    DissectionWriter.create(folder, manifest)
    return add_units(Dissection.open(folder), keys)


def is_bare(dissection: Dissection) -> bool:
    """Tell whether a dissection may take in further units: it has no maps that they would have to have."""
    return bool(dissection.manifest.settings.get(BARE))


def add_units(dissection: Dissection, keys: Iterable[UnitKey]) -> Dissection:
    """Return a bare dissection reopened with further units. ValueError for one that was dissected."""
    if not is_bare(dissection):
        raise ValueError(f"{dissection.name} was dissected: its units are what they are; use --unknown skip")
    merged = dict.fromkeys([*dissection.unit_keys(), *keys])
    layers = list(dict.fromkeys(layer for layer, _ in merged))
    by_layer = {name: sorted(unit for layer, unit in merged if layer == name) for name in layers}
    rows = [{"layer": layer, "unit": unit, "state": "alive"} for layer, units in by_layer.items() for unit in units]
    writer = DissectionWriter.open(dissection.path)
    empty = [name for name in UNIT_SCHEMA.names if name not in ("layer", "unit", "state", "histogram")]
    writer.write_units(pd.DataFrame(rows).assign(**dict.fromkeys(empty, float("nan"))))
    writer.update(layers=tuple(LayerInfo(layer, len(units), (0, 0)) for layer, units in by_layer.items()))
    return Dissection.open(dissection.path)


def plant(dissection: Dissection, neurons: Sequence[SyntheticNeuron], name: str) -> Dissection:
    """Return a bare dissection reopened with planted neurons as the layer of their rule: exemplars, truth, words."""
    layer: str = neurons[0].rule
    opened = add_units(dissection, [(layer, unit) for unit in range(len(neurons))])
    writer = DissectionWriter.open(opened.path)
    others = opened.exemplars[opened.exemplars["layer"] != layer]
    first = int(others["image_id"].max()) + 1 if len(others) else 0
    writer.write_exemplars(pd.concat([others, _exemplars(neurons, layer, first)], ignore_index=True))
    described = {(layer, unit): [Reference(name, 0, entry.description)] for unit, entry in enumerate(neurons)}
    writer.write_references(joined_references(opened, described, name))
    rules: dict[UnitKey, dict[str, Any]] = {
        (layer, unit): {"rule": entry.rule, "concepts": list(entry.concepts)} for unit, entry in enumerate(neurons)
    }
    writer.write_truth({**opened.truth, **rules})
    return Dissection.open(opened.path)


def _exemplars(neurons: Sequence[SyntheticNeuron], layer: str, first: int) -> pd.DataFrame:
    names = dict.fromkeys(name for entry in neurons for name in entry.images)
    ids = {name: first + place for place, name in enumerate(names)}
    rows = [
        {"layer": layer, "unit": unit, "set": "top", "rank": rank, "image_id": ids[image], "image_name": image,
         "activation": activation, "peak_y": -1, "peak_x": -1}
        for unit, entry in enumerate(neurons)
        for rank, (image, activation) in enumerate(zip(entry.images, entry.activations, strict=True))
    ]  # fmt: skip
    return pd.DataFrame(rows)
