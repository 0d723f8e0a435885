"""NetDissect: a unit is called by the concept whose pixels it fires on, by intersection over union.

Bau et al. 2017, "Network Dissection", equation 1: over a data set, |unit fires and concept is there| / |either|. A unit
fires where its upsampled map exceeds its threshold; only images with some concept of a category count for it.

It reads a dissection's thresholds and runs its network again, as maps are kept of exemplars alone. It stands among the
captioners because it gives captions, and this room may read dissections and run their networks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from mami_core.dissection.hooks import reading
from mami_core.dissection.layers import survey
from mami_core.dissection.masks import outside_of, upsample
from mami_core.inputs.networks import Network
from mami_core.inputs.segmentation import NOTHING, Segmented, labels_in_view
from mami_core.records import Caption
from mami_core.store import Dissection, UnitKey

NAME: Final = "netdissect"
SCORE: Final = "IoU"
SIDE: Final = 112  # maps and segmentations are compared at no more pixels than this, each way
ALTERNATIVES: Final = 5

Progress = Callable[[int, int], None]  # images done, in all


@dataclass(frozen=True, eq=False)
class Overlaps:
    """What one layer's units share with concepts, in pixels over all images."""

    both: np.ndarray  # (U, C) int64
    fired: np.ndarray  # (U, M) int64, over images that have anything of category m
    there: np.ndarray  # (C,) int64
    category: np.ndarray  # (C,) which category a concept is of

    def iou(self) -> np.ndarray:
        """Return intersection over union, float64 (U, C); 0 where neither is."""
        either = self.fired[:, self.category] + self.there - self.both  # (U, C)
        return self.both / np.maximum(either, 1)


@torch.inference_mode()
def overlaps(
    dissection: Dissection,
    network: Network,
    segmented: Segmented,
    layers: Sequence[str],
    *,
    progress: Progress | None = None,
) -> dict[str, Overlaps]:
    """Return what the units of each layer share with the concepts; rows in the dissection's order.

    ValueError where the network is not the one that was dissected.
    """
    expected = dissection.manifest.weights_sha256
    if network.weights_sha256 != expected:
        raise ValueError(f"{network.name} has other weights than {dissection.name} was made with; name those")
    layouts = survey(network, (network.preprocess(segmented.load(0)),))
    missing = [layer for layer in layers if layer not in layouts]
    if missing:
        raise ValueError(f"{network.name} has no layer {missing[0]!r}")
    counts = {layer: _Counter(dissection, layer, segmented) for layer in layers}
    device = next((weight.device for weight in network.module.parameters()), torch.device("cpu"))
    seen: dict[str, Tensor] = {}  # of the image that runs

    def consume(layer: str, maps: Tensor) -> None:
        counts[layer].add(maps[0], seen["labels"])

    with reading(network.module, {layer: layouts[layer] for layer in layers}, consume) as reader:
        for index in range(len(segmented)):
            image = segmented.load(index)
            labels = labels_in_view(network.preprocess, image, segmented.labels(index))  # (M, H, W)
            seen["labels"] = torch.from_numpy(at_most(labels, SIDE)).to(device)
            reader.run((network.preprocess(image)[None].to(device),))
            if progress is not None:
                progress(index + 1, len(segmented))
    return {layer: counter.result() for layer, counter in counts.items()}


def at_most(labels: np.ndarray, side: int) -> np.ndarray:
    """Return maps (M, H, W) with at most `side` rows and columns: the pixels nearest to the coarser grid's centres."""
    rows, columns = (
        ((np.arange(min(size, side)) + 0.5) * size / min(size, side)).astype(int) for size in labels.shape[1:]
    )
    return labels[:, rows][:, :, columns]


class _Counter:
    """Counts one layer's pixels, image by image."""

    def __init__(self, dissection: Dissection, layer: str, segmented: Segmented) -> None:
        keys = dissection.unit_keys(layer)
        self._units = [unit for _, unit in keys]
        self._thresholds = torch.tensor([dissection.statistics(*key).threshold for key in keys])
        self._outside = outside_of(dissection)
        self._category = np.asarray(segmented.categories)
        concepts, categories = len(self._category), int(self._category.max()) + 1
        self._both = np.zeros((len(keys), concepts), dtype=np.int64)
        self._fired = np.zeros((len(keys), categories), dtype=np.int64)
        self._there = np.zeros(concepts, dtype=np.int64)

    def add(self, maps: Tensor, labels: Tensor) -> None:
        """Count one image: maps (units of the layer, h, w), labels (M, H, W)."""
        size = (labels.shape[1], labels.shape[2])
        large = upsample(maps[self._units], size, outside=self._outside)  # (U, H, W)
        fires = (large > self._thresholds.to(large.device)[:, None, None]).flatten(1).float()  # (U, HW)
        for category, plane in enumerate(labels):
            named = plane.flatten()  # (HW,)
            present = named[named != NOTHING].unique()
            if not len(present):
                continue
            where = (named[:, None] == present).float()  # (HW, P)
            numbers = present.cpu().numpy()
            self._both[:, numbers] += (fires @ where).round().long().cpu().numpy()
            self._there[numbers] += where.sum(0).long().cpu().numpy()
            self._fired[:, category] += fires.sum(1).long().cpu().numpy()

    def result(self) -> Overlaps:
        """Return the counts."""
        return Overlaps(self._both, self._fired, self._there, self._category)


def named_units(
    dissection: Dissection, found: Mapping[str, Overlaps], concepts: Sequence[str], keys: Sequence[UnitKey]
) -> list[Caption]:
    """Return each unit's caption: the concept of highest IoU, its score, and the next ones."""
    ious = {layer: overlap.iou() for layer, overlap in found.items()}
    return [_caption(ious[layer][dissection.row(layer, unit)], concepts) for layer, unit in keys]


def _caption(iou: np.ndarray, concepts: Sequence[str]) -> Caption:
    """Return the caption for scores (C,); the first of equals, and `failed` where nothing overlaps."""
    order = np.argsort(-iou, kind="stable")[:ALTERNATIVES]
    best, unknown = int(order[0]), float("nan")
    if iou[best] == 0:
        return Caption(NAME, (), unknown, unknown, state="failed")
    return Caption(
        NAME,
        tuple(concepts[best].split()),
        unknown,
        unknown,
        alternatives=tuple((concepts[place], float(iou[place])) for place in order),
        written=concepts[best],
        score=float(iou[best]),
    )
