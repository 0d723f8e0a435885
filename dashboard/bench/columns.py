"""The neuron view as `st.image` in columns, the usual way to write it: what `mami bench dashboard` compares ours with.

Its pictures are made once and kept, so that only Streamlit's part is measured: 15 exemplars under their masks, and 15
small heatmaps a head.
"""

from __future__ import annotations

import io

import numpy as np
import streamlit as st
from PIL import Image

from dashboard import loaders
from mami_core.store import Dissection

COLUMNS = 5
SMALL = 2  # heatmaps of heads have half a tile's width
QUALITY = 85


@st.cache_data(max_entries=256)
def pictures(path: str, layer: str, unit: int, tile: int) -> tuple[list[bytes], dict[str, list[bytes]]]:
    """Return the exemplars under their masks, and each head's heatmaps, as JPEG."""
    dissection = Dissection.open(path)
    record = dissection.neuron(layer, unit)
    images = [dissection.images.image(entry.image_id).resize((tile, tile)) for entry in record.exemplars["top"]]
    maps = np.asarray(dissection.maps(layer)[dissection.row(layer, unit)], dtype=np.float32)
    masked = [
        _overlaid(image, _enlarged(found, tile) > record.statistics.threshold)
        for image, found in zip(images, maps, strict=True)
    ]
    heads = max((caption.heads for caption in record.captions.values()), key=len, default=())
    small = [image.resize((tile // SMALL, tile // SMALL)) for image in images]
    strips = {
        head.head: [
            _overlaid(image, _enlarged(found, tile // SMALL))
            for image, found in zip(small, head.weights.mean(axis=0).reshape(head.grid), strict=True)
        ]
        for head in heads
    }
    return masked, strips


def _enlarged(values: np.ndarray, size: int) -> np.ndarray:
    return np.asarray(Image.fromarray(values.astype(np.float32)).resize((size, size), Image.Resampling.BILINEAR))


def _overlaid(image: Image.Image, share: np.ndarray) -> bytes:
    """Return the image, dark where `share` of its largest is small."""
    level = 0.35 + 0.65 * share / max(float(share.max()), 1e-9)
    pixels = (np.asarray(image) * level[..., None]).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()


def step(by: int) -> None:
    """Go to another unit."""
    st.session_state["unit"] = (st.session_state["unit"] + by) % len(units)


st.set_page_config(layout="wide")
found = loaders.found_dissections()[st.query_params["d"]]
layer, tile = st.query_params["layer"], int(st.query_params["tile"])
units = loaders.layer_units(found)[layer]
unit = units[st.session_state.setdefault("unit", 0)]
st.header(f"{layer} · unit {unit}")
st.button("Previous", shortcut="K", on_click=step, args=(-1,))
st.button("Next", shortcut="J", on_click=step, args=(1,))
for name, text in loaders.spoken(found, layer, unit).items():
    st.markdown(f"**{name}** {text}")
masked, strips = pictures(str(found.path), layer, unit, tile)
columns = st.columns(COLUMNS)
for place, picture in enumerate(masked):
    columns[place % COLUMNS].image(picture, width=tile)
for name, strip in strips.items():
    st.markdown(f"**{name}**")
    for column, picture in zip(st.columns(len(strip)), strip, strict=True):
        column.image(picture, width=tile // SMALL)
st.text(f"shown {unit}")
