"""What pages ask of the user and of the address: a dissection that opens, a unit that exists."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from dashboard import loaders
from dashboard.components import ROWS
from dashboard.links import here
from dashboard.plain import plain
from dashboard.routes import are_served, unit_address
from mami_core.probing.filtering import UnitFilter
from mami_core.probing.payload import number
from mami_core.store import Dissection, UnitKey

HOW_TO_START = """Nothing is dissected yet. Make the demo, or dissect a network of your own:

```
mami demo OUT
mami dissect torchvision:resnet18 FOLDER --layers layer4 --out OUT
mami dashboard OUT
```"""


def chosen_view(label: str, views: Mapping[str, Callable[[], None]], *, key: str = "what") -> str:
    """Ask which part of a page to show, the first where none is chosen; the address keeps it under `key`."""
    names = list(views)
    chosen = st.segmented_control(
        label, names, default=names[0], label_visibility="collapsed", key=key, bind="query-params"
    )
    return chosen or names[0]


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
        st.error(plain(problem))
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
        st.error(plain(f"No layer {layer!r} was dissected here; there are {', '.join(order)}."))
        st.stop()
    unit = st.query_params.get("unit", str(order[layer][0]))
    if unit not in {str(number) for number in order[layer]}:
        st.error(plain(f"No unit {unit!r} was dissected in {layer}; it has {order[layer][0]} to {order[layer][-1]}."))
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


def unit_list(found: loaders.Found, key: str, listed: Mapping[UnitKey, float | None], figure: str = "") -> None:
    """Draw units as links with their first exemplars, what each captioner says, and a figure named `figure`."""
    captioners = loaders.opened(found).captioners
    rows = []
    for (layer, unit), value in listed.items():
        said = loaders.spoken(found, layer, unit)
        texts = [said.get(name, "no caption") for name in captioners]
        rows.append([unit_cell(found, layer, unit), *texts, *([rounded(value)] if figure else [])])
    ROWS(key=key, data={"columns": ["unit", *captioners, *([figure] if figure else [])], "rows": rows})


def rounded(value: float | None) -> float | None:
    """Return a figure with three digits; None for one that was not computed."""
    known = number(value)
    return None if known is None else float(f"{known:.3g}")


def small(text: str) -> None:
    """Draw a remark with commands in it: in a caption of Streamlit's they would be too pale to read."""
    st.markdown(f":small[{text}]")


def unit_cell(found: loaders.Found, layer: str, unit: int) -> dict[str, Any]:
    """Return a unit as a cell of the table component."""
    base = unit_address(found) if are_served() else None
    return {"dissection": found.id, "base": base, "layer": layer, "unit": unit}


def filter_in_address(found: loaders.Found) -> UnitFilter:
    """Return the filter the address names; a wrong one is said and left out."""
    try:
        choice = UnitFilter.from_mapping(dict(st.query_params))
        if choice.sort not in loaders.sorts(found):
            raise ValueError(
                f"{found.id} cannot be sorted by {choice.sort!r}; it has {', '.join(loaders.sorts(found))}"
            )
    except ValueError as problem:
        st.warning(plain(problem))
        return UnitFilter()
    return choice
