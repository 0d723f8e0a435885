"""Settings: who reviews, where things are kept, what computes."""

from __future__ import annotations

import platform
from importlib.metadata import version

import pandas as pd
import streamlit as st

from dashboard import loaders
from dashboard.labelling import reviewer
from mami_core.device import choose_device
from mami_core.store import home

st.title("Settings")
state = st.session_state
named = st.text_input("Reviewer", reviewer(), help="Your labels carry this name. MAMI_REVIEWER sets it for good.")
if named.strip():
    state["reviewer"] = named.strip()
rows = {
    "MAMI_HOME": str(home()),
    "device": str(choose_device("auto")),
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
