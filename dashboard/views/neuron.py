"""Neuron: what excites one unit, what each captioner says of it, and where each head looked."""

from __future__ import annotations

from dashboard.controls import open_dissection, unit_in_address
from dashboard.labelling import label_form
from dashboard.neuron_view import neuron_view

found, _ = open_dissection()
layer, unit = unit_in_address(found)
neuron_view(found, layer, unit)
label_form(found, layer, unit)
