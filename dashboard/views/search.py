"""Search an image: which units fire for it, where, and what is said of them."""

from __future__ import annotations

import base64
import io

import streamlit as st
from PIL import Image, UnidentifiedImageError

from dashboard import loaders, probes
from dashboard.components import FIRING
from dashboard.controls import open_dissection

SHOWN = 24
LARGEST = 50_000_000  # pixels


def chosen_image() -> bytes | None:
    """Return the image to ask about, encoded: one that was uploaded, else one of the dissected."""
    file = st.file_uploader("An image", type=["png", "jpg", "jpeg", "webp"], max_upload_size=32)
    if file is None:
        ids = dissection.images.ids()
        st.caption(f"or one of the {len(ids):,} exemplar images")
        number = st.select_slider("Image", ids, key="searched image", label_visibility="collapsed")
        return loaders.image_bytes(found, int(number))
    try:
        with Image.open(io.BytesIO(file.getvalue())) as image:
            if image.width * image.height > LARGEST:
                raise ValueError(f"{file.name} has {image.width} × {image.height} pixels; at most 50 million are read")
            image.load()
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as problem:
        st.error(f"{file.name} cannot be read as an image: {problem}")
        return None
    return file.getvalue()


found, dissection = open_dissection()
st.title("Search an image")
left, right = st.columns([1, 3], gap="medium")
with left:
    data = chosen_image()
    if data is not None:
        st.image(data, width="stretch")
    weights = st.text_input("Weights file", placeholder="as dissected", help="Where the network's weights are a file.")
if data is not None:
    with right:
        try:
            units = probes.firing(found, data, weights.strip(), SHOWN)
        except (ValueError, OSError, KeyError) as problem:
            st.error(f"The network cannot be asked: {problem.args[0] if problem.args else problem}")
            st.stop()
        st.markdown(
            "Units by how unusual their peak is: its percentile among the dissected images. "
            ":gray[Colour: each unit's own activation, dark is low.]"
        )
        url = "data:image/*;base64," + base64.b64encode(data).decode()
        FIRING(key="firing", data={"image": url, "units": units, "dissection": found.id})
