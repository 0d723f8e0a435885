"""MILANNOTATIONS: what people wrote of neurons, with exemplars and masks, opened where they lie as dissections.

Hernandez et al. 2022, "Natural Language Descriptions of Deep Visual Features". A set is a folder: `annotations.csv`
(layer, unit, summary) and for every layer `masks.npy` (units, k, 1, H, W), `ids.csv`, and `images.npy` but for
ImageNet's classifiers, whose pictures are cut from a local ImageNet.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from mami_core.inputs.folder import ImageFolder
from mami_core.inputs.preprocess import Preprocess
from mami_core.interop.captions_csv import read_captions
from mami_core.records import Reference
from mami_core.store import Dissection, DissectionWriter, LayerInfo, Manifest, UnitKey, encode_image
from mami_core.store.layout import UNIT_SCHEMA
from mami_core.store.milan_arrays import ARRAYS, MASKS, PICTURES, write_arrays

Progress = Callable[[int, int], None]  # pictures done, in all
Picture = tuple[int, str, bytes]  # id, name, encoded

BASE: Final = (
    "alexnet/imagenet",
    "alexnet/places365",
    "resnet152/imagenet",
    "resnet152/places365",
    "biggan/imagenet",
    "biggan/places365",
)
SETS: Final = (*BASE, "dino_vits8/imagenet")
GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "base": BASE,
    "cls": BASE[:4],
    "gen": BASE[4:],
    "imagenet": BASE[::2],
    "places365": BASE[1::2],
    **{network: tuple(name for name in SETS if name.startswith(f"{network}/")) for network in
       ("alexnet", "resnet152", "biggan", "dino_vits8")},
    **{f"not-{out.replace('/', '-')}": tuple(name for name in BASE if name != out) for out in BASE},
}  # fmt: skip
HUMAN: Final = "human"  # the set of references
# How MILAN's exemplars were cut; its own merge squashes instead, so that pictures and masks do not line up
FITTING: Final = Preprocess(resize=256, crop=224)
SQUASHED: Final = Preprocess(resize=(224, 224), crop=None)


def sets_of(name: str) -> tuple[str, ...]:
    """Return the published sets that a set's or group's name means; ValueError with near names otherwise."""
    if name in SETS:
        return (name,)
    if name not in GROUPS:
        known = [*GROUPS, *SETS]
        near = difflib.get_close_matches(name, known) or known
        raise ValueError(f"MILANNOTATIONS has no {name!r}; try {', '.join(near)}")
    return GROUPS[name]


@dataclass(frozen=True)
class LayerFolder:
    """One layer of a set on disk."""

    name: str
    folder: Path

    @cached_property
    def masks(self) -> np.ndarray:
        """Return the masks, memory-mapped uint8 (units, k, 1, H, W); ValueError for another shape."""
        path = self.folder / MASKS
        found = np.load(path, mmap_mode="r", allow_pickle=False)
        if found.ndim != 5 or found.shape[2] != 1 or found.dtype != np.uint8:
            raise ValueError(f"{path} is {found.dtype} {found.shape}; MILAN's masks are uint8 (units, k, 1, H, W)")
        return found

    @cached_property
    def units(self) -> list[int]:
        """Return the units' real numbers: `units.npy` where a subset was dissected."""
        path = self.folder / "units.npy"
        found: np.ndarray = np.load(path, allow_pickle=False) if path.is_file() else np.arange(len(self.masks))
        if found.shape != self.masks.shape[:1]:
            raise ValueError(f"{path} names {found.shape} units, but {MASKS} holds {len(self.masks)}")
        return [int(unit) for unit in found]

    @cached_property
    def image_ids(self) -> np.ndarray:
        """Return each exemplar's image, int64 (units, k), strongest first."""
        return self._numbers("ids.csv", np.int64)

    @cached_property
    def activations(self) -> np.ndarray:
        """Return each exemplar's activation, float64 (units, k); NaN where the set does not tell."""
        if not (self.folder / "activations.csv").is_file():
            return np.full(self.masks.shape[:2], np.nan)
        return self._numbers("activations.csv", np.float64)

    def _numbers(self, name: str, kind: type) -> np.ndarray:
        path = self.folder / name
        try:
            found: np.ndarray = np.loadtxt(path, delimiter=",", dtype=kind, ndmin=2)
        except (OSError, ValueError) as problem:
            raise ValueError(f"{path} cannot be read: {problem}") from None
        if found.shape != self.masks.shape[:2]:
            raise ValueError(f"{path} holds {found.shape} numbers, but {MASKS} {self.masks.shape[:2]} exemplars")
        return found


@dataclass(frozen=True)
class MilanSet:
    """A set on disk, e.g. `alexnet/imagenet`."""

    name: str
    root: Path

    @cached_property
    def layers(self) -> tuple[LayerFolder, ...]:
        """Return the layers by name; ValueError where there is none."""
        folders = sorted(path.parent for path in self.root.glob(f"*/{MASKS}"))
        if not folders:
            raise ValueError(f"{self.root} holds no layer with {MASKS}: it is no set of MILANNOTATIONS")
        return tuple(LayerFolder(folder.name, folder) for folder in folders)

    @property
    def has_images(self) -> bool:
        """Tell whether every layer's pictures lie beside its masks."""
        return all((layer.folder / PICTURES).is_file() for layer in self.layers)

    def references(self, count: int) -> dict[UnitKey, list[Reference]]:
        """Return what people wrote, by layer and real unit, in the file's order.

        `count` annotations a unit: units with fewer have none, of more the first are taken; 0 takes all, as they are.
        """
        written = read_captions(self.root / "annotations.csv").references()
        kept = {key: texts[: count or None] for key, texts in written.items() if len(texts) >= count}
        return {key: [Reference(HUMAN, at, text) for at, text in enumerate(texts)] for key, texts in kept.items()}


def open_set(
    found: MilanSet,
    out: Path,
    *,
    annotations: int = 3,
    imagenet: Path | None = None,
    crop: Preprocess = FITTING,
    progress: Progress | None = None,
) -> Dissection:
    """Make a dissection of a set in `out`: tables only, masks and pictures stay in the set's own arrays.

    Where a set has no pictures, they are cut once from the folder `imagenet` as `crop` says. Annotations of units that
    the set does not hold are left out.
    """
    images = None if found.has_images else _local_imagenet(found, imagenet)
    writer = DissectionWriter.create(out, _manifest(found, annotations, crop))
    writer.write_units(pd.concat([_units(layer) for layer in found.layers], ignore_index=True))
    writer.write_exemplars(pd.concat([_exemplars(found, layer, images) for layer in found.layers], ignore_index=True))
    keys = {(layer.name, unit) for layer in found.layers for unit in layer.units}
    described = found.references(annotations)
    writer.write_references({key: described[key] for key in described if key in keys})
    write_arrays(out, found.root, {layer.name: layer.folder for layer in found.layers})
    writer.adopt(ARRAYS)
    if images is not None:
        writer.write_images(_cut_pictures(found, images, crop, progress or (lambda _done, _total: None)))
    writer.stage("dissect", "done")
    return Dissection.open(out)


def _manifest(found: MilanSet, annotations: int, crop: Preprocess) -> Manifest:
    network, _, dataset = found.name.partition("/")
    ids = np.unique(np.concatenate([layer.image_ids.ravel() for layer in found.layers]))
    layers = [LayerInfo(layer.name, len(layer.units), layer.masks.shape[3:]) for layer in found.layers]
    return Manifest(
        name=f"milannotations-{network}-{dataset}",
        network=network,
        weights_sha256=None,
        dataset=dataset,
        images=int(ids.max()) + 1,
        image_ids_sha256=hashlib.sha256(ids.tobytes()).hexdigest(),
        simulated=False,
        settings={
            "milannotations": found.name,
            "k": int(found.layers[0].masks.shape[1]),
            "quantile": 0.99,
            "annotations": annotations,
            "preprocess": repr(crop),
        },
        layers=tuple(layers),
        stages={"dissect": "running"},
    )


def _units(layer: LayerFolder) -> pd.DataFrame:
    """Return the layer's units; the maps are masks of 0 and 1, so a threshold of one half gives them back."""
    known = ("layer", "unit", "threshold", "max", "state", "histogram")
    unknown = [name for name in UNIT_SCHEMA.names if name not in known]
    return pd.DataFrame(
        {"layer": layer.name, "unit": layer.units, "threshold": 0.5, "max": layer.activations.max(1), "state": "alive"}
    ).assign(**dict.fromkeys(unknown, np.nan))


def _exemplars(found: MilanSet, layer: LayerFolder, images: ImageFolder | None) -> pd.DataFrame:
    count, k = layer.image_ids.shape
    ids = layer.image_ids.ravel()
    dataset = found.name.partition("/")[2]
    return pd.DataFrame(
        {
            "layer": layer.name,
            "unit": np.repeat(layer.units, k),
            "set": "top",
            "rank": np.tile(np.arange(k), count),
            "image_id": ids,
            "image_name": [f"{dataset}-{number}" if images is None else images.names[number] for number in ids],
            "activation": layer.activations.ravel(),
            "peak_y": -1,  # not published
            "peak_x": -1,
        }
    )


def _local_imagenet(found: MilanSet, folder: Path | None) -> ImageFolder:
    """Return the local ImageNet, whose sorted files the set's image ids count."""
    if folder is None or not folder.is_dir():
        raise FileNotFoundError(
            f"{found.name} comes without pictures: name a folder of ImageNet's validation images with --imagenet, or "
            f"put it at imagenet/val in MILAN_DATA_DIR (looked at {folder})"
        )
    images = ImageFolder(folder)
    highest = max(int(layer.image_ids.max()) for layer in found.layers)
    if highest >= len(images):
        raise ValueError(f"{folder} holds {len(images)} images, but {found.name} speaks of image {highest}")
    return images


def _cut_pictures(found: MilanSet, images: ImageFolder, crop: Preprocess, progress: Progress) -> Iterator[Picture]:
    """Give every exemplar once, cut as the masks were: one picture at a time is in memory."""
    ids = np.unique(np.concatenate([layer.image_ids.ravel() for layer in found.layers])).tolist()
    for done, number in enumerate(ids):
        yield number, images.names[number], encode_image(crop.view(images.load(number)))
        progress(done + 1, len(ids))
