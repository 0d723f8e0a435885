"""Every exemplar image once, encoded, in one Arrow file that is read a few images at a time: units share images."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
from PIL import Image

from mami_core.store.atomic import replacing
from mami_core.store.layout import IMAGE_SCHEMA

_BATCH = 64  # images a record batch: what is touched to read one


def encode_image(image: Image.Image, *, quality: int = 80, lossless: bool = False) -> bytes:
    """Return an image as WebP: half of JPEG's bytes at the same look; `lossless` keeps every pixel."""
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "WEBP", quality=quality, lossless=lossless, method=4)
    return buffer.getvalue()


def write_images(path: Path, images: Iterable[tuple[int, str, bytes]]) -> int:
    """Write (id, name, encoded bytes), ids ascending; return how many were written."""
    count = 0
    with replacing(path) as partial, pa.ipc.new_file(str(partial), IMAGE_SCHEMA) as file:
        batch: list[tuple[int, str, bytes]] = []
        for entry in images:
            batch.append(entry)
            count += 1
            if len(batch) == _BATCH:
                file.write_batch(_record_batch(batch))
                batch = []
        if batch:
            file.write_batch(_record_batch(batch))
    return count


def _record_batch(entries: list[tuple[int, str, bytes]]) -> pa.RecordBatch:
    rows = [
        {"image_id": number, "image_name": name, "format": _format(data), "data": data}
        for number, name, data in entries
    ]
    return pa.RecordBatch.from_pylist(rows, schema=IMAGE_SCHEMA)


def _format(data: bytes) -> str:
    return "webp" if data[:4] == b"RIFF" else "jpeg"


class ImageFile:
    """Read images by id without loading the file."""

    def __init__(self, path: Path) -> None:
        self._reader = pa.ipc.open_file(pa.OSFile(str(path)))  # not mapped: pages once read would stay in memory
        self._where: dict[int, tuple[int, int]] = {}
        index = pa.ipc.open_file(pa.memory_map(str(path)))
        for batch in range(index.num_record_batches):
            ids = index.get_batch(batch).column("image_id").to_numpy()
            self._where.update({int(number): (batch, row) for row, number in enumerate(ids)})

    def __len__(self) -> int:
        return len(self._where)

    def ids(self) -> list[int]:
        """Return the ids that are kept, ascending."""
        return sorted(self._where)

    def holds(self, image_id: int) -> bool:
        """Tell whether the image is kept."""
        return image_id in self._where

    def encoded(self, image_id: int) -> bytes:
        """Return the encoded bytes (WebP or JPEG); KeyError when the image is no exemplar of any unit."""
        if image_id not in self._where:
            raise KeyError(f"image {image_id} is not kept: it is no exemplar of any dissected unit")
        batch, row = self._where[image_id]
        return self._reader.get_batch(batch).column("data")[row].as_py()

    def name(self, image_id: int) -> str:
        """Return the image's name; KeyError when it is not kept."""
        if image_id not in self._where:
            raise KeyError(f"image {image_id} is not kept: it is no exemplar of any dissected unit")
        batch, row = self._where[image_id]
        return self._reader.get_batch(batch).column("image_name")[row].as_py()

    def image(self, image_id: int) -> Image.Image:
        """Return the decoded RGB image."""
        return Image.open(io.BytesIO(self.encoded(image_id))).convert("RGB")

    def array(self, image_id: int) -> np.ndarray:
        """Return the decoded image, uint8 (h, w, 3)."""
        return np.asarray(self.image(image_id))
