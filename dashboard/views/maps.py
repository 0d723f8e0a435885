"""Maps: where units, and a captioner's words, lie; what is near, exactly; which to take along as a list."""

from __future__ import annotations

import json
import secrets
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from dashboard import loaders, spaces
from dashboard.components import SPACES
from dashboard.controls import open_dissection
from dashboard.plain import plain
from dashboard.routes import are_served, unit_address
from mami_core.probing.spaces.words import PREFIX

state = st.session_state
METHODS = {"PCA": "pca", "t-SNE": "tsne"}


def picked() -> None:
    """Put the point that was clicked into the address; the map shows it already."""
    named, step = state["map"]["picked"]
    state["map acknowledged"] = step
    for name in ("layer", "unit", "word"):
        st.query_params.pop(name, None)
    st.query_params.update({"d": found.id, **{key: str(value) for key, value in (named or {}).items()}})


def focus(by: str) -> dict[str, Any] | None:
    """Return the point that the address names."""
    if by.startswith(PREFIX):
        return {"word": st.query_params["word"]} if "word" in st.query_params else None
    named = {name: st.query_params[name] for name in ("layer", "unit") if name in st.query_params}
    return named if len(named) == 2 else None


def start(by: str) -> None:
    """Start a t-SNE beside the dashboard."""
    line = ["map", str(found.path), "--by", by, "--method", "tsne"]
    model = loaders.preferences().sentence_model
    if model and by.startswith("caption"):
        line += ["--sentence-model", model]
    state[f"t-SNE {found.id} {by}"] = loaders.job_store().start(line).id


@st.fragment(run_every=1.0)
def waiting(by: str) -> None:
    """Offer to make the t-SNE, or show how far it is; the page is drawn again once it is there."""
    number = state.get(f"t-SNE {found.id} {by}")
    if spaces.is_made(found, by, "tsne"):
        st.rerun()
    if number is None:
        points = len(spaces.space(found, by))
        st.info(f"t-SNE of {points:,} points takes about {max(1, points // 350)} CPU-seconds, once; it is kept.")
        st.button("Make it", type="primary", on_click=start, args=(by,))
        return
    job = loaders.job_store().get(number)
    if job.state == "running":
        st.progress(job.progress or 0.0, plain(f"t-SNE is being made: {job.message}"))
    else:
        st.error(plain(f"Job {job.id} {job.state}: {job.message}; its output is on the Jobs page"))


def draw(by: str, method: str) -> None:
    """Draw the map."""
    base = unit_address(found) if are_served() else None
    address = f"{base}/-/{{}}.json?{urlencode({'by': by, 'method': method})}"
    SPACES(
        key="map",
        data={
            "base": base,
            "dissection": found.id,
            "source": address.format("map") if base else None,
            "neighbours": address.format("neighbours") if base else None,
            "inline": None if base else json.loads(spaces.map_json(found, by, method)),
            "focus": focus(by),
            "session": state["session"],
            "ack": state.get("map acknowledged", 0),
        },
        on_picked_change=picked,
    )


found, dissection = open_dissection()
state.setdefault("session", secrets.token_hex(8))
st.title("Maps")
known = spaces.spaces_of(found)
if not known:
    st.info("This dissection keeps no peaks, features or captions to lay units out by: run `mami caption` first.")
    st.stop()
left, right = st.columns([4, 1], vertical_alignment="bottom")
named = {text: by for by, text in known.items()}  # addresses hold the words that are shown
by = named[left.selectbox("By", list(named), key="by", bind="query-params", label_visibility="collapsed")]
chosen = right.segmented_control(
    "Method", list(METHODS), default="PCA", key="method", bind="query-params", label_visibility="collapsed"
)
method = METHODS[chosen or "PCA"]
try:
    if spaces.is_made(found, by, method):
        draw(by, method)
    else:
        waiting(by)
except (ValueError, OSError) as problem:
    st.error(plain(problem))
