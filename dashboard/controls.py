"""What pages ask of the user and of the address: a dissection that opens, a unit that exists."""

from __future__ import annotations

import streamlit as st

from dashboard import loaders
from dashboard.links import PAGES, here
from mami_core.probing.filtering import UnitFilter
from mami_core.store import Dissection, UnitKey

HOW_TO_START = """Nothing is dissected yet. Make the demo, or dissect a network of your own:

```
mami demo OUT
mami dissect torchvision:resnet18 FOLDER --layers layer4 --out OUT
mami dashboard OUT
```"""


def open_dissection() -> tuple[loaders.Found, Dissection]:
    """Return the dissection the address names, opened; says what is missing or wrong, and ends the page, otherwise."""
    found = here()
    if found is None:
        st.info(HOW_TO_START)
        st.stop()
    try:
        dissection = loaders.opened(found)
        loaders.layer_units(found)  # a broken table is found here, not halfway down the page
    except (ValueError, OSError) as problem:
        st.error(str(problem))
        st.stop()
    return found, dissection


def unit_in_address(found: loaders.Found) -> UnitKey:
    """Return (layer, unit) as the address names it, else the first; says so, and ends the page, for a wrong one."""
    order = {layer: units for layer, units in loaders.layer_units(found).items() if units}
    if not order:
        st.info("This dissection has no units yet: the dissection was interrupted. Run `mami dissect` again to go on.")
        st.stop()
    layer = st.query_params.get("layer", next(iter(order)))
    if layer not in order:
        st.error(f"No layer {layer!r} was dissected here; there are {', '.join(order)}.")
        st.stop()
    unit = st.query_params.get("unit", str(order[layer][0]))
    if not unit.isdecimal() or int(unit) not in order[layer]:
        st.error(f"No unit {unit!r} was dissected in {layer}; it has {order[layer][0]} to {order[layer][-1]}.")
        st.stop()
    return layer, int(unit)


def ranges(numbers: list[int]) -> str:
    """Return numbers in order as ranges where they follow each other: 0, 1, 2, 7 is `0-2,7`."""
    pieces: list[list[int]] = []
    for entry in numbers:
        if pieces and entry == pieces[-1][-1] + 1:
            pieces[-1][1:] = [entry]
        else:
            pieces.append([entry])
    return ",".join("-".join(map(str, piece)) for piece in pieces)


def unit_list(found: loaders.Found, keys: list[UnitKey], notes: dict[UnitKey, str] | None = None) -> None:
    """Draw units as links, each with what its captioners say."""
    for layer, unit in keys:
        said = loaders.spoken(found, layer, unit).values()
        note = (notes or {}).get((layer, unit))
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            address = {"d": found.id, "layer": layer, "unit": str(unit)}
            st.page_link(PAGES["neuron"], label=f"{layer} · {unit}", icon=None, width=150, query_params=address)
            st.text(" / ".join([*said, *([note] if note else [])]) or "no caption", width="stretch")


def filter_in_address(found: loaders.Found) -> UnitFilter:
    """Return the filter the address names; a wrong one is said and left out."""
    try:
        choice = UnitFilter.from_mapping(dict(st.query_params))
        if choice.sort not in loaders.sorts(found):
            raise ValueError(
                f"{found.id} cannot be sorted by {choice.sort!r}; it has {', '.join(loaders.sorts(found))}"
            )
    except ValueError as problem:
        st.warning(str(problem))
        return UnitFilter()
    return choice
