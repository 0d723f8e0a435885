"""Neurons: every unit with its captions; filter, sort, and open one."""

from __future__ import annotations

import json
import secrets
from typing import Any

import streamlit as st

from dashboard import loaders
from dashboard.components import UNITS
from dashboard.controls import filter_in_address, open_dissection
from dashboard.routes import are_served, unit_address
from mami_core.probing.filtering import UnitFilter

state = st.session_state
CARRIED = 500  # rows sent along where our addresses are not served


def changed() -> None:
    """Put the list's filter into the address; the list shows it already."""
    wanted = dict(state["unit list"]["changed"])
    state["filter acknowledged"] = wanted.pop("seq")
    try:
        kept = UnitFilter.from_mapping(wanted).to_mapping()
    except ValueError:
        return  # the list says what is wrong with it
    shown = {"in": "grid"} if wanted.get("in") == "grid" else {}
    st.query_params.from_dict({"d": found.id, **kept, **shown})


def layers() -> list[list[Any]]:
    """Return each layer with how many units it has, and how many are alive."""
    counts = loaders.table(found).groupby("layer", sort=False)["state"]
    alive = counts.apply(lambda states: int((states == "alive").sum()))
    return [[layer, int(size), int(alive[layer])] for layer, size in counts.size().items()]


found, dissection = open_dissection()
st.title("Neurons")
choice = filter_in_address(found)
state.setdefault("session", secrets.token_hex(8))
inline = None if are_served() else json.loads(loaders.units_json(found, choice, 0, CARRIED))
UNITS(
    key="unit list",
    data={
        "base": unit_address(found) if are_served() else None,
        "dissection": found.id,
        "filter": {**choice.to_mapping(), "in": st.query_params.get("in", "list")},
        "layers": layers(),
        "sorts": loaders.sorts(found),
        "splits": list(dissection.splits),
        "session": state["session"],
        "ack": state.get("filter acknowledged", 0),
        "inline": inline,
    },
    on_changed_change=changed,
)
