"""Export: the labelled neurons of the present filter, or all of them, as one file."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import streamlit as st

from dashboard import loaders
from dashboard.controls import filter_in_address, open_dissection
from dashboard.links import page_of
from dashboard.login import logged_in_as
from dashboard.plain import plain
from mami_core.config import Exported
from mami_core.exports import export_bytes
from mami_core.interop.label_import import LabelImport, preview_labels
from mami_core.probing.filtering import UnitFilter
from mami_core.store import UnitKey
from mami_core.store.labels import LabelConflict
from mami_core.store.layout import imported_file

FORMS: dict[str, tuple[Exported, str, str]] = {
    "CSV": ("csv", "csv", "text/csv"),
    "JSON": ("json", "json", "application/json"),
    "Parquet": ("parquet", "parquet", "application/vnd.apache.parquet"),
    "MILAN (layer, unit, description)": ("milan", "csv", "text/csv"),
    "CLIP-Dissect (with similarity)": ("clip-dissect", "csv", "text/csv"),
    "As imported": ("imported", "csv", "text/csv"),
    "HTML report, with pictures": ("html", "html", "text/html"),
    "Dataset card": ("card", "md", "text/markdown"),
}
PREVIEWED = 20


def said(choice: UnitFilter) -> str:
    """Return a filter in words."""
    parts = {
        "captions with": choice.text,
        "layer": choice.layer,
        "state": choice.state,
        "split": choice.split,
        "label": choice.label,
        "at least": choice.least,
        "at most": choice.most,
    }
    words = [f"{name} {value}" for name, value in parts.items() if value not in ("", None)]
    return ", ".join(words) or "every unit"


def is_imported(name: str) -> bool:
    """Tell whether a captioner's captions came from a file."""
    return imported_file(name) in dissection.manifest.files


def take_in() -> None:
    """Draw the way back in: an edited full CSV, what it would change, and whether to do it."""
    st.subheader("Import labels", anchor=False)
    file = st.file_uploader("The full CSV, with labels edited", type=["csv"], max_upload_size=64)
    if file is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "labels.csv"
        path.write_bytes(file.getvalue())
        try:
            preview = preview_labels(path, dissection, loaders.label_frame(found), only=logged_in_as())
        except ValueError as problem:
            st.error(plain(str(problem).replace(folder + "/", "")))
            return
        _previewed(preview, folder)


def _previewed(preview: LabelImport, folder: str) -> None:
    problems = [{"line": entry.line, "problem": entry.message.replace(folder + "/", "")} for entry in preview.problems]
    changes = [
        {"line": entry.line, "layer": entry.label.layer, "unit": entry.label.unit, "reviewer": entry.label.reviewer,
         "now": entry.before, "new": entry.label.text}
        for entry in preview.changes
    ]  # fmt: skip
    st.markdown(f"{len(changes)} changes, {preview.unchanged} unchanged, {len(problems)} problems")
    if problems:
        st.dataframe(pd.DataFrame(problems), hide_index=True)
    if changes:
        st.dataframe(pd.DataFrame(changes), hide_index=True)
    if changes and st.button("Apply all changes", disabled=bool(problems)):
        try:
            st.success(f"{preview.apply(loaders.label_store())} labels saved")
        except LabelConflict as conflict:
            st.error(plain(conflict))


found, dissection = open_dissection()
st.title("Export and import")
choice = filter_in_address(found)
kept = loaders.keys(found, choice)
total = len(loaders.table(found))
order = loaders.sorts(found)[choice.sort]
scope = st.radio(
    "Units",
    ["filter", "all"],
    format_func={
        "filter": f"the present filter: {said(choice)} ({len(kept):,} units, by {order})",
        "all": f"all {total:,} units",
    }.__getitem__,
    key="export scope",
)
form = st.selectbox("Form", list(FORMS), key="export form")
kind, ending, mime = FORMS[form]
captioner = None
if kind in ("milan", "clip-dissect", "imported"):
    speakers = [name for name in dissection.captioners if kind != "imported" or is_imported(name)]
    if not speakers:
        lacking, verb = ("imported", "import") if kind == "imported" else ("captioned", "caption")
        st.info(f"This form holds captions, and nothing is {lacking} yet: `mami {verb}`.")
        st.stop()
    captioner = st.selectbox("Captioner", speakers, key="export captioner")
wanted = kept if scope == "filter" and kind != "imported" else None  # an imported file is given whole, as it was


def content(keys: Sequence[UnitKey] | None = wanted) -> bytes:
    """Return the file; made only when it is asked for."""
    return export_bytes(dissection, kind, captioner=captioner, keys=keys, labels=loaders.label_frame(found))


def preview() -> None:
    """Draw how the file begins."""
    first = tuple(kept[:PREVIEWED]) if scope == "filter" else tuple(dissection.unit_keys()[:PREVIEWED])
    st.caption(f"The first {PREVIEWED} rows")
    if captioner is not None:
        st.code(content(first).decode(), language=None)
        return
    st.dataframe(loaders.export_preview(found, first), hide_index=True)


st.download_button(
    "Download",
    data=content,
    file_name=f"{dissection.name}-{datetime.now(UTC):%Y%m%d}.{ending}",
    mime=mime,
    on_click="ignore",
    disabled=scope == "filter" and not kept,
)
st.page_link(page_of("neurons"), label="Change the filter", query_params=st.query_params.to_dict())
if kept or scope == "all":
    preview()
else:
    st.info("No unit passes this filter.")
take_in()
