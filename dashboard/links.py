"""The pages, and links between them that carry the dissection, the unit and the filter in the address."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import loaders
from dashboard.plain import plain

_VIEWS = {
    "overview": ("Overview", ":material/dashboard:"),
    "neurons": ("Neurons", ":material/view_list:"),
    "neuron": ("Neuron", ":material/center_focus_strong:"),
    "visualise": ("Feature visualisation", ":material/brush:"),
    "maps": ("Maps", ":material/scatter_plot:"),
    "compare": ("Compare", ":material/compare:"),
    "intervene": ("Intervene", ":material/content_cut:"),
    "search": ("Search an image", ":material/image_search:"),
    "evaluate": ("Evaluate", ":material/leaderboard:"),
    "review": ("Review", ":material/rate_review:"),
    "jobs": ("Jobs", ":material/play_circle:"),
    "settings": ("Settings", ":material/settings:"),
    "export": ("Export and import", ":material/download:"),
}
SECTIONS = {
    "Explore": ("overview", "neurons", "neuron", "visualise", "maps", "search", "compare", "intervene", "evaluate"),
    "Work": ("review", "export", "jobs", "settings"),
}
UNIT = ("layer", "unit")
FILTER = ("text", "layer", "state", "split", "label", "sort", "least", "most", "in")
SPEAKS_OF: dict[str, tuple[str, ...]] = {  # by page, what its address names beside the dissection
    **dict.fromkeys(_VIEWS, ()),
    "neurons": FILTER,
    "neuron": UNIT,
    "export": FILTER,
    "search": ("image",),
    "maps": ("by", "method", "layer", "unit", "word"),
    "compare": ("what",),
    "intervene": ("what", "concept"),
    "visualise": ("what", *UNIT),
    "evaluate": ("show", "on", "set", "table", "part", "refs", "measure", "order", "row", "figure", "word"),
}


def page_of(name: str) -> Any:
    """Return a page for `st.navigation` and for links: a new object each time, because Streamlit notes on it who may
    run it, and people who share one take that from each other."""
    title, icon = _VIEWS[name]
    return st.Page(f"views/{name}.py", title=title, icon=icon, url_path=name, default=name == "overview")


def pages() -> list[Any]:
    """Return every page."""
    return [page_of(name) for name in _VIEWS]


def menu(page: str) -> None:
    """Draw the side bar: the brand, the pages, the dissections. `page` is where we are."""
    _remember(page)
    with st.sidebar:
        st.markdown("**MAMI** :gray[· what neurons respond to]")
        for section, names in SECTIONS.items():
            st.caption(section)
            for name in names:
                st.page_link(page_of(name), query_params=address_of(name))
        _choose_dissection()


def _remember(page: str) -> None:
    """Keep what this page's address names, so that leaving the page and coming back finds it again."""
    named = {name: st.query_params[name] for name in SPEAKS_OF[page] if name in st.query_params}
    if named or page != "neuron":
        st.session_state[f"address {SPEAKS_OF[page]}"] = named


def address_of(page: str) -> dict[str, str]:
    """Return the parameters that lead to a page as it was last seen."""
    chosen = {"d": st.query_params["d"]} if "d" in st.query_params else {}
    return {**chosen, **st.session_state.get(f"address {SPEAKS_OF[page]}", {})}


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
    for names in SPEAKS_OF.values():
        st.session_state.pop(f"address {names}", None)  # another dissection has other layers
    st.query_params.from_dict({"d": st.session_state["chosen dissection"]})


def here() -> loaders.Found | None:
    """Return the dissection the address names, else the first; None where there is none at all."""
    found = loaders.found_dissections()
    if not found:
        return None
    named = st.query_params.get("d")
    if named is not None and named not in found:
        st.warning(plain(f"There is no dissection {named!r} here; this is {next(iter(found))!r}."))
    return found.get(named or "", next(iter(found.values())))
