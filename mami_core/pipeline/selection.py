"""Choose units by layer and number, refusing what is not there."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from mami_core.store import Dissection, UnitKey


def chosen_keys(dissection: Dissection, layers: Sequence[str], units: frozenset[int] | None) -> list[UnitKey]:
    """Return the units of `layers` (none: all) whose number is in `units` (None: all), in the dissection's order.

    ValueError for a layer that was not dissected, with near matches, and for numbers that no chosen layer has.
    """
    for layer in layers:
        if layer not in dissection.layers:
            near = ", ".join(difflib.get_close_matches(layer, dissection.layers)) or ", ".join(dissection.layers)
            raise ValueError(f"{dissection.name} has no layer {layer!r}; try {near}")
    keys = [key for key in dissection.unit_keys() if not layers or key[0] in layers]
    if units is None:
        return keys
    missing = units - {unit for _, unit in keys}
    if missing:
        raise ValueError(f"{dissection.name} has no unit {min(missing)} in {', '.join(layers or dissection.layers)}")
    return [key for key in keys if key[1] in units]
