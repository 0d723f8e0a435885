"""Export: the labelled neurons of the present filter, or all of them, as one file."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from dashboard import loaders
from dashboard.controls import filter_in_address, open_dissection
from dashboard.links import PAGES
from mami_core.config import Exported
from mami_core.exports import export_bytes
from mami_core.probing.filtering import SORTS, UnitFilter

FORMS: dict[str, tuple[Exported, str, str]] = {
    "CSV": ("csv", "csv", "text/csv"),
    "JSON": ("json", "json", "application/json"),
    "Parquet": ("parquet", "parquet", "application/vnd.apache.parquet"),
    "MILAN (layer, unit, description)": ("milan", "csv", "text/csv"),
    "CLIP-Dissect (with similarity)": ("clip-dissect", "csv", "text/csv"),
}
PREVIEWED = 20


def said(choice: UnitFilter) -> str:
    """Return a filter in words."""
    parts = {"captions with": choice.text, "layer": choice.layer, "state": choice.state, "": choice.label}
    words = [f"{name} {value}".strip() for name, value in parts.items() if value]
    return ", ".join(words) or "every unit"


found, dissection = open_dissection()
st.title("Export")
choice = filter_in_address()
kept = loaders.keys(found, choice)
total = len(loaders.table(found))
scope = st.radio(
    "Units",
    ["filter", "all"],
    format_func={
        "filter": f"the present filter: {said(choice)} ({len(kept):,} units, by {SORTS[choice.sort]})",
        "all": f"all {total:,} units",
    }.__getitem__,
    key="export scope",
)
form = st.selectbox("Form", list(FORMS), key="export form")
kind, ending, mime = FORMS[form]
captioner = None
if kind in ("milan", "clip-dissect"):
    if not dissection.captioners:
        st.info("This form holds captions, and nothing is captioned yet: `mami caption`.")
        st.stop()
    captioner = st.selectbox("Captioner", dissection.captioners, key="export captioner")
wanted = kept if scope == "filter" else None


def content() -> bytes:
    """Return the file; made only when it is asked for."""
    return export_bytes(dissection, kind, captioner=captioner, keys=wanted, labels=loaders.label_frame(found))


st.download_button(
    "Download",
    data=content,
    file_name=f"{dissection.name}-{datetime.now(UTC):%Y%m%d}.{ending}",
    mime=mime,
    on_click="ignore",
    disabled=scope == "filter" and not kept,
    type="primary",
)
st.page_link(PAGES["neurons"], label="Change the filter", query_params=st.query_params.to_dict())
if kept or scope == "all":
    st.caption(f"The first {PREVIEWED} rows")
    st.dataframe(loaders.export_preview(found, tuple(kept[:PREVIEWED]) if scope == "filter" else None), hide_index=True)
else:
    st.info("No unit passes this filter.")
