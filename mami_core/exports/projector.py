"""Units for TensorBoard's embedding projector: a vector, a line of facts and a small picture each.

A folder that `tensorboard --logdir` opens; `vectors.tsv` and `metadata.tsv` also load at projector.tensorflow.org.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from mami_core.exports.neurons import neuron_table
from mami_core.store import Dissection, UnitKey
from mami_core.store.atomic import replacing

IMAGES: Final = 512  # an even sample of the images; each is one number of a vector
_TILE: Final = 64
_SHEET: Final = 8192  # the largest sprite that the projector takes, pixels wide and high
_CONFIG: Final = """embeddings {
  tensor_path: "vectors.tsv"
  metadata_path: "metadata.tsv"
  sprite { image_path: "sprite.png" single_image_dim: %d single_image_dim: %d }
}
"""


def write_projector(dissection: Dissection, folder: Path, keys: Sequence[UnitKey]) -> int:
    """Write a folder for the projector and return how many units it holds.

    A unit's vector is its peaks over up to 512 images, less their mean, over their deviation: the projector's cosine
    distance is 1 - Pearson's r. Units whose peaks never vary have no vector and are left out. ValueError where none is
    left, or `folder` is a file.
    """
    if folder.is_file():
        raise ValueError(f"{folder} is a file; name a folder for the projector's files")
    vectors = unit_vectors(dissection, keys)
    if not vectors:
        raise ValueError(
            f"{dissection.name}: no chosen unit's peaks vary over the images, so there is nothing to project"
        )
    shown = list(vectors)
    columns = math.isqrt(len(shown) - 1) + 1
    tile = min(_TILE, _SHEET // columns)
    lines = ["\t".join(f"{value:.4g}" for value in vectors[key]) for key in shown]
    _write(folder / "vectors.tsv", ("\n".join(lines) + "\n").encode())
    _write(folder / "metadata.tsv", ("\n".join(_metadata(dissection, shown)) + "\n").encode())
    _write(folder / "sprite.png", _sprite(dissection, shown, columns, tile))
    _write(folder / "projector_config.pbtxt", (_CONFIG % (tile, tile)).encode())
    return len(shown)


def unit_vectors(dissection: Dissection, keys: Sequence[UnitKey]) -> dict[UnitKey, np.ndarray]:
    """Return the standardised peaks float32 (images,) of the units that have any, in order."""
    found: dict[UnitKey, np.ndarray] = {}
    for layer in dict.fromkeys(layer for layer, _ in keys):
        peaks = dissection.peaks(layer)
        rows = np.unique(np.linspace(0, len(peaks) - 1, min(len(peaks), IMAGES)).astype(int))
        values = np.asarray(peaks[rows], dtype=np.float32)
        values = values[np.isfinite(values).any(axis=1)]  # an image that could not be read is NaN for all
        spread = values.std(axis=0)  # (units,)
        for key in (key for key in keys if key[0] == layer):
            column = dissection.row(*key)
            if np.isfinite(spread[column]) and spread[column] > 0:
                found[key] = (values[:, column] - values[:, column].mean()) / spread[column]
    return {key: found[key] for key in keys if key in found}


def _metadata(dissection: Dissection, keys: Sequence[UnitKey]) -> list[str]:
    table = neuron_table(dissection, keys=keys)
    shown = {"layer": table["layer"], "channel": table["unit"], "threshold": table["threshold"].map("{:.4g}".format)}
    shown |= {name: table[f"{name}.caption"] for name in dissection.captioners}
    if "reference_1" in table:
        shown["reference"] = table["reference_1"]
    rows = zip(*(column.fillna("").astype(str) for column in shown.values()), strict=True)
    names = [f"{layer}/{unit}" for layer, unit in keys]
    cells = [["unit", *shown], *([name, *row] for name, row in zip(names, rows, strict=True))]
    return ["\t".join(map(_cell, row)) for row in cells]


def _cell(text: str) -> str:
    """Return a text without what would end its cell: tabs and line breaks."""
    return " ".join(text.split())


def _sprite(dissection: Dissection, keys: Sequence[UnitKey], columns: int, tile: int) -> bytes:
    sheet = Image.new("RGB", (columns * tile, columns * tile))
    for place, key in enumerate(keys):
        top = dissection.exemplars_of(*key).get("top", ())
        if top:
            picture = dissection.images.image(top[0].image_id).resize((tile, tile))
            sheet.paste(picture, ((place % columns) * tile, (place // columns) * tile))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()


def _write(path: Path, content: bytes) -> None:
    with replacing(path) as partial:
        partial.write_bytes(content)
