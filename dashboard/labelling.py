"""A reviewer's word on one unit. Two writers never overwrite each other: the second is told."""

from __future__ import annotations

import getpass

import streamlit as st

from dashboard import loaders
from mami_core.store.labels import Label, LabelConflict

state = st.session_state


def reviewer() -> str:
    """Return who labels in this session: the name given on the page, else the system's user."""
    if not state.get("reviewer"):
        try:
            state["reviewer"] = getpass.getuser()
        except (OSError, KeyError):  # a container without a user entry
            state["reviewer"] = "reviewer"
    return str(state["reviewer"])


def label_form(found: loaders.Found, layer: str, unit: int) -> None:
    """Draw the label of a unit: accept a captioner's caption, correct it, or take the label back."""
    dissection = loaders.opened(found)
    saved = loaders.label_store().get(dissection.name, layer, unit, reviewer())
    captions = {name: dissection.caption(name, layer, unit) for name in dissection.captioners}
    spoken = {name: caption.text for name, caption in captions.items() if caption and caption.state == "ok"}
    with st.container(border=True):
        st.markdown(f"**Label** :gray[· by {reviewer()}{f', version {saved.version}' if saved else ''}]")
        _notice()
        if spoken:
            with st.container(horizontal=True):
                for name, text in spoken.items():
                    wanted = Label(dissection.name, layer, unit, reviewer(), "accept", text, name, _version(saved))
                    st.button(f"Accept {name}", on_click=_save, args=(wanted,), help=text)
        _correction(dissection.name, layer, unit, saved)


def _correction(name: str, layer: str, unit: int, saved: Label | None) -> None:
    key = f"label {name}/{layer}/{unit}/{_version(saved)}"  # a new version brings a new field with its text
    with st.form(key, border=False):
        text = st.text_input("In your own words", value=saved.text if saved else "", key=f"text {key}")
        with st.container(horizontal=True):
            verdicts = {"Save": "edit", "Reject captions": "reject", "Unsure": "unsure"}
            pressed = [verdict for label, verdict in verdicts.items() if st.form_submit_button(label)]
            undo = saved is not None and st.form_submit_button("Take back")
    if undo and saved is not None:
        _withdraw(saved)
    elif pressed and (pressed[0] != "edit" or text.strip()):
        _save(Label(name, layer, unit, reviewer(), pressed[0], text.strip(), None, _version(saved)))  # type: ignore[arg-type]
        st.rerun()
    elif pressed:
        st.warning("Write what the unit responds to, then save.")


def _version(saved: Label | None) -> int:
    return saved.version if saved else 0


def _save(label: Label) -> None:
    try:
        done = loaders.label_store().save(label)
        state["label notice"] = ("saved", f"Saved: {done.text or done.verdict}")
    except LabelConflict as conflict:
        state["label notice"] = ("conflict", str(conflict))


def _withdraw(saved: Label) -> None:
    try:
        loaders.label_store().withdraw(saved)
    except LabelConflict as conflict:
        state["label notice"] = ("conflict", str(conflict))
    st.rerun()


def _notice() -> None:
    kind, text = state.pop("label notice", ("", ""))
    if kind == "saved":
        st.toast(text)
    elif kind == "conflict":
        st.warning(text)
