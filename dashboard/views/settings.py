"""Settings: who reviews, what computes, where things are kept."""

from __future__ import annotations

import os
import platform
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import streamlit as st

from dashboard import loaders
from dashboard.labelling import reviewer
from dashboard.login import logged_in_as
from mami_core.device import choose_device
from mami_core.store import home
from mami_core.store.preferences import Preferences

state = st.session_state


def saved(chosen: Preferences) -> None:
    """Keep what was chosen, once it is known to work."""
    try:
        choose_device(chosen.device)
        if chosen.sentence_model and not (Path(chosen.sentence_model).expanduser() / "config.json").is_file():
            raise ValueError(f"{chosen.sentence_model} holds no sentence model: it has no config.json")
        chosen.save()
    except (ValueError, OSError) as problem:
        st.error(f"Not saved: {problem}")
        return
    state["reviewer"] = chosen.reviewer or None
    st.success(f"Saved in {home()}")


st.title("Settings")
present = loaders.preferences()
with st.form("settings"):
    named = st.text_input(
        "Reviewer", reviewer(), help="Your labels carry this name.", disabled=logged_in_as() is not None
    )
    if "MAMI_REVIEWER" in os.environ:
        st.caption("MAMI_REVIEWER is set: at the next start it comes before the name saved here.")
    device = st.text_input(
        "Device", present.device, help="What computes: auto (a GPU where there is one), cpu, cuda, cuda:1, mps."
    )
    model = st.text_input(
        "Sentence model",
        present.sentence_model,
        placeholder="none: search by meaning compares words (TF-IDF)",
        help="A folder with a sentence model, as `save_pretrained` writes it. Nothing is ever downloaded.",
    )
    if st.form_submit_button("Save"):
        saved(replace(present, reviewer=named.strip(), device=device.strip() or "auto", sentence_model=model.strip()))
rows = {
    "MAMI_HOME": str(home()),
    "labels and jobs": "MAMI_DATABASE_URL" if "MAMI_DATABASE_URL" in os.environ else "a file in MAMI_HOME",
    "search by meaning": loaders.meaning_method(),
    "torch": version("torch"),
    "streamlit": version("streamlit"),
    "Python": platform.python_version(),
}
st.subheader("This machine", anchor=False)
st.dataframe(pd.DataFrame({"": rows.keys(), "value": rows.values()}), hide_index=True)
st.subheader("Dissections", anchor=False)
found = loaders.found_dissections()
st.dataframe(
    pd.DataFrame(
        [{"name": entry.id, "folder": str(entry.path)} for entry in found.values()], columns=["name", "folder"]
    ),
    hide_index=True,
)
