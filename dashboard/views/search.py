"""Search an image: which units fire for it, where, what is said of them, and what a captioner says of the image."""

from __future__ import annotations

import base64
import io

import streamlit as st
from PIL import Image, UnidentifiedImageError

from dashboard import loaders, probes
from dashboard.components import FIRING, PICKER, SEEN
from dashboard.controls import open_dissection
from dashboard.plain import plain
from dashboard.routes import are_served, unit_address
from mami_core.store import models_folder

SHOWN = 24
LARGEST = 50_000_000  # pixels
state = st.session_state


def chosen_image() -> bytes | None:
    """Return the image to ask about, encoded: one that was uploaded, else one of the dissected."""
    file = st.file_uploader("An image", type=["png", "jpg", "jpeg", "webp"], max_upload_size=32)
    if file is None:
        return picked_image()
    try:
        with Image.open(io.BytesIO(file.getvalue())) as image:
            if image.width * image.height > LARGEST:
                raise ValueError(f"{file.name} has {image.width} × {image.height} pixels; at most 50 million are read")
            image.load()
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as problem:
        st.error(plain(f"{file.name} cannot be read as an image: {problem}"))
        return None
    return file.getvalue()


def picked_image() -> bytes | None:
    """Return the exemplar image that the address names, else the first; draws the others to choose from."""
    ids = [int(number) for number in dissection.images.ids()]
    if not ids:
        return None
    named = st.query_params.get("image", str(ids[0]))
    chosen = next((number for number in ids if str(number) == named), ids[0])
    st.caption(f"or one of the {len(ids):,} exemplar images")
    base = unit_address(found) if are_served() else None
    PICKER(key="picked", data={"base": base, "ids": ids, "chosen": chosen}, on_image_change=picked)
    return loaders.image_bytes(found, chosen)


def picked() -> None:
    """Put the image that was chosen into the address."""
    st.query_params.update(d=found.id, image=str(state["picked"]["image"]))


def said_of(data: bytes, url: str) -> None:
    """Draw what a captioner of whole images says of the image, and where it looked for each word."""
    names = probes.image_captioners()
    if not names:
        with st.expander("No captioner of whole images here"):
            st.markdown("Train one (Show, Attend and Tell), then it is offered here:")
            folder = models_folder() / "sat@scenery"
            st.code(f"mami train scenery:captions:8000 --captioner sat-soft --out {folder}", language=None)
        return
    name = st.selectbox("Captioner of images", names, key="image captioner") if len(names) > 1 else names[0]
    try:
        caption = probes.image_caption(name, data)
    except (ValueError, OSError, KeyError) as problem:
        st.error(plain(f"{name} cannot be asked: {problem.args[0] if problem.args else problem}"))
        return
    SEEN(key="seen", data={"image": url, "caption": caption})


def firing_units(data: bytes, url: str, weights: str) -> None:
    """Draw the units that fire most unusually for the image."""
    try:
        units = probes.firing(found, data, weights, SHOWN)
    except (ValueError, OSError, KeyError) as problem:
        st.error(plain(f"The network cannot be asked: {problem.args[0] if problem.args else problem}"))
        return
    st.markdown(
        "**Units that fire** :gray[by how unusual their peak is: its percentile among the dissected images. "
        "Colour: each unit's own activation, dark is low.]"
    )
    FIRING(key="firing", data={"image": url, "units": units, "dissection": found.id})


found, dissection = open_dissection()
st.title("Search an image")
left, right = st.columns([1, 3], gap="medium")
with left:
    content = chosen_image()
    weights_file = st.text_input("Weights file", placeholder="as dissected", help="Where the weights are a file.")
if content is not None:
    address = "data:image/*;base64," + base64.b64encode(content).decode()
    with right:
        said_of(content, address)
        firing_units(content, address, weights_file.strip())
