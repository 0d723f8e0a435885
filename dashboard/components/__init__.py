"""Our components, made known to Streamlit once: the neuron view, lists and tables of units."""

from __future__ import annotations

import streamlit as st

from dashboard.routes import PREFIX, are_served
from dashboard.scripts import FOLDER, inline


def _mounted(name: str, root: str) -> st.components.v2.types.ComponentRenderer:
    return st.components.v2.component(
        f"mami_{name}",
        html=f'<div class="{root}"></div>\n<!-- inline markup: the line break keeps it from being read as a path -->',
        css=(FOLDER / f"{name}.css").read_text(encoding="utf-8"),
        js=inline(name, PREFIX if are_served() else None),
    )


NEURON = _mounted("viewer", "neuron")
UNITS = _mounted("units", "units")
FIRING = _mounted("firing", "firing")
ROWS = _mounted("rows", "rows")
BOARD = _mounted("board", "board")
PICKER = _mounted("picker", "picker")
SEEN = _mounted("seen", "seen")
SPACES = _mounted("spaces", "spaces")
