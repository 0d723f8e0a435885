"""Units for TensorBoard's embedding projector: a vector, a line of facts and a small picture each.

A folder that `tensorboard --logdir` opens; `vectors.tsv` and `metadata.tsv` also load at projector.tensorflow.org.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from PIL import Image

from mami_core.exports.neurons import neuron_table
from mami_core.probing.spaces.units import unit_profiles
from mami_core.store import Dissection, UnitKey
from mami_core.store.atomic import replacing

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
    vectors = unit_profiles(dissection, keys)
    if not vectors:
        raise ValueError(
            f"{dissection.name}: no chosen unit's peaks vary over the images, so there is nothing to project"
        )
    shown = list(vectors)
    columns = math.isqrt(len(shown) - 1) + 1
    tile = min(_TILE, _SHEET // columns)
    _write(folder / "vectors.tsv", _tsv_of_numbers(vectors[key] for key in shown))
    _write(folder / "metadata.tsv", ("\n".join(_metadata(dissection, shown)) + "\n").encode())
    _write(folder / "sprite.png", _sprite(dissection, shown, columns, tile))
    _write(folder / "projector_config.pbtxt", (_CONFIG % (tile, tile)).encode())
    return len(shown)


def write_vectors(folder: Path, vectors: np.ndarray, facts: pd.DataFrame) -> None:
    """Write `vectors.tsv` (n, D) and `metadata.tsv`, a row a point, as projector.tensorflow.org loads them.

    ValueError where `folder` is a file.
    """
    if folder.is_file():
        raise ValueError(f"{folder} is a file; name a folder for the projector's files")
    _write(folder / "vectors.tsv", _tsv_of_numbers(vectors))
    cells = [list(facts.columns), *facts.fillna("").astype(str).to_numpy().tolist()]
    _write(folder / "metadata.tsv", ("\n".join("\t".join(map(_cell, row)) for row in cells) + "\n").encode())


def _tsv_of_numbers(rows: Iterable[np.ndarray]) -> bytes:
    return ("\n".join("\t".join(f"{value:.4g}" for value in row) for row in rows) + "\n").encode()


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
