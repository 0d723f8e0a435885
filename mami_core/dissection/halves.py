"""Two dissections of one network over disjoint images, joined into one in which units do not share what they show.

Captioners are trained on some units and tested on others. If both show exemplars from the same images, a captioner may
know the test's pictures by heart. So every unit takes its exemplars, maps and threshold from one half of the images,
and the peaks are of both: the half that a unit does not show is held out for what is measured on activations.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from mami_core.dissection.spectrum import class_means
from mami_core.inputs import ImageSource
from mami_core.store import Dissection, DissectionWriter, UnitKey

HALVES = "halves"  # in the manifest's settings: [[first id, end], [first id, end]]
STAGE = "join"


def join_halves(
    first: Dissection, second: Dissection, from_second: Collection[UnitKey], whole: ImageSource, out: Path
) -> Dissection:
    """Write into `out` a dissection whose units show images of `first`, those of `from_second` images of `second`.

    `whole` is the source that holds the first's images and then the second's. Both must be of the same network and
    layers; ValueError otherwise.
    """
    if first.manifest.weights_sha256 != second.manifest.weights_sha256 or first.unit_keys() != second.unit_keys():
        raise ValueError(f"{first.path} and {second.path} are not of the same network and units; dissect both again")
    ids = first.manifest.images
    manifest = replace(
        first.manifest,
        name=f"{first.manifest.network}-{whole.name}",
        dataset=whole.name,
        images=len(whole),
        image_ids_sha256=whole.fingerprint(),
        settings={**first.manifest.settings, HALVES: [[0, ids], [ids, len(whole)]]},
        stages={"dissect": "done", STAGE: "running"},
        files={},
    )
    writer = DissectionWriter.create(out, manifest)
    chosen = set(from_second)
    exemplars = _exemplars(first, second, chosen)
    writer.write_exemplars(exemplars)
    writer.write_units(_picked(first.units_with_counts(), second.units_with_counts(), chosen))
    writer.write_images(_images(first, second, sorted(exemplars["image_id"].unique())))
    _write_arrays(writer, first, second, chosen)
    writer.stage(STAGE, "done")
    return Dissection.open(out)


def _comes_from(table: pd.DataFrame, chosen: set[UnitKey]) -> np.ndarray:
    pairs = zip(table["layer"], table["unit"].astype(int), strict=True)
    return np.fromiter((pair in chosen for pair in pairs), dtype=bool, count=len(table))


def _picked(first: pd.DataFrame, second: pd.DataFrame, chosen: set[UnitKey]) -> pd.DataFrame:
    """Return the rows of units, in the order of the maps; both tables have the same one."""
    taken = _comes_from(first, chosen)
    rows = pd.concat([first[~taken], second[taken]])
    return rows.sort_index(kind="stable").reset_index(drop=True)


def _exemplars(first: Dissection, second: Dissection, chosen: set[UnitKey]) -> pd.DataFrame:
    ones, others = first.exemplars, second.exemplars
    moved = others[_comes_from(others, chosen)]
    moved = moved.assign(image_id=moved["image_id"] + first.manifest.images)
    return pd.concat([ones[~_comes_from(ones, chosen)], moved], ignore_index=True)


def _images(first: Dissection, second: Dissection, ids: list[int]) -> Iterator[tuple[int, str, bytes]]:
    end = first.manifest.images
    for number in ids:
        file, own = (first.images, number) if number < end else (second.images, number - end)
        yield number, file.name(own), file.encoded(own)


def _write_arrays(writer: DissectionWriter, first: Dissection, second: Dissection, chosen: set[UnitKey]) -> None:
    labels = None
    if first.image_labels is not None and second.image_labels is not None:
        labels = np.concatenate([first.image_labels, second.image_labels])
        writer.write_image_labels(labels)
    sets = list(dict.fromkeys(first.exemplars["set"]))
    for layer in first.layers:
        taken = np.array([key in chosen for key in first.unit_keys(layer)])  # (U,)
        for name in sets:
            maps = np.where(taken[:, None, None, None], second.maps(layer, name), first.maps(layer, name))
            writer.write_maps(layer, maps, name)
        peaks = np.concatenate([first.peaks(layer), second.peaks(layer)])  # (images, U)
        writer.write_peaks(layer, peaks)
        if labels is not None:
            classes = max(len(first.manifest.class_names), int(labels.max()) + 1)
            writer.write_classes(layer, class_means(peaks, labels, classes))
