"""Dissections with chosen peaks, captions and classes: probing reads these and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from mami_core.records import Caption, HeadOutput
from mami_core.store import Dissection, DissectionWriter, LayerInfo, Manifest, encode_image

Peaks = Mapping[str, np.ndarray]  # layer → (images, units)


def probed(
    folder: Path,
    peaks: Peaks,
    *,
    captions: Mapping[str, Mapping[tuple[str, int], str]] | None = None,
    heads: Mapping[str, Mapping[tuple[str, int], Sequence[HeadOutput]]] | None = None,
    labels: Sequence[int] | None = None,
    class_names: Sequence[str] = (),
    dataset: str = "made",
    image_ids: str = "1" * 64,
    peak_ids: Sequence[int] | None = None,
    images: int | None = None,
    states: Mapping[tuple[str, int], str] | None = None,
    k: int = 3,
    names: Sequence[str] | None = None,
) -> Dissection:
    """Write a dissection whose exemplars are the k highest peaks; thresholds are the medians of the peaks."""
    count = images or len(next(iter(peaks.values())))
    manifest = Manifest(
        folder.name, "made", None, dataset, count, image_ids, True, {"k": k},
        tuple(LayerInfo(name, values.shape[1], (1, 1)) for name, values in peaks.items()),
        class_names=tuple(class_names),
    )  # fmt: skip
    writer = DissectionWriter.create(folder, manifest)
    ids = np.arange(count) if peak_ids is None else np.asarray(peak_ids)
    if peak_ids is not None:
        writer.write_peak_ids(ids.astype(np.int64))
    if labels is not None:
        writer.write_image_labels(np.asarray(labels))
    units, exemplars = [], []
    for layer, values in peaks.items():
        writer.write_peaks(layer, values)
        for unit in range(values.shape[1]):
            column = values[:, unit].astype(np.float64)
            state = (states or {}).get((layer, unit), "alive")
            threshold = np.nanmedian(column) if np.isfinite(column).any() else np.nan
            units.append({"layer": layer, "unit": unit, "state": state, "threshold": threshold, "max": column.max()})
            top = np.argsort(-np.nan_to_num(column, nan=-np.inf), kind="stable")[:k]
            exemplars += [
                {"layer": layer, "unit": unit, "set": "top", "rank": rank, "image_id": int(ids[at]),
                 "image_name": f"image {ids[at]}", "activation": column[at], "peak_y": 0, "peak_x": 0}
                for rank, at in enumerate(top)
            ]  # fmt: skip
    writer.write_units(pd.DataFrame(units))
    writer.write_exemplars(pd.DataFrame(exemplars))
    kept = sorted({row["image_id"] for row in exemplars})
    picture = encode_image(Image.new("RGB", (8, 8)))
    writer.write_images((number, names[number] if names else f"image {number}", picture) for number in kept)
    for captioner, said in (captions or {}).items():
        spoken = {
            key: Caption(captioner, tuple(text.split()), -1.0 - len(text), -2.0 * len(text), heads=tuple(
                (heads or {}).get(captioner, {}).get(key, ())))
            for key, text in said.items()
        }  # fmt: skip
        writer.write_captions(captioner, spoken, {"trained_on": "made"})
    return Dissection.open(folder)


def made_head(name: str, shares: Sequence[float], overlaps: Sequence[float], alone: str) -> HeadOutput:
    """Return a head that looked at one region only."""
    weights = np.ones((len(shares), 1), dtype=np.float32)
    return HeadOutput(name, weights, (1, 1, 1), tuple(shares), tuple(overlaps), tuple(alone.split()))
