"""Intervene: silence units and see what breaks, count who names a concept, take a planted cue out again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import loaders
from dashboard.controls import chosen_view, open_dissection, unit_list
from dashboard.plain import plain
from dashboard.running import job_problems, running_jobs, start_job
from dashboard.silencing import audit_chart, audited, curve_chart, edited, editing_chart, interval, silenced, title_of
from mami_core.probing.intervention.naming import MODES

LISTED = 6
BY = {"what captions say": "query", "a property of captions": "property", "nothing: at random": "random"}
PROPERTIES = ("part", "colour", "texture", "position", "length", "specificity")
METHODS = ("zero", "mean", "resample")


def analysis() -> None:
    """Draw accuracy against units silenced, of the runs that are kept, and the way to more."""
    _ask_to_silence()
    running_jobs("silence")
    runs = silenced(found)
    if not runs:
        st.info(
            "Nothing silenced yet. It takes a classifier, captions, and images whose classes are known: the form "
            "above, or `mami silence D --query sky --labels FILE.csv:COLUMN`."
        )
        return
    run = st.selectbox("Run", runs, format_func=title_of, key="silenced run") if len(runs) > 1 else runs[0]
    _silenced(run["figures"])


def _ask_to_silence() -> None:
    with st.expander("Silence units", expanded=not silenced(found)):
        by = BY[st.radio("Choose units by", list(BY), horizontal=True, key="silence by")]
        line = ["silence", str(found.path), *_chosen_by(by)]
        left, middle, right = st.columns(3)
        layers = left.multiselect("Layers", dissection.layers, placeholder="all", key="silenced layers")
        methods = middle.pills("In their place", METHODS, default=["zero"], selection_mode="multi", key="methods")
        images = right.text_input("Images", placeholder="those dissected", help="A folder, or scenery:N:SEED")
        left, middle, right = st.columns(3)
        most = left.slider("At most, percent of the units", 1, 100, 20)
        controls = middle.slider("Random choices beside", 1, 20, 5)
        limit = right.slider("Images", 50, 2000, 200, step=50, help="More images, narrower intervals, longer runs")
        labels = st.text_input("Labels", placeholder="the images' own classes", help="FILE.csv:COLUMN of class numbers")
        if not st.button("Silence", type="primary", disabled=not methods or (by == "query" and len(line) < 4)):
            return
    fractions = [f"{most * step / 500:g}" for step in range(6)]
    line += ["--methods", *methods, "--fractions", *fractions, "--controls", str(controls), "--limit", str(limit)]
    for option, value in (("--images", images.strip()), ("--labels", labels.strip())):
        line += [option, value] if value else []
    spec = str(dissection.manifest.settings.get("network") or dissection.manifest.network)
    start_job([*line, *(["--layers", *layers] if layers else []), "--device", loaders.preferences().device], spec)


def _chosen_by(by: str) -> list[str]:
    if by == "random":
        return []
    if not dissection.captioners:
        st.info("Captions are needed to choose units by: `mami caption D --captioner NAME`.")
        return []
    left, middle, right = st.columns(3)
    captioner = right.selectbox("Captioner", dissection.captioners, len(dissection.captioners) - 1, key="who says it")
    if by == "property":
        wanted = str(left.selectbox("Property", PROPERTIES, key="property"))
        least = middle.toggle("Least first", key="least first")
        return ["--property", wanted, "--captioner", captioner, *(["--least"] if least else [])]
    said = left.text_input("Captions that say", placeholder="sky", key="silenced query").strip()
    mode = str(middle.segmented_control("Search", MODES, default="text", key="silence mode") or "text")
    return ["--query", said, "--mode", mode, "--captioner", captioner] if said else []


def _silenced(figures: Mapping[str, Any]) -> None:
    st.markdown(
        f"**{plain(figures['chosen'])}** :gray[· {figures['choosable']} of {figures['units']} living units of "
        f"{plain(', '.join(figures['layers']))}; {figures['images']} images; bands: {figures['controls']} random "
        "choices of as many units; 95 % intervals]"
    )
    st.plotly_chart(curve_chart(figures["curves"]), key="silencing chart")
    methods = list(figures["curves"])
    left, right = st.columns([1, 2], gap="medium")
    method = left.segmented_control("In their place", methods, default=methods[0], key="read method") or methods[0]
    points = figures["curves"][method]
    counts = [point["silenced"] for point in points]
    at = right.select_slider("Units silenced", counts, counts[-1], key=f"silenced {figures['chosen']} {method}")
    point = points[counts.index(at)]
    columns = st.columns(3)
    columns[0].metric("Accuracy", f"{point['accuracy']['value']:.1%}", help=interval(point["accuracy"]))
    columns[1].metric("Random units", f"{point['random']['value']:.1%}", help=interval(point["random"]))
    columns[2].metric("Worse than random by", f"{point['worse_than_random']['value']:+.1%}",
                      help=interval(point["worse_than_random"], "+"))  # fmt: skip
    left, right = st.columns([2, 3], gap="medium")
    left.markdown(f"**Classes that lose most** :gray[{counts[-1]} units silenced]")
    rows = pd.DataFrame(figures["classes"][method])
    bar = st.column_config.ProgressColumn
    shown = {name: bar(name, min_value=0, max_value=1, format="%.2f") for name in ("before", "after")}
    left.dataframe(rows.head(10), hide_index=True, column_config=shown, height="content")
    with right:
        st.markdown("**Silenced first**")
        unit_list(found, "silenced first", dict.fromkeys(map(tuple, figures["first"][:LISTED])))


def audits() -> None:
    """Draw how many units of this dissection and another name a concept, with exemplars side by side."""
    others = {name: entry for name, entry in loaders.found_dissections().items() if name != found.id}
    if not others:
        st.info("An audit compares two networks: dissect and caption another one, `mami dissect` and `mami caption`.")
        return
    left, middle, right = st.columns([2, 2, 2], vertical_alignment="bottom")
    concept = left.text_input("Concept", key="concept", placeholder="sky", bind="query-params")
    mode = middle.segmented_control("Search", MODES, default="text", key="audit mode") or "text"
    other = others[right.selectbox("Other network", list(others), key="audited with")]
    if not concept.strip():
        st.info("Name a concept: a word that captions may say, such as sky, window or person.")
        return
    try:
        by_captioner = audited(found, other, concept, mode)
    except (ValueError, KeyError) as problem:
        st.error(plain(problem.args[0]))
        return
    name = st.segmented_control(
        "Captioner", list(by_captioner), default=next(iter(by_captioner)), key="audit captioner"
    )
    _audited(by_captioner[name or next(iter(by_captioner))], (found, other))


def _audited(sides: Mapping[str, Any], two: tuple[loaders.Found, loaders.Found]) -> None:
    first, second = sides["first"]["all"], sides["second"]["all"]
    st.markdown(
        f"**{first['naming']} of {first['units']}** units here, **{second['naming']} of {second['units']}** there "
        f":gray[· difference {interval(sides['difference'], '+')} of the units, 95 % interval]"
    )
    st.plotly_chart(audit_chart(sides), key="audit chart")
    for column, side, one in zip(st.columns(2, gap="medium"), ("first", "second"), two, strict=True):
        with column:
            st.markdown(f"**{plain(one.id)}**")
            units = sides[side]["units"]
            if units:
                unit_list(one, f"audit {side}", {(unit["layer"], unit["unit"]): None for unit in units[:LISTED]})
            else:
                st.caption("No unit names it.")


def editing() -> None:
    """Draw the editing experiment: a planted cue, found by caption and silenced."""
    st.markdown(
        "Small networks learn places from painted scenes in which a stove stands where the place says. The units whose "
        "captions name a stove are silenced: what is won back where the stove misleads?"
    )
    running_jobs("reproduce")
    runs = edited()
    if not runs:
        st.info("Not run here yet: about 7 minutes of CPU for 15 networks; it goes on where it was stopped.")
        if st.button("Run the experiment", type="primary"):
            start_job(["reproduce", "editing"])
        return
    figures = runs[0]["figures"]
    strengths = list(figures["strengths"])
    chosen = st.select_slider("Strength: share of training scenes that show the cue", strengths, strengths[0])
    at = figures["strengths"][str(chosen)]
    tenth = at["misleads"][f"{figures['edited']:g}"]
    columns = st.columns(4)
    columns[0].metric("Where the cue misleads", f"{at['test']['whole']['misleads']['value']:.1%}",
                      help=interval(at["test"]["whole"]["misleads"]))  # fmt: skip
    columns[1].metric("10 % silenced by caption", f"{tenth['caption']['value']:.1%}", help=interval(tenth["caption"]))
    columns[2].metric("10 % silenced at random", f"{tenth['random']['value']:.1%}", help=interval(tenth["random"]))
    columns[3].metric("By caption − random", f"{tenth['over_random']['value']:+.1%}",
                      help=interval(tenth["over_random"], "+"))  # fmt: skip
    st.plotly_chart(editing_chart(at), key="editing chart")
    said = "; ".join(f"“{text}”" for text in at["captions"])
    st.caption(
        f"{len(at['named'])} networks, {figures['scenes']} test scenes, 95 % intervals over both; {min(at['named'])} "
        f"to {max(at['named'])} of {figures['units']} units name the cue, for example {plain(said)}. Simulated."
    )


found, dissection = open_dissection()
st.title("Intervene")
job_problems()
VIEWS = {"Analysis": analysis, "Audit": audits, "Editing": editing}
VIEWS[chosen_view("What", VIEWS)]()
