"""Compare: captioner against captioner, head against head, one dissection against another."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import loaders, probes
from dashboard.charts import agreement_chart
from dashboard.controls import open_dissection, unit_list
from dashboard.links import PAGES
from mami_core.probing.filtering import UnitFilter
from mami_core.store import Dissection

SHOWN = 12
ALL = "all layers"


def captioners() -> None:
    """Draw how much captioners agree, and the units on which they agree least."""
    if len(dissection.captioners) < 2:
        st.info("Two captioners are needed to compare them: `mami caption D --captioner A B`.")
        return
    layer = st.selectbox("Layer", [ALL, *dissection.layers], key="compared layer")
    chosen = None if layer == ALL else layer
    st.plotly_chart(agreement_chart(probes.agreement(found, None, chosen)), width="content", key="captioners chart")
    st.caption("Mean F1 of the words of two captions of the same unit. Agreement is not correctness.")
    choice = UnitFilter(layer=chosen or "", state="alive", sort="disagreement")
    st.subheader("They agree least on", anchor=False)
    unit_list(found, loaders.keys(found, choice)[:SHOWN])
    st.page_link(
        PAGES["neurons"], label="All, most disagreement first", query_params={"d": found.id, **choice.to_mapping()}
    )


def heads() -> None:
    """Draw which head each word comes from, and how much heads agree when each speaks alone."""
    several = [name for name in dissection.captioners if len(probes.agreement(found, name, None).mean) > 1]
    if not several:
        st.info("No captioner here has more than one attention head.")
        return
    left, right = st.columns(2)
    name = left.selectbox("Captioner", several, key="compared captioner")
    layer = right.selectbox("Layer", [ALL, *dissection.layers], key="compared head layer")
    chosen = None if layer == ALL else layer
    st.plotly_chart(agreement_chart(probes.agreement(found, name, chosen)), width="content", key="heads chart")
    st.caption("Mean F1 of what two heads say of a unit when each is left alone.")
    st.subheader("Words and heads", anchor=False)
    bar = st.column_config.ProgressColumn
    st.dataframe(
        probes.head_words(found, name, chosen),
        hide_index=True,
        column_config={
            "count": st.column_config.NumberColumn("said"),
            "share": bar("mean share", min_value=0, max_value=1, format="%.2f"),
            "mask_overlap": bar("on mask", min_value=0, max_value=1, format="%.2f"),
            "wins": bar("largest share", min_value=0, max_value=1, format="%.2f"),
        },
    )
    st.caption("Share: this head's part of what entered the decoder. It is not proof of cause.")


def dissections() -> None:
    """Draw units of two dissections of the same images, matched by their peaks."""
    others = {name: entry for name, entry in loaders.found_dissections().items() if name != found.id}
    if not others:
        st.info("Another dissection of the same images is needed: another network, or another checkpoint.")
        return
    columns = st.columns(3)
    other = others[columns[0].selectbox("With", list(others), key="other dissection")]
    try:
        second = loaders.opened(other)
        _matches(other, second, columns)
    except (ValueError, OSError, KeyError) as problem:
        st.error(str(problem.args[0] if problem.args else problem))


def _matches(other: loaders.Found, second: Dissection, columns: Sequence[DeltaGenerator]) -> None:
    layer = columns[1].selectbox("Layer here", dissection.layers, key="layer here")
    other_layer = columns[2].selectbox("Layer there", second.layers, key="layer there")
    shared = [name for name in dissection.captioners if name in second.captioners]
    if not shared:
        st.info("No captioner captioned both.")
        return
    captioner = st.selectbox("Captioner", shared, key="captioner of both")
    table = probes.matched(found, other, layer, other_layer, captioner)
    st.caption("Units matched one to one by Pearson's r of their peaks; most different captions first.")
    st.dataframe(table, hide_index=True)


found, dissection = open_dissection()
st.title("Compare")
VIEWS = {"Captioners": captioners, "Heads": heads, "Dissections": dissections}
what = st.segmented_control("What", list(VIEWS), default="Captioners", label_visibility="collapsed", key="compared")
VIEWS[what or "Captioners"]()
