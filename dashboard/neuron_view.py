"""The neuron view as a page uses it: what is sent to the browser, and following where it goes."""

from __future__ import annotations

import base64
import json
import secrets
from typing import Any

import streamlit as st

from dashboard import loaders
from dashboard.components import NEURON
from dashboard.controls import ranges
from dashboard.routes import are_served, unit_address

state = st.session_state
KEY = "neuron view"


def neuron_view(found: loaders.Found, layer: str, unit: int, *, blind: bool = False) -> None:
    """Draw one unit; `blind` shows its exemplars alone, and stays on it."""
    state.setdefault("session", secrets.token_hex(8))
    key = f"{KEY}, blind" if blind else KEY
    units = [unit] if blind else loaders.layer_units(found)[layer]
    NEURON(
        key=key,
        data={
            "base": unit_address(found) if are_served() else None,
            "dissection": found.id,
            "layer": layer,
            "unit": unit,
            "units": ranges(units),
            "blind": blind,
            "session": state["session"],
            "ack": 0 if blind else state.get("acknowledged", 0),
            "inline": _carried(found, layer, unit),
        },
        on_moved_change=lambda: None if blind else moved(found),
    )


def moved(found: loaders.Found) -> None:
    """Follow the view, which has moved already: put the unit into the address, acknowledge the step."""
    layer, unit, step = state[KEY]["moved"]
    if unit in loaders.layer_units(found).get(layer, []):
        state["acknowledged"] = step
        st.query_params.update(d=found.id, layer=layer, unit=str(unit))


def _carried(found: loaders.Found, layer: str, unit: int) -> dict[str, Any] | None:
    """Return the unit itself, to be sent along where our addresses are not served."""
    if are_served():
        return None
    sprite = base64.b64encode(loaders.unit_sprite(found, layer, unit, "jpg")).decode()
    record = json.loads(loaders.unit_json(found, layer, unit))
    return {"record": record, "sprite": f"data:image/jpeg;base64,{sprite}" if sprite else None}
