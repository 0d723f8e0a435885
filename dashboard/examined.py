"""Below the neuron view: does the unit fire for one thing or several, and does its caption hang on a few exemplars?"""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from dashboard import loaders
from dashboard.plain import plain
from mami_core.probing.examined import Examined
from mami_core.probing.spaces.words import has_words
from mami_core.store import Dissection

state = st.session_state
RESAMPLES, SEED = 20, 0
COMMANDS = ("stability", "polysemantic")


def examined(found: loaders.Found, layer: str, unit: int) -> None:
    """Draw what was found out about a unit by asking its captioners again, or offer to find out."""
    dissection = loaders.opened(found)
    speaking = [name for name in dissection.captioners if has_words(name)]
    if not speaking or dissection.statistics(layer, unit).state != "alive":
        return
    with st.expander("One thing or several? How stable is the caption?", key="examined", on_change="rerun") as opened:
        if opened.open:
            name = st.segmented_control("Captioner", speaking, default=speaking[0], key="examined captioner")
            _results(found, dissection, name or speaking[0], layer, unit)


def _results(found: loaders.Found, dissection: Dissection, captioner: str, layer: str, unit: int) -> None:
    again = Examined("stability", dissection, captioner, resamples=RESAMPLES, seed=SEED).find(layer, unit)
    parts = Examined("pieces", dissection, captioner, seed=SEED).find(layer, unit)
    if again is None or parts is None:
        _missing(found, captioner, layer, unit)
        return
    left, right = st.columns(2, gap="large")
    with left:
        _pieces(found, dissection, dict(parts.facts), layer, unit)
    with right:
        _stability(dict(again.facts))


@st.fragment(run_every=1.0)
def _missing(found: loaders.Found, captioner: str, layer: str, unit: int) -> None:
    """Offer to ask the captioner again, and watch until it has answered; then the page is drawn anew."""
    key = f"examine {found.id} {captioner} {layer} {unit}"
    if key not in state:
        st.caption(
            f"Nothing is known yet. {captioner} would be asked again about the exemplars drawn {RESAMPLES} times with "
            "repeats, and about each of the groups into which they fall. Seconds; kept."
        )
        st.button("Examine", on_click=_start, args=(found, captioner, layer, unit, key))
        return
    jobs = [loaders.job_store().get(number) for number in state[key]]
    broken = [job for job in jobs if job.state not in ("running", "done")]
    if broken:
        st.error(plain(f"Job {broken[0].id} {broken[0].state}: {broken[0].message}; its output is on the Jobs page"))
    elif all(job.state == "done" for job in jobs):
        del state[key]
        st.rerun()
    else:
        st.caption("Asking again …")


def _start(found: loaders.Found, captioner: str, layer: str, unit: int, key: str) -> None:
    about = ["--captioner", captioner, "--layers", layer, "--units", str(unit)]
    state[key] = [loaders.job_store().start([command, str(found.path), *about]).id for command in COMMANDS]


def _pieces(found: loaders.Found, dissection: Dissection, facts: dict[str, Any], layer: str, unit: int) -> None:
    parts = facts["pieces"]
    images = [entry.image_id for entry in dissection.exemplars_of(layer, unit).get("top", ())]
    head = "Fires for one thing" if len(parts) == 1 else f"Fires for {len(parts)} things"
    why = "" if facts["silhouette"] is None else (
        f" :gray[best split's silhouette {facts['silhouette']:.2f}; one piece reaches {facts['needed']:.2f}]"
    )  # fmt: skip
    st.markdown(f"**{head}**{why}")
    for part in parts:
        st.markdown(plain(part["caption"] or "nothing said"))
        st.image([loaders.image_bytes(found, images[rank]) for rank in part["exemplars"][:7]], width=64)


def _stability(facts: dict[str, Any]) -> None:
    st.markdown(
        f"**Captions of {RESAMPLES} bootstraps** :gray[two agree by {facts['agreement']:.2f} (word F1); "
        f"{facts['same']:.0%} say exactly what all exemplars do]"
    )
    table = pd.DataFrame(facts["shares"], columns=["caption", "share"])
    share = st.column_config.ProgressColumn("share", min_value=0, max_value=1, format="percent")
    st.dataframe(table.head(8), hide_index=True, column_config={"share": share})
