"""Images from arrays and from torch data sets: `.npy`, `.npz`, or whatever a `Dataset` gives."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mami_core.inputs.folder import to_rgb
from mami_core.inputs.source import UnreadableImageError, sha256_of_names

# what zipfile and NumPy raise for bytes that are no archive: neither has one class for it
_DAMAGED = (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error, struct.error, RuntimeError, MemoryError,
            OverflowError, KeyError, TypeError, IndexError, SyntaxError, TokenError)  # fmt: skip
_LABELS = ("labels", "y", "targets")


class ImageArray:
    """Images of one `.npy` or `.npz` file: (N, H, W, 3), (N, 3, H, W) or (N, H, W); uint8, or floats from 0 to 1.

    Memory-mapped, so that memory does not grow with N; only a compressed `.npz` must be unpacked whole. In a `.npz`
    the images are the array `images`, else the first with three or four axes; `labels`, `y` or `targets` the classes.
    """

    simulated = False

    def __init__(self, path: Path | str) -> None:
        """Open the file; ValueError when it holds no images."""
        path = Path(path)
        arrays = _arrays(path)
        found = [n for n, a in arrays.items() if a.ndim in (3, 4) and (n == "images" or a.ndim == 3 or 3 in a.shape)]
        if not found:
            shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
            raise ValueError(f"{path} holds no images (N, H, W, 3), (N, 3, H, W) or (N, H, W), but {shapes}")
        self.images = arrays["images" if "images" in found else found[0]]
        self.name = path.stem
        self.names: Sequence[str] = [f"{path.stem}-{number:06d}" for number in range(len(self.images))]
        given = next((arrays[name] for name in _LABELS if name in arrays), None)
        if given is not None and given.shape != (len(self.images),):
            raise ValueError(f"{path}: {len(self.images)} images but labels of shape {given.shape}")
        self.labels: Sequence[int] | None = None if given is None else [int(label) for label in given]
        self.class_names = () if given is None else tuple(str(label) for label in range(int(given.max()) + 1))

    def __len__(self) -> int:
        return len(self.images)

    def load(self, index: int) -> Image.Image:
        """Return an image as RGB; UnreadableImageError for floats outside 0…1."""
        return array_to_image(self.images[index], name=self.names[index])

    def fingerprint(self) -> str:
        """Return the SHA-256 of the file's shape, type and a sample of its images' bytes."""
        few = np.linspace(0, len(self) - 1, min(len(self), 16)).astype(int)
        bytes_of_few = "".join(np.ascontiguousarray(self.images[place]).tobytes().hex() for place in few)
        return sha256_of_names([str(self.images.shape), str(self.images.dtype), bytes_of_few])


def array_to_image(values: np.ndarray, *, name: str) -> Image.Image:
    """Return one image (H, W, 3), (3, H, W) or (H, W), uint8 or floats from 0 to 1, as RGB."""
    values = np.asarray(values)
    if values.ndim == 3 and values.shape[-1] not in (1, 3) and values.shape[0] in (1, 3):
        values = values.transpose(1, 2, 0)  # (H, W, 3)
    if values.ndim == 3 and values.shape[-1] == 1:
        values = values[..., 0]
    if values.dtype != np.uint8:
        low, high = float(values.min()), float(values.max())
        if not (low >= 0 and high <= 1):
            raise UnreadableImageError(f"{name}: values from {low:.4g} to {high:.4g}; give bytes, or floats in 0…1")
        values = np.rint(values.astype(np.float64) * 255).astype(np.uint8)
    return to_rgb(Image.fromarray(np.ascontiguousarray(values)))


def _arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        if path.suffix == ".npy":
            return {"images": np.load(path, mmap_mode="r", allow_pickle=False)}
        with zipfile.ZipFile(path) as archive:
            return {Path(entry.filename).stem: _member(path, archive, entry) for entry in archive.infolist()}
    except _DAMAGED as problem:
        raise ValueError(f"{path} cannot be read as an array of images ({problem})") from None


def _member(path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> np.ndarray:
    """Return one array of a `.npz`, memory-mapped where it is stored plain."""
    with archive.open(entry) as file:
        if entry.compress_type != zipfile.ZIP_STORED:
            return np.lib.format.read_array(file, allow_pickle=False)
        version = np.lib.format.read_magic(file)
        reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = reader(file)
        if dtype.hasobject:  # mapped, its bytes would be taken for addresses of Python objects
            raise ValueError(f"{entry.filename} holds Python objects")
        header = file.tell()
    with path.open("rb") as raw:  # the member's data begins after its local header, whose names' lengths vary
        raw.seek(entry.header_offset + 26)
        lengths = np.frombuffer(raw.read(4), dtype="<u2")
    start = entry.header_offset + 30 + int(lengths.sum()) + header
    if not np.prod(shape):
        return np.empty(shape, dtype)
    return np.memmap(path, dtype=dtype, mode="r", offset=start, shape=shape, order="F" if fortran else "C")


class DatasetImages:
    """A torch `Dataset` (map style) of images or (image, label) pairs: Pillow images, or uint8 / 0…1 arrays."""

    simulated = False

    def __init__(self, dataset: Any, *, name: str, names: Sequence[str] | None = None) -> None:
        """Wrap a data set; `names` default to its numbers. `targets` and `classes` are used where it has them."""
        self.dataset = dataset
        self.name = name
        self.names: Sequence[str] = names or [f"{name}-{number:06d}" for number in range(len(dataset))]
        if len(self.names) != len(dataset):
            raise ValueError(f"{len(dataset)} images but {len(self.names)} names")
        targets = getattr(dataset, "targets", None)
        self.labels: Sequence[int] | None = None if targets is None else [int(target) for target in targets]
        self.class_names = tuple(str(label) for label in getattr(dataset, "classes", ()))

    def __len__(self) -> int:
        return len(self.dataset)

    def item(self, index: int) -> Any:
        """Return an entry's image, without its label."""
        entry = self.dataset[index]
        return entry[0] if isinstance(entry, (tuple, list)) else entry

    def load(self, index: int) -> Image.Image:
        """Return an image as RGB."""
        found = self.item(index)
        if isinstance(found, Image.Image):
            return to_rgb(found)
        values = found.numpy() if isinstance(found, Tensor) else np.asarray(found)
        return array_to_image(values, name=self.names[index])

    def fingerprint(self) -> str:
        """Return the SHA-256 of the names."""
        return sha256_of_names(self.names)


class DatasetTensors(DatasetImages):
    """A torch `Dataset` whose tensors (3, H, W) are the network's input as they are, normalised already.

    `mean` and `std` are those of its transform: they are undone for the pictures that are shown.
    """

    def __init__(
        self,
        dataset: Any,
        *,
        name: str,
        mean: Sequence[float],
        std: Sequence[float],
        names: Sequence[str] | None = None,
    ) -> None:
        super().__init__(dataset, name=name, names=names)
        self._mean, self._std = (torch.tensor(list(numbers)).view(-1, 1, 1) for numbers in (mean, std))

    def inputs(self, index: int) -> Tensor:
        """Return one input (3, H, W)."""
        return self.item(index)

    def load(self, index: int) -> Image.Image:
        """Return the picture behind an input, as RGB."""
        pixels = (self.item(index) * self._std + self._mean).clamp(0, 1)
        return array_to_image(pixels.numpy(), name=self.names[index])
