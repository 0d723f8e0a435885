"""Review: judge captions without knowing whose they are; see who was preferred, and how far reviewers agree."""

from __future__ import annotations

import streamlit as st

from dashboard import loaders
from dashboard.controls import open_dissection
from dashboard.labelling import reviewer, save_label, show_notice, withdraw_label
from dashboard.neuron_view import neuron_view
from dashboard.plain import plain
from mami_core.probing.review import ReviewItem, review_queue
from mami_core.probing.verdicts import reviewer_agreement, win_rates
from mami_core.store import UnitKey
from mami_core.store.labels import Label, Verdict

state = st.session_state
state.setdefault("reviewed", [])


def judged(key: UnitKey, verdict: Verdict, text: str = "", captioner: str | None = None) -> None:
    """Save a verdict on a unit that this reviewer has not judged before."""
    label = save_label(Label(dissection.name, *key, reviewer(), verdict, text, captioner))
    if label is not None:
        state["reviewed"].append(label)


def corrected(key: UnitKey, field: str) -> None:
    """Save the reviewer's own words."""
    if text := str(state[field]).strip():
        judged(key, "edit", text)


def undo() -> None:
    """Take back the last verdict of this session."""
    withdraw_label(state["reviewed"].pop())


def questions(item: ReviewItem) -> None:
    """Draw the captions of a unit, names hidden, and what can be said of them."""
    key = (item.layer, item.unit)
    with st.container(key="options"):
        for option in item.options:
            st.button(
                f"**{option.letter}** {plain(option.text)}",
                key=f"option {option.letter}",
                shortcut=str(ord(option.letter) - ord("A") + 1),
                on_click=judged,
                args=(key, "accept", option.text, item.captioner(option.letter)),
                width="stretch",
            )
    with st.container(horizontal=True):
        st.button("None fits", shortcut="X", on_click=judged, args=(key, "reject"))
        st.button("Unsure", shortcut="U", on_click=judged, args=(key, "unsure"))
        st.button("Undo", shortcut="Z", on_click=undo, disabled=not state["reviewed"])
    field = f"correction {key}"
    st.text_input("In your own words, then Enter", key=field, on_change=corrected, args=(key, field))


def results() -> None:
    """Draw who was preferred, and how far reviewers agree."""
    labels = loaders.label_frame(found)
    if labels.empty:
        st.caption("Nothing reviewed yet.")
        return
    st.subheader("So far", anchor=False)
    st.dataframe(win_rates(dissection, labels, dissection.captioners).round(3), hide_index=True)
    st.caption("Decided: captions differed and one was taken. Interval: 95 %, Wilson, votes taken for independent.")
    try:
        kappa = reviewer_agreement(labels, on="choice")
    except ValueError:
        st.caption("Agreement between reviewers needs two of them.")
        return
    name = kappa.kind.capitalize()
    st.markdown(f"**{name}'s κ** {kappa.kappa:.2f} over {kappa.units} units, {plain(', '.join(kappa.reviewers))}")


found, dissection = open_dissection()
st.title("Review")
if not dissection.captioners:
    st.info("Nothing is captioned yet: `mami caption`.")
    st.stop()
show_notice()
queue = review_queue(dissection, dissection.captioners, reviewer=reviewer(), labels=loaders.label_frame(found))
st.progress(
    queue.done / queue.total if queue.total else 1.0, f"{queue.done} of {queue.total} judged by {plain(reviewer())}"
)
if queue.items:
    first = queue.items[0]
    shown, asked = st.columns([1.5, 1], gap="medium")
    with asked:
        st.markdown("**Which caption says best what these exemplars share?**")
        questions(first)
    with shown:
        neuron_view(found, first.layer, first.unit, blind=True)
else:
    st.success("Every unit that all captioners captioned has your verdict.")
results()
