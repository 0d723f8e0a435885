"""The pages, and links between them that carry the dissection, the unit and the filter in the address."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import loaders

_VIEWS = {
    "overview": ("Overview", ":material/dashboard:"),
    "neurons": ("Neurons", ":material/view_list:"),
    "neuron": ("Neuron", ":material/center_focus_strong:"),
    "export": ("Export", ":material/download:"),
}
SECTIONS = {"Explore": ("overview", "neurons", "neuron"), "Work": ("export",)}
PAGES: dict[str, Any] = {
    name: st.Page(f"views/{name}.py", title=title, icon=icon, url_path=name, default=name == "overview")
    for name, (title, icon) in _VIEWS.items()
}
KEPT = ("d", "layer", "unit", "text", "state", "label", "sort", "in")


def place(**changes: str | int | None) -> dict[str, str]:
    """Return the address's parameters with some changed; None takes one out."""
    present = {name: st.query_params[name] for name in KEPT if name in st.query_params}
    wanted = {**present, **changes}
    return {name: str(value) for name, value in wanted.items() if value is not None and value != ""}


def menu() -> None:
    """Draw the side bar: the brand, the pages, the dissections."""
    with st.sidebar:
        st.markdown("**MAMI** :gray[· what neurons respond to]")
        for section, names in SECTIONS.items():
            st.caption(section)
            for name in names:
                st.page_link(PAGES[name], query_params=place())
        _choose_dissection()


def _choose_dissection() -> None:
    found = list(loaders.found_dissections())
    if not found:
        return
    chosen = st.query_params.get("d", found[0])
    st.session_state["chosen dissection"] = chosen if chosen in found else found[0]
    st.caption("Dissection")
    st.selectbox(
        "Dissection", found, key="chosen dissection", on_change=_go_to_dissection, label_visibility="collapsed"
    )


def _go_to_dissection() -> None:
    for name in ("layer", "unit"):
        st.query_params.pop(name, None)
    st.query_params["d"] = st.session_state["chosen dissection"]


def here() -> loaders.Found | None:
    """Return the dissection the address names, else the first; None where there is none at all."""
    found = loaders.found_dissections()
    if not found:
        return None
    named = st.query_params.get("d")
    if named is not None and named not in found:
        st.warning(f"There is no dissection {named!r} here; this is {next(iter(found))!r}.")
    return found.get(named or "", next(iter(found.values())))
