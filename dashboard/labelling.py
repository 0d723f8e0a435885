"""A reviewer's word on one unit. Two writers never overwrite each other: the second is told."""

from __future__ import annotations

import getpass
import os
from dataclasses import replace

import streamlit as st

from dashboard import loaders
from dashboard.login import logged_in_as
from dashboard.plain import plain
from mami_core.store.labels import Label, LabelConflict, Verdict

VERDICTS: dict[str, Verdict] = {"Save": "edit", "Reject captions": "reject", "Unsure": "unsure"}
state = st.session_state


def reviewer() -> str:
    """Return who labels: where login is on, who is logged in and nobody else.

    Otherwise the name of this session, else MAMI_REVIEWER, the saved one, the system's user.
    """
    if known := logged_in_as():
        return known
    if not state.get("reviewer"):
        named = os.environ.get("MAMI_REVIEWER", "").strip() or loaders.preferences().reviewer
        state["reviewer"] = named or _system_user()
    return str(state["reviewer"])


def _system_user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container without a user entry
        return "reviewer"


def label_form(found: loaders.Found, layer: str, unit: int) -> None:
    """Draw the label of a unit: accept a captioner's caption, correct it, or take the label back."""
    dissection = loaders.opened(found)
    saved = loaders.label_store().get(dissection.name, layer, unit, reviewer())
    spoken = loaders.spoken(found, layer, unit)
    with st.container(border=True):
        st.markdown(f"**Label** :gray[· by {plain(reviewer())}{f', version {saved.version}' if saved else ''}]")
        show_notice()
        if spoken:
            with st.container(horizontal=True):
                for name, text in spoken.items():
                    wanted = Label(dissection.name, layer, unit, reviewer(), "accept", text, name, _version(saved))
                    st.button(f"Accept {plain(name)}", on_click=_accepted, args=(wanted,), help=plain(text))
        _correction(dissection.name, layer, unit, saved)
        _history(dissection.name, layer, unit)


def _history(name: str, layer: str, unit: int) -> None:
    history = loaders.label_store().history(name, layer, unit)
    if not history.empty:
        with st.expander(f"History, {len(history)} versions"):
            st.dataframe(history[["reviewer", "version", "verdict", "text", "captioner", "updated"]], hide_index=True)


def _correction(name: str, layer: str, unit: int, saved: Label | None) -> None:
    seen = Label(name, layer, unit, reviewer(), "unsure", saved.text if saved else "", None, _version(saved))
    key = f"label {name}/{layer}/{unit}/{seen.version}"  # a new version brings a new field with its text
    with st.form(key, border=False):
        st.text_input("In your own words", value=seen.text, key=f"text {key}")
        with st.container(horizontal=True):
            for title, verdict in VERDICTS.items():
                st.form_submit_button(title, on_click=_submitted, args=(seen, f"text {key}", verdict))
            if saved is not None:
                st.form_submit_button("Take back", on_click=withdraw_label, args=(saved,))


def _version(saved: Label | None) -> int:
    return saved.version if saved else 0


def _accepted(label: Label) -> None:
    save_label(label)


def _submitted(seen: Label, key: str, verdict: Verdict) -> None:
    """Save what was typed over the version that was seen while typing, which may no longer be the present one."""
    text = str(state[key]).strip()
    if verdict == "edit" and not text:
        state["label notice"] = ("conflict", "Write what the unit responds to, then save.")
        return
    save_label(replace(seen, verdict=verdict, text=text))


def save_label(label: Label) -> Label | None:
    """Save a label and return it as saved; None where somebody else was quicker, which the next run says."""
    try:
        done = loaders.label_store().save(label)
    except LabelConflict as conflict:
        state["label notice"] = ("conflict", f"{conflict}. You wrote: {label.text or label.verdict}")
        return None
    except OSError as problem:
        state["label notice"] = ("conflict", f"Not saved: {problem}. You wrote: {label.text or label.verdict}")
        return None
    state["label notice"] = ("saved", f"Saved: {done.text or done.verdict}")
    return done


def withdraw_label(saved: Label) -> None:
    """Take a label back; its history stays."""
    try:
        loaders.label_store().withdraw(saved)
    except (LabelConflict, OSError) as problem:
        state["label notice"] = ("conflict", str(problem))


def show_notice() -> None:
    """Say how the last saving went."""
    kind, text = state.pop("label notice", ("", ""))
    if kind == "saved":
        st.toast(plain(text))
    elif kind == "conflict":
        st.warning(plain(text))
