"""Neuron: what excites one unit, what each captioner says of it, and where each head looked."""

from __future__ import annotations

import streamlit as st

from dashboard.controls import open_dissection, unit_in_address
from dashboard.examined import examined
from dashboard.labelling import label_form
from dashboard.links import page_of
from dashboard.neuron_view import neuron_view

found, _ = open_dissection()
layer, unit = unit_in_address(found)
neuron_view(found, layer, unit)
place = {"d": found.id, "layer": layer, "unit": str(unit)}
with st.container(horizontal=True):
    st.page_link(page_of("maps"), label="Show on the map", icon=":material/scatter_plot:", query_params=place)
    why = {**place, "what": "Attribution"}
    st.page_link(page_of("visualise"), label="What it answers to", icon=":material/brush:", query_params=why)
examined(found, layer, unit)
label_form(found, layer, unit)
