"""The regions of a dissection's units, packed: made once, kept on disk under a name that their content decides.

A mask touches about a tenth of the cells of a unit's exemplars, so only those are kept. A batch is padded to its
largest unit with regions of weight 0, which no decoder can see: a caption does not depend on its batch mates.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final, NamedTuple, Protocol, TypeAlias

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mami_core.captioning.encoder import GRID, EncodedImages, RegionEncoder, Regions
from mami_core.scenery.networks import SIZE
from mami_core.store import Dissection, layout
from mami_core.store.atomic import replacing
from mami_core.store.home import cache_folder
from mami_core.store.milan_arrays import ARRAYS

UnitKey: TypeAlias = tuple[str, int]
Progress: TypeAlias = Callable[[int, int], None]  # units done, units in all

_UNITS_AT_ONCE: Final = 32
_IMAGES_KEPT: Final = 4000  # encoded images held in memory: 150 KB each
_VERSION: Final = 1  # raised when the same inputs would give other regions
_KEYS = "keys.json"


class RegionBatch(NamedTuple):
    """The regions of B units, padded to the largest: what a decoder's `prepare` takes."""

    features: Tensor  # (B, N, D) float32
    weight: Tensor  # (B, N) float32, 0 where there is only padding
    cells: Tensor  # (B, N) int64: which cell of the unit's grid a region is; -1 where there is only padding

    def on_grid(self, weights: Tensor, row: int, size: int) -> Tensor:
        """Return attention weights (…, N) of unit `row` laid out on its grid of `size` cells: (…, size)."""
        real = self.cells[row] >= 0  # (N,)
        grid = weights.new_zeros(*weights.shape[:-1], size)
        grid[..., self.cells[row][real]] = weights[..., real]
        return grid


@dataclass(frozen=True, eq=False)
class UnitFeatures:
    """The regions of U units, one unit after the other."""

    keys: tuple[UnitKey, ...]
    grid: tuple[int, int, int]  # exemplars, h, w
    offsets: np.ndarray  # (U + 1,) int64: unit u's regions are offsets[u]:offsets[u + 1]
    cells: np.ndarray  # (R,) int32: which cell of the grid
    values: np.ndarray  # (R, D) float16 (MILAN's pyramid: float32), possibly memory-mapped
    weights: np.ndarray  # (R,) float32, a unit's sum to 1

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def feature_size(self) -> int:
        """D: channels of a region."""
        return self.values.shape[1]

    @property
    def grid_size(self) -> int:
        """Return the number of cells of a unit's exemplars."""
        return int(np.prod(self.grid))

    def rows_of(self, keys: Sequence[UnitKey]) -> list[int]:
        """Return the rows of some units; KeyError for one that has no regions here."""
        index = {key: row for row, key in enumerate(self.keys)}
        missing = [key for key in keys if key not in index]
        if missing:
            raise KeyError(f"{len(missing)} units have no regions here, the first is {missing[0]}")
        return [index[key] for key in keys]

    def batch(self, rows: Sequence[int] | np.ndarray | Tensor, *, drawn: np.ndarray | None = None) -> RegionBatch:
        """Return the regions of some units, side by side.

        `drawn` (B, n), random numbers in [0, 1): only n of each unit's regions, drawn with them, with repeats.
        """
        chosen = np.asarray(rows, dtype=np.int64)
        starts, counts = self.offsets[chosen][:, None], np.diff(self.offsets)[chosen][:, None]  # (B, 1)
        if drawn is None:
            place = np.broadcast_to(np.arange(counts.max()), (len(chosen), int(counts.max())))  # (B, N)
        else:
            place = (drawn * counts).astype(np.int64)
        real = place < counts  # (B, N)
        index = np.where(real, starts + place, starts)
        return RegionBatch(
            features=torch.from_numpy(self.values[index].astype(np.float32) * real[..., None]),
            weight=torch.from_numpy(np.where(real, self.weights[index], 0.0).astype(np.float32)),
            cells=torch.from_numpy(np.where(real, self.cells[index], -1).astype(np.int64)),
        )

    def pooled(self) -> np.ndarray:
        """Return each unit's weighted mean region, float32 (U, D)."""
        means = np.empty((len(self), self.feature_size), np.float32)
        for start in range(0, len(self), _UNITS_AT_ONCE):
            ends = self.offsets[start : start + _UNITS_AT_ONCE + 1]
            rows = slice(ends[0], ends[-1])
            weighed = self.values[rows].astype(np.float32) * self.weights[rows, None]
            means[start : start + len(ends) - 1] = np.add.reduceat(weighed, ends[:-1] - ends[0], axis=0)
        return means  # no unit is without regions

    def dense(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        """Return one unit's whole grid: features (cells, D) float32, zero where no mask is, and weight (cells,)."""
        here = slice(self.offsets[row], self.offsets[row + 1])
        features = np.zeros((self.grid_size, self.feature_size), dtype=np.float32)
        weight = np.zeros(self.grid_size, dtype=np.float32)
        features[self.cells[here]], weight[self.cells[here]] = self.values[here], self.weights[here]
        return features, weight


def exemplar_places(dissection: Dissection, keys: Sequence[UnitKey]) -> dict[int, list[tuple[int, int]]]:
    """Return for each image which units (rows of `keys`) have it at which rank."""
    row = {key: number for number, key in enumerate(keys)}
    for key in keys:
        if dissection.statistics(*key).state != "alive":
            raise ValueError(f"unit {key[1]} of {key[0]} is not alive: it has no regions; leave it out")
    top = dissection.exemplars[dissection.exemplars["set"] == "top"]
    places: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for layer, unit, rank, image in zip(top["layer"], top["unit"], top["rank"], top["image_id"], strict=True):
        if (layer, int(unit)) in row:
            places[int(image)].append((row[layer, int(unit)], int(rank)))
    return dict(places)


class UnitEncoder(Protocol):
    """An encoder that makes units' regions in a way of its own, as MILAN's pyramid does."""

    @property
    def name(self) -> str: ...
    @property
    def sha256(self) -> str: ...

    def describe_units(
        self, dissection: Dissection, keys: Sequence[UnitKey], progress: Progress | None = None
    ) -> UnitFeatures:
        """Return the regions of units, in order."""
        ...


def join_features(parts: Sequence[UnitFeatures]) -> UnitFeatures:
    """Return the units of several dissections as one; keys may repeat, so address units by row."""
    if not parts or len({(part.grid, part.feature_size) for part in parts}) != 1:
        sizes = [f"{part.grid} x {part.feature_size}" for part in parts]
        raise ValueError(f"features of different grids or sizes cannot be joined: {', '.join(sizes) or 'none given'}")
    starts = np.cumsum([0] + [part.offsets[-1] for part in parts])
    offsets = [part.offsets[1:] + start for part, start in zip(parts, starts[:-1], strict=True)]
    return UnitFeatures(
        keys=tuple(key for part in parts for key in part.keys),
        grid=parts[0].grid,
        offsets=np.concatenate([[0], *offsets]).astype(np.int64),
        cells=np.concatenate([part.cells for part in parts]),
        values=np.concatenate([part.values for part in parts]),
        weights=np.concatenate([part.weights for part in parts]),
    )


def alive_units(dissection: Dissection) -> list[UnitKey]:
    """Return the units that can be described, in the order of the maps."""
    alive = set(
        dissection.units.loc[dissection.units["state"] == "alive", ["layer", "unit"]].itertuples(index=False, name=None)
    )
    return [key for key in dissection.unit_keys() if key in alive]


def unit_features(
    dissection: Dissection,
    encoder: RegionEncoder | UnitEncoder,
    keys: Sequence[UnitKey] | None = None,
    *,
    cache: bool = True,
    progress: Progress | None = None,
) -> UnitFeatures:
    """Return the regions of units `keys` (default: all that are alive), from the cache where they were made before.

    ValueError names a unit that is not alive. An encoder that was never saved has no hash and is not cached.
    """
    chosen = list(alive_units(dissection) if keys is None else keys)
    if not chosen:
        raise ValueError(f"{dissection.name} has no unit that is alive; there is nothing to describe")
    folder = cache_folder() / "regions" / _digest(dissection, encoder, chosen)
    if cache and encoder.sha256 and has_features(folder):
        return load_features(folder)
    if isinstance(encoder, RegionEncoder):
        made = _make(dissection, encoder, chosen, progress)
    else:
        made = encoder.describe_units(dissection, chosen, progress)
    if cache and encoder.sha256:
        save_features(made, folder)
        return load_features(folder)
    return made


def _digest(dissection: Dissection, encoder: RegionEncoder | UnitEncoder, keys: Sequence[UnitKey]) -> str:
    """Return a name for these regions: the same content anywhere has the same name, any change another."""
    layers = {layer for layer, _ in keys}
    maps = [layout.maps_file(layer) for layer in sorted(layers)]
    names = [layout.UNITS, layout.EXEMPLARS, layout.IMAGES, ARRAYS, *maps]
    files = {name: dissection.manifest.files[name].sha256 for name in names if name in dissection.manifest.files}
    facts = {"version": _VERSION, "encoder": encoder.sha256, "files": files, "keys": list(keys)}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _make(
    dissection: Dissection, encoder: RegionEncoder, keys: Sequence[UnitKey], progress: Progress | None
) -> UnitFeatures:
    order = sorted(range(len(keys)), key=lambda index: keys[index][0])  # a layer's maps have one shape
    bank = _ImageBank(dissection, encoder)
    counts, pieces, done = np.zeros(len(keys), dtype=np.int64), [], 0
    ranks = _exemplar_images(dissection)
    for chunk in _chunks(order, keys):
        found = _regions_of(dissection, encoder, bank, [keys[index] for index in chunk], ranks)
        counts[chunk] = np.bincount(found.unit.numpy(), minlength=len(chunk))
        pieces.append(found)
        done += len(chunk)
        if progress is not None:
            progress(done, len(keys))
    made = UnitFeatures(
        keys=tuple(keys[index] for index in order),
        grid=(dissection.maps(keys[0][0]).shape[1], GRID, GRID),
        offsets=np.concatenate([[0], np.cumsum(counts[order])]),
        cells=np.concatenate([piece.cell.numpy() for piece in pieces]).astype(np.int32),
        values=np.concatenate([piece.features.numpy() for piece in pieces]),
        weights=np.concatenate([piece.weight.numpy() for piece in pieces]),
    )
    return made if order == sorted(order) else _in_order(made, keys)


def _in_order(made: UnitFeatures, keys: Sequence[UnitKey]) -> UnitFeatures:
    rows = made.rows_of(keys)
    index = np.concatenate([np.arange(made.offsets[row], made.offsets[row + 1]) for row in rows])
    counts = np.diff(made.offsets)[rows]
    return UnitFeatures(
        keys=tuple(keys),
        grid=made.grid,
        offsets=np.concatenate([[0], np.cumsum(counts)]),
        cells=made.cells[index],
        values=made.values[index],
        weights=made.weights[index],
    )


def _chunks(order: Sequence[int], keys: Sequence[UnitKey]) -> Iterator[list[int]]:
    for _, group in groupby(order, key=lambda index: keys[index][0]):
        rows = list(group)
        yield from (rows[start : start + _UNITS_AT_ONCE] for start in range(0, len(rows), _UNITS_AT_ONCE))


def _exemplar_images(dissection: Dissection) -> Mapping[UnitKey, list[int]]:
    """Return each unit's top exemplars as image ids, strongest first."""
    top = dissection.exemplars[dissection.exemplars["set"] == "top"].sort_values("rank", kind="stable")
    images: dict[UnitKey, list[int]] = {}
    for layer, unit, image in zip(top["layer"], top["unit"], top["image_id"], strict=True):
        images.setdefault((layer, int(unit)), []).append(int(image))
    return images


def _regions_of(
    dissection: Dissection,
    encoder: RegionEncoder,
    bank: _ImageBank,
    keys: Sequence[UnitKey],
    images: Mapping[UnitKey, list[int]],
) -> Regions:
    layer = keys[0][0]
    maps = dissection.maps(layer)
    rows = [dissection.row(*key) for key in keys]
    thresholds = torch.tensor([dissection.statistics(*key).threshold for key in keys])
    dead = [key for key in keys if dissection.statistics(*key).state != "alive"]
    if dead:
        raise ValueError(f"unit {dead[0][1]} of {dead[0][0]} is not alive: it has no regions; leave it out")
    found = [images.get(key, []) for key in keys]
    encoded = bank.encoded(sorted({image for row in found for image in row}))
    padded = [[bank.row[image] for image in row] + [0] * (maps.shape[1] - len(row)) for row in found]
    return encoder.regions(encoded, torch.tensor(padded), torch.from_numpy(maps[rows].astype(np.float32)), thresholds)


class _ImageBank:
    """Encoded images by id. Units of a layer share most of them, so each is encoded once."""

    def __init__(self, dissection: Dissection, encoder: RegionEncoder) -> None:
        self._images, self._encoder = dissection.images, encoder
        self._held: list[EncodedImages] = []
        self.row: dict[int, int] = {}

    def encoded(self, ids: Sequence[int]) -> EncodedImages:
        """Return all images held, `ids` among them; `row` says where each is."""
        missing = [image for image in ids if image not in self.row]
        if missing and len(self.row) + len(missing) > _IMAGES_KEPT:
            self._held, self.row, missing = [], {}, list(ids)
        if missing:
            pixels = np.stack([square_pixels(self._images.image(image)) for image in missing])
            self.row.update({image: len(self.row) + place for place, image in enumerate(missing)})
            self._held.append(self._encoder.encode(pixels))
        if len(self._held) > 1:
            self._held = [_joined(self._held)]
        return self._held[0]


def _joined(parts: Sequence[EncodedImages]) -> EncodedImages:
    return EncodedImages(torch.cat([part.cells for part in parts]), torch.cat([part.whole for part in parts]))


def square_pixels(image: Image.Image) -> np.ndarray:
    """Return an image as the encoder takes it, uint8 (3, 112, 112)."""
    small = image if image.size == (SIZE, SIZE) else image.resize((SIZE, SIZE), Image.Resampling.BILINEAR)
    return np.asarray(small).transpose(2, 0, 1)


_ARRAYS: Final = ("offsets", "cells", "values", "weights")


def has_features(folder: Path) -> bool:
    """Tell whether regions were written into `folder`, whole."""
    return (folder / _KEYS).is_file()


def save_features(made: UnitFeatures, folder: Path) -> None:
    """Write regions so that a killed program leaves all of them or none."""
    for name in _ARRAYS:
        with replacing(folder / f"{name}.npy") as partial, partial.open("wb") as file:
            np.save(file, getattr(made, name), allow_pickle=False)
    with replacing(folder / _KEYS) as partial:  # last: where it lies, the rest is whole
        partial.write_text(json.dumps({"keys": made.keys, "grid": made.grid}), encoding="utf-8")


def load_features(folder: Path) -> UnitFeatures:
    """Read regions that `save_features` wrote, memory-mapped."""
    body = json.loads((folder / _KEYS).read_text(encoding="utf-8"))
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in _ARRAYS}
    exemplars, height, width = body["grid"]
    return UnitFeatures(
        keys=tuple((layer, unit) for layer, unit in body["keys"]), grid=(exemplars, height, width), **arrays
    )
