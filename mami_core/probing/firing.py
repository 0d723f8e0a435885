"""Which units fire for one image: each activation as a percentile of the unit's peaks over the dissected images.

Raw activations of different units do not compare; "higher than on 99 % of the images" does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from PIL import Image
from torch import Tensor

from mami_core.dissection.hooks import reading
from mami_core.dissection.layers import survey
from mami_core.inputs import Network
from mami_core.store import Dissection

_STRIP = 1 << 22  # values at once


@dataclass(frozen=True, eq=False)
class Firing:
    """How every dissected unit answers to one image, most unusual first."""

    table: pd.DataFrame  # layer, unit, activation, percentile, peak_y, peak_x, row: the unit's place in `maps[layer]`
    maps: Mapping[str, np.ndarray]  # layer → float32 (units, h, w), units in the dissection's order


@torch.inference_mode()
def fire(
    network: Network, dissection: Dissection, image: Image.Image, *, layers: Sequence[str] | None = None
) -> Firing:
    """Run a dissected network over one more image.

    `percentile` is the mid-rank of the activation among the unit's peaks over the dissected images, 0 to 100 (ties
    half): NaN where the unit has no finite peaks. Both are compared as float16, as peaks are stored. Dead units tie
    with all images: 50. One forward pass on the network's own device, and O(images x units) comparisons.

    ValueError where the network is not the one that was dissected, or is fed something else than images.
    """
    _check_same(network, dissection)
    chosen = tuple(layers or dissection.layers)
    maps = _maps(network, dissection, chosen, image)
    parts = [_answers(dissection, name, maps[name]) for name in chosen]
    table = pd.concat(parts, ignore_index=True)
    order = np.lexsort((-_relative(table, dissection), -table["percentile"].fillna(-1).to_numpy()))
    return Firing(table.iloc[order].reset_index(drop=True), maps)


def _check_same(network: Network, dissection: Dissection) -> None:
    wanted, found = dissection.manifest.weights_sha256, network.weights_sha256
    if wanted is not None and found is not None and wanted != found:
        raise ValueError(
            f"{network.name} has other weights than {dissection.manifest.network}, which was dissected; "
            "percentiles would mean nothing: open the same weights"
        )
    if network.generates:
        raise ValueError(f"{network.name} makes images and takes none; units that fire for an image cannot be asked")


def _maps(network: Network, dissection: Dissection, layers: Sequence[str], image: Image.Image) -> dict[str, np.ndarray]:
    device = next((weight.device for weight in network.module.parameters()), torch.device("cpu"))
    fed = network.preprocess(image.convert("RGB"))
    layouts = survey(network, (fed,))
    missing = [name for name in layers if name not in layouts]
    if missing:
        raise ValueError(f"{network.name} has no layer {missing[0]!r}; {dissection.name} is of another network")
    kept: dict[str, np.ndarray] = {}

    def keep(name: str, maps: Tensor) -> None:
        kept[name] = maps[0].float().cpu().numpy().copy()

    late = bool(dissection.manifest.settings.get("milan_parity"))
    with reading(network.module, {name: layouts[name] for name in layers}, keep, late=late) as reader:
        reader.run((fed.unsqueeze(0).to(device),))
    return {name: _dissected_units(dissection, name, kept[name]) for name in layers}


def _dissected_units(dissection: Dissection, layer: str, maps: np.ndarray) -> np.ndarray:
    units = [unit for _, unit in dissection.unit_keys(layer)]
    if units and max(units) >= len(maps):
        raise ValueError(f"layer {layer!r} now has {len(maps)} units, unit {max(units)} was dissected; another network")
    return maps[units]


def _answers(dissection: Dissection, layer: str, maps: np.ndarray) -> pd.DataFrame:
    """Return a row per unit for maps (U, h, w)."""
    flat = maps.reshape(len(maps), -1)
    where = np.nan_to_num(flat, nan=-np.inf).argmax(axis=1)
    activation = flat[np.arange(len(flat)), where]
    return pd.DataFrame(
        {
            "layer": layer,
            "unit": [unit for _, unit in dissection.unit_keys(layer)],
            "activation": activation,
            "percentile": percentiles(dissection.peaks(layer), activation),
            "peak_y": where // maps.shape[2],
            "peak_x": where % maps.shape[2],
            "row": np.arange(len(maps)),
        }
    )


def percentiles(peaks: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return each unit's value (U,) as a mid-rank percentile of its finite peaks (P, U), float64 (U,) in [0, 100].

    NaN where a unit has no finite peak, or the value is not finite. O(images x units), 4 million values at a time.
    """
    limit = float(np.finfo(np.float16).max)
    wanted = _ordered(np.clip(values, -limit, limit).astype(np.float16))
    below, equal, known = (np.zeros(len(values), dtype=np.int64) for _ in range(3))
    step = max(1, _STRIP // max(len(values), 1))
    for start in range(0, len(peaks), step):
        strip = np.asarray(peaks[start : start + step], dtype=np.float16)
        finite = np.isfinite(strip)
        keys = _ordered(strip)
        below += ((keys < wanted) & finite).sum(axis=0)
        equal += ((keys == wanted) & finite).sum(axis=0)
        known += finite.sum(axis=0)
    share = np.divide(100 * (below + equal / 2), known, out=np.full(len(values), np.nan), where=known > 0)
    return np.where(np.isfinite(values), share, np.nan)


def _ordered(values: np.ndarray) -> np.ndarray:
    """Return float16 as int16 in the same order: a processor compares these many times faster. -0 counts as 0."""
    bits = (values + np.float16(0)).view(np.int16)
    return np.where(bits < 0, bits ^ np.int16(0x7FFF), bits)


def _relative(table: pd.DataFrame, dissection: Dissection) -> np.ndarray:
    """Return each activation over the unit's largest, to order units that all fire higher than ever before."""
    largest = dissection.units.set_index(["layer", "unit"])["max"]
    wanted = largest.reindex(pd.MultiIndex.from_frame(table[["layer", "unit"]])).to_numpy(dtype=np.float64)
    ratio = np.divide(table["activation"], wanted, out=np.zeros(len(table)), where=wanted > 0)
    return np.nan_to_num(np.asarray(ratio), nan=0.0)
