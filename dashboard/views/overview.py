"""Overview: every dissection there is, what was dissected with what, and how far it is."""

from __future__ import annotations

import streamlit as st

from dashboard import loaders, probes
from dashboard.controls import HOW_TO_START, unit_list
from dashboard.links import page_of
from dashboard.tables import captioner_table, layer_table, settings_text
from mami_core.pipeline.upkeep.inspect import summarise
from mami_core.store import Dissection

SIMULATED = (
    "**Simulated.** Images, network and annotators come from the painted world: pictures drawn by rule, descriptions "
    "written from their true content. Nothing here is a finding about real networks."
)


def card(found: loaders.Found) -> None:
    """Draw one dissection; a broken one is named with what is wrong, and the others are still shown."""
    with st.container(border=True):
        try:
            dissection = loaders.opened(found)
            summary = summarise(dissection)
        except (ValueError, OSError) as problem:
            st.subheader(found.id)
            st.error(str(problem))
            return
        badge = " :gray-badge[simulated]" if summary["simulated"] else ""
        full = f" :gray[{summary['name']}]" if summary["name"] != found.id else ""
        st.subheader(f"{found.id}{full}{badge}", anchor=False)
        figures(summary)
        if summary["simulated"]:
            st.caption(SIMULATED)
        details(dissection, summary)
        worth_a_look(found, dissection)
        with st.container(horizontal=True):
            st.page_link(page_of("neurons"), label="Browse the units", icon=None, query_params={"d": found.id})
            st.page_link(page_of("neuron"), label="First unit", icon=None, query_params={"d": found.id})


def figures(summary: dict) -> None:
    """Draw the numbers of a dissection."""
    alive = sum(layer["alive"] for layer in summary["layers"])
    dead = sum(layer["dead"] for layer in summary["layers"])
    shown = {
        "layers": len(summary["layers"]),
        "units": summary["units"],
        "alive": alive,
        "dead": dead,
        "images": summary["images"],
        "captioners": len(summary["captioners"]),
    }
    with st.container(horizontal=True, gap="large"):
        for name, value in shown.items():
            st.metric(name, f"{value:,}", width="content")


def details(dissection: Dissection, summary: dict) -> None:
    """Draw what was dissected with what, layer by layer and captioner by captioner."""
    st.markdown(settings_text(dissection))
    left, right = st.columns([1, 1.4], gap="medium")
    left.dataframe(layer_table(summary), hide_index=True, width="stretch", height="content")
    captioners = captioner_table(dissection)
    if captioners.empty:
        right.info("Not captioned yet: `mami caption`.")
    else:
        right.dataframe(captioners, hide_index=True, width="stretch", height="content")


LOOKED_AT = 8192  # units; finding the striking ones of more takes seconds, so it is asked for


def worth_a_look(found: loaders.Found, dissection: Dissection) -> None:
    """Draw the units that stand out."""
    with st.expander("Worth a look", expanded=len(dissection.units) <= LOOKED_AT):
        if len(dissection.units) > LOOKED_AT and not st.toggle("Search all units", key=f"look {found.id}"):
            return
        noted = probes.striking(found)
        lists = {
            "Captioners disagree most": (noted.disagreement, "1 − word F1"),
            "Most selective": (noted.selective, "share of activation in the top 1 % of images"),
            f"Least explained by {noted.explained_by}": (noted.least_explained, "PMI"),
            f"Silent ({noted.dead_count})": (noted.dead, ""),
        }
        for title, (units, figure) in lists.items():
            if units:
                st.markdown(f"**{title}**")
                listed = {(entry.layer, entry.unit): entry.value for entry in units}
                unit_list(found, f"{title} {found.id}", listed, figure)


if "unit" in st.query_params:  # a bare link to a unit leads to it
    st.switch_page(page_of("neuron"), query_params=st.query_params.to_dict())
st.title("Overview")
everything = loaders.found_dissections()
if not everything:
    st.info(HOW_TO_START)
for entry in everything.values():
    card(entry)
