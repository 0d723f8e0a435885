"""Exemplars that lie elsewhere, in MILAN's arrays: memory-mapped, never copied, 35 GB or not.

A dissection of them holds only tables. `arrays.json` in it says where each layer's `masks.npy` and `images.npy` are,
how large, and what a sample of their bytes hashes to.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from PIL import Image

from mami_core.store.atomic import replacing
from mami_core.store.images import encode_image

ARRAYS: Final = "arrays.json"
MASKS, PICTURES = "masks.npy", "images.npy"
_SAMPLES, _CHUNK = 16, 1 << 16  # pieces of a file that its fingerprint is taken over, and their bytes


def fingerprint(path: Path) -> str:
    """Return the SHA-256 of a file's size and of pieces spread over it: 35 GB are not read to open them."""
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        for start in np.linspace(0, max(size - _CHUNK, 0), _SAMPLES).astype(np.int64):
            file.seek(int(start))
            digest.update(file.read(_CHUNK))
    return digest.hexdigest()


def write_arrays(folder: Path, root: Path, layers: Mapping[str, Path]) -> None:
    """Write `arrays.json` for the folders of layers below `root`."""
    files = {
        layer: {name: fingerprint(place / name) for name in (MASKS, PICTURES) if (place / name).is_file()}
        for layer, place in layers.items()
    }
    body = {"root": str(root.resolve()), "layers": {name: layers[name].name for name in layers}, "files": files}
    with replacing(folder / ARRAYS) as partial:
        partial.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")


class MilanArrays:
    """Maps and images of a dissection, read from MILAN's arrays where they lie."""

    def __init__(self, folder: Path) -> None:
        self.facts: dict[str, Any] = json.loads((folder / ARRAYS).read_text(encoding="utf-8"))
        self.root = Path(self.facts["root"])
        self._open: dict[tuple[str, str], np.ndarray] = {}

    def array(self, layer: str, name: str) -> np.ndarray:
        """Return a layer's array, memory-mapped uint8 (units, k, 1 or 3, H, W).

        FileNotFoundError or ValueError where it went away or is another one than when it was opened first.
        """
        if (layer, name) not in self._open:
            path = self.root / self.facts["layers"][layer] / name
            if not path.is_file():
                raise FileNotFoundError(f"{path} is gone; put it back, or open the data again where it lies now")
            if fingerprint(path) != self.facts["files"][layer][name]:
                raise ValueError(
                    f"{path} has changed since it was opened first; remove the dissection and open it again"
                )
            self._open[layer, name] = np.load(path, mmap_mode="r", allow_pickle=False)
        return self._open[layer, name]

    def masks(self, layer: str) -> np.ndarray:
        """Return a layer's masks as maps: memory-mapped uint8 0 or 1 (units, k, H, W)."""
        return self.array(layer, MASKS)[:, :, 0]


class MilanImages:
    """Exemplar images by id, like `images.ImageFile`, cut out of `images.npy` when they are asked for."""

    def __init__(self, arrays: MilanArrays, exemplars: pd.DataFrame) -> None:
        """Take the exemplars in the order of the arrays: a row per layer, unit and rank."""
        self._arrays, self._exemplars = arrays, exemplars

    @cached_property
    def _where(self) -> dict[int, tuple[str, int, int, str]]:
        """Return where each image is found first: layer, row of the unit, rank; and its name."""
        table = self._exemplars
        rows = table.groupby("layer", sort=False)["unit"].transform(lambda units: pd.factorize(units)[0])
        first = ~table["image_id"].duplicated().to_numpy()
        columns = (table["image_id"], table["layer"], rows, table["rank"], table["image_name"])
        found = zip(*(column[first] for column in columns), strict=True)
        return {int(number): (layer, int(row), int(rank), name) for number, layer, row, rank, name in found}

    def __len__(self) -> int:
        return len(self._where)

    def ids(self) -> list[int]:
        """Return the ids of all exemplars, ascending."""
        return sorted(self._where)

    def holds(self, image_id: int) -> bool:
        """Tell whether the image is an exemplar."""
        return image_id in self._where

    def name(self, image_id: int) -> str:
        """Return the image's name; KeyError when it is no exemplar."""
        return self._found(image_id)[3]

    def encoded(self, image_id: int) -> bytes:
        """Return the image as WebP, encoded when it is asked for; KeyError when it is no exemplar."""
        return encode_image(self.image(image_id), quality=90)

    def image(self, image_id: int) -> Image.Image:
        """Return the RGB image."""
        layer, row, rank, _ = self._found(image_id)
        pixels = self._arrays.array(layer, PICTURES)[row, rank]  # (3, H, W)
        return Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0)))

    def array(self, image_id: int) -> np.ndarray:
        """Return the image, uint8 (h, w, 3)."""
        return np.asarray(self.image(image_id))

    def _found(self, image_id: int) -> tuple[str, int, int, str]:
        if image_id not in self._where:
            raise KeyError(f"image {image_id} is not kept: it is no exemplar of any dissected unit")
        return self._where[image_id]
