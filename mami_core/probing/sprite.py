"""A unit's exemplars side by side in one picture, so that a screen fetches one file a unit instead of fifteen."""

from __future__ import annotations

import io

from PIL import Image

from mami_core.store import Dissection

COLUMNS = 5
LARGEST_TILE = 224
_FORMATS = {"jpg": ("JPEG", {"quality": 90, "subsampling": 0}), "webp": ("WEBP", {"quality": 85, "method": 0})}


def tile_size(dissection: Dissection) -> int:
    """Return how wide a tile is, in pixels: the stored pictures' own width, at most 224."""
    ids = dissection.images.ids()
    return min(LARGEST_TILE, max(dissection.images.image(ids[0]).size)) if ids else LARGEST_TILE


def exemplar_sprite(
    dissection: Dissection, layer: str, unit: int, *, exemplar_set: str = "top", kind: str = "jpg", count: int = 0
) -> bytes:
    """Return an encoded picture of a unit's exemplars, strongest first, five square tiles a row (fewer: `count`).

    A tile is stretched to a square: a unit's map covers the whole picture, so cells and pixels stay aligned.
    `count` limits how many are drawn (0: all). KeyError for a unit or a set that is not there.
    """
    dissection.row(layer, unit)
    entries = dissection.exemplars_of(layer, unit).get(exemplar_set, ())
    if not entries:
        raise KeyError(f"unit {unit} of {layer} has no exemplars of the set {exemplar_set!r}")
    entries = entries[:count] if count else entries
    columns = min(COLUMNS, len(entries)) if count else COLUMNS
    tile = tile_size(dissection)
    sheet = Image.new("RGB", (columns * tile, -(-len(entries) // columns) * tile))
    for place, entry in enumerate(entries):
        picture = dissection.images.image(entry.image_id)
        if picture.size != (tile, tile):
            picture = picture.resize((tile, tile), Image.Resampling.BICUBIC)
        sheet.paste(picture, ((place % columns) * tile, (place // columns) * tile))
    return _encode(sheet, kind)


def _encode(picture: Image.Image, kind: str) -> bytes:
    name, options = _FORMATS[kind]
    buffer = io.BytesIO()
    picture.save(buffer, name, **options)
    return buffer.getvalue()
