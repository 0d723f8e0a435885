"""Neuron: what excites one unit, what each captioner says of it, and where each head looked."""

from __future__ import annotations

import base64
import json
import secrets
from typing import Any

import streamlit as st

from dashboard import loaders
from dashboard.components import NEURON
from dashboard.controls import open_dissection, ranges, unit_in_address
from dashboard.labelling import label_form
from dashboard.routes import are_served, unit_address

state = st.session_state


def moved() -> None:
    """Follow the view, which has moved already: put the unit into the address, acknowledge the step."""
    layer, unit, step = state["neuron view"]["moved"]
    if unit in loaders.layer_units(found).get(layer, []):
        state["acknowledged"] = step
        st.query_params.update(d=found.id, layer=layer, unit=str(unit))


def carried() -> dict[str, Any] | None:
    """Return the unit itself, to be sent along where our addresses are not served."""
    if are_served():
        return None
    sprite = base64.b64encode(loaders.unit_sprite(found, layer, unit, "jpg")).decode()
    record = json.loads(loaders.unit_json(found, layer, unit))
    return {"record": record, "sprite": f"data:image/jpeg;base64,{sprite}" if sprite else None}


found, dissection = open_dissection()
layer, unit = unit_in_address(found)
state.setdefault("session", secrets.token_hex(8))
NEURON(
    key="neuron view",
    data={
        "base": unit_address(found) if are_served() else None,
        "dissection": found.id,
        "layer": layer,
        "unit": unit,
        "units": ranges(loaders.layer_units(found)[layer]),
        "session": state["session"],
        "ack": state.get("acknowledged", 0),
        "inline": carried(),
    },
    on_moved_change=moved,
)
label_form(found, layer, unit)
