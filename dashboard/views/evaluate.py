"""Evaluate: do captions say what the units do, by how much better than saying the same of every unit, how surely?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import loaders, probes
from dashboard.boards import MEASURES, SIMULATED, Link, group_board, linker, text_board, truth_board
from dashboard.charts import decoding_chart, length_chart, training_chart
from dashboard.components import BOARD, ROWS
from dashboard.controls import chosen_view, open_dissection, rounded, small, unit_cell
from dashboard.links import page_of
from dashboard.plain import plain
from dashboard.tables import trained_table
from dashboard.written import tables
from mami_core.evaluation.galleries import KINDS
from mami_core.store.jobs import Job

DRAWN = 8


def leaderboard() -> None:
    """Draw every voice against the truth and against what people wrote."""
    st.markdown(in_a_sentence())
    if found_truth:
        st.subheader("Against what the units do", anchor=False)
        BOARD(key="truth board", data=truth_board(scores, report["not_computed"], link()))
    else:
        st.info(plain(report["not_computed"]["truth"].capitalize() + "."))
    st.subheader("Against what people wrote", anchor=False)
    BOARD(key="text board", data=text_board(report, scores, link()))
    constant = next((text["floors"]["best_constant"]["caption"] for text in report["text"].values()), None)
    if constant:
        st.caption(
            plain(f"Best constant caption: “{constant}”. BLEU moves with length alone: read it with its penalty.")
        )
    measure_more()


def in_a_sentence() -> str:
    """Return the main finding in words, with the best floor and people beside it."""
    measure, form = ("names_top", "{:.0%}") if found_truth else ("bleu", "{:.1f}")
    table = probes.figures_of(found, split, references, measure).set_index("voice")
    own = table[table["kind"] == "captioner"]
    best = own.loc[own["mean"].idxmax()]
    floor = table[table["kind"].isin(("constant", "shuffled", "copy"))]["mean"]
    people = table[table["kind"] == "annotator"]["mean"]
    against = [f"the best floor measured, {plain(floor.idxmax())}: {form.format(floor.max())}"]
    against += [f"people: {form.format(value)}" for value in people]
    interval = f"{form.format(best['low'])} to {form.format(best['high'])}"
    score, units = form.format(best["mean"]), int(best["count"])
    main = (
        f"names the top part of **{score}** of {units} units" if found_truth else f"has BLEU-4 **{score}** on {units}"
    )
    return f"**{plain(best.name)}** {main} :gray[{interval}]; {'; '.join(against)}."


def measure_more() -> None:
    """Offer what takes longer than a page may: it runs as a job, and the page shows it when it is done."""
    if not report.get("quick"):
        return
    st.subheader("Not measured yet", anchor=False)
    running = probes.evaluation_job(found, split, references)
    if running is not None:
        watch(running.id)
        return
    st.markdown(
        "AUPRC, correlation and pixel IoU on unseen images, the copying floor, CIDEr: about a minute, as a job."
    )
    if st.button("Measure them", icon=":material/play_circle:", key="measure"):
        loaders.job_store().start(probes.evaluation_command(found, split, references))
        st.rerun()


@st.fragment(run_every=1.5)
def watch(number: int) -> None:
    """Draw a job's progress until it ends, then the page anew."""
    job: Job = loaders.job_store().get(number)
    if job.state != "running":
        st.rerun()
    st.progress(job.progress or 0.0, plain(job.message))


def breakdown() -> None:
    """Draw one measure by layer, by purity and by family of rule."""
    known = [name for name in MEASURES if scores[name].notna().any()]
    measure = st.selectbox("Measure", known, format_func=MEASURES.__getitem__, key="broken down measure", width=320)
    titles = {
        "layer": "By layer",
        "purity": "By purity: share of the top part in the unit's masks",
        "family": "By rule",
    }
    drawn = 0
    for by, title in titles.items():
        if by == "layer" and scores["family"].notna().any():
            continue  # planted units: layers are families
        board = group_board(judged, measure, by, link(by))
        if board is not None:
            drawn += 1
            st.subheader(title, anchor=False)
            BOARD(key=f"{by} board", data=board)
    if not drawn:
        st.info("These units are of one layer, and what they fire for is not known: there is nothing to break down.")


def captions() -> None:
    """Draw right, wrong and repeating captions, drawn at random."""
    left, middle, right = st.columns([1.2, 1.6, 0.7], vertical_alignment="bottom")
    voice = left.selectbox("Captioner", dissection.captioners, key="drawn captioner")
    kind = middle.segmented_control("Captions", list(KINDS), default="wrong", key="drawn kind") or "wrong"
    seed = int(right.number_input("Seed", min_value=0, value=0, step=1, key="drawn seed"))
    chosen, total = probes.gallery(found, split, references, voice, kind, DRAWN, seed)
    meaning = {"right": "names the top part, and no part that is not there", "wrong": "does not name the top part",
               "repeating": "says a phrase of two words twice"}  # fmt: skip
    of = int((scores["voice"] == voice).sum())
    st.markdown(f"**{total}** of {of} :gray[{meaning[kind]}; {len(chosen)} drawn by seed {seed}]")
    if chosen.empty:
        st.info(
            "No caption of this kind." if found_truth or kind == "repeating" else "What is right is not known here."
        )
        return
    rows = [
        [unit_cell(found, row.layer, row.unit), row.caption, loaders.true_parts(found, row.layer, row.unit),
         loaders.reference_text(found, row.layer, row.unit, references), rounded(row.bleu)]
        for row in chosen.itertuples()
    ]  # fmt: skip
    ROWS(key="gallery", data={"columns": ["unit", voice, "truly in the masks", "a reference", "BLEU"], "rows": rows})


def length() -> None:
    """Draw length against score, unit by unit."""
    known = [name for name in ("bleu", *MEASURES) if scores[name].notna().any()]
    measure = st.selectbox(
        "Score", list(dict.fromkeys(known)), format_func=MEASURES.__getitem__, key="score", width=320
    )
    own = judged[judged["kind"].isin(("captioner", "annotator"))].dropna(subset=["words", measure])
    related = [
        f"**{plain(voice)}** {correlation(rows, measure):.2f}" for voice, rows in own.groupby("voice", sort=False)
    ]
    st.markdown(f":gray[Correlation of length and score:] {' · '.join(related)}")
    picked = st.plotly_chart(length_chart(own, measure, MEASURES[measure]), key="length chart", on_select="rerun")
    points = [point["customdata"] for point in picked["selection"]["points"]][:DRAWN]
    if not points:
        st.caption("Choose points, or draw a box around some, to see their units.")
        return
    rows = [[unit_cell(found, layer, int(unit)), voice, text] for layer, unit, voice, text in points]
    ROWS(key="picked", data={"columns": ["unit", "who", "says"], "rows": rows})


def correlation(rows: pd.DataFrame, measure: str) -> float:
    """Return Pearson's r of length and score; NaN where either is constant."""
    return float(np.corrcoef(rows["words"], rows[measure])[0, 1]) if rows["words"].nunique() > 1 else float("nan")


def training() -> None:
    """Draw how each captioner's decoding was chosen, and how it was trained where its log is at hand."""
    facts = dissection.manifest.captioners
    tried = {name: own["validation"] for name, own in facts.items() if own.get("validation")}
    if tried:
        st.subheader("Decoding, chosen on validation units", anchor=False)
        st.plotly_chart(decoding_chart(tried), key="decoding chart")
    st.subheader("How they were trained", anchor=False)
    rows = trained_table(facts)
    ROWS(key="trained", data={"columns": list(rows[0]), "rows": [list(row.values()) for row in rows]})
    logs = {name: probes.training_log(found, name) for name in dissection.captioners}
    kept = {name: log for name, log in logs.items() if log}
    if kept:
        st.subheader("Epoch by epoch", anchor=False)
    for column, (name, log) in zip(st.columns(max(1, len(kept))), kept.items(), strict=False):
        column.markdown(f"**{plain(name)}**")
        column.plotly_chart(training_chart(pd.DataFrame(log)), key=f"training {name}")
    missing = [name for name in logs if name not in kept]
    if missing:
        small(
            f"No log, so no curves, of {plain(', '.join(missing))}: `mami train` and `mami demo` keep one, "
            "`log.jsonl`, beside the weights; those that are bundled were trained before they did."
        )


def link(by: str = "all") -> Link:
    """Return what leads from a cell to its units."""
    return linker(found.id, split, dissection.captioners, by)


def nothing_to_compare(why: str) -> None:
    """Say what is missing, and end the page."""
    st.info(plain(why))
    st.page_link(page_of("jobs"), label="Start a job")
    st.stop()


found, dissection = open_dissection()
VIEWS = {"Leaderboard": leaderboard, "Breakdown": breakdown, "Captions": captions, "Length": length,
         "Training": training, "Tables": lambda: tables(found)}  # fmt: skip
sets = list(dict.fromkeys(dissection.references["set"]))
splits = sorted(dissection.splits, key=lambda name: name != "test")  # what nobody trained on comes first
st.title("Evaluate")
with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
    show = chosen_view("Show", VIEWS, key="show")
    if show != "Tables":
        with st.container(horizontal=True, vertical_alignment="bottom", width="content"):
            split = st.selectbox("Units", [*splits, "all"], key="on", width=110, bind="query-params")
            first = sets.index("long") if "long" in sets else 0
            references = st.selectbox("References", sets, index=first, key="set", width=110, bind="query-params")
if show == "Tables":
    tables(found)
    st.stop()
if not dissection.captioners or not sets:
    nothing_to_compare("Captions and references are needed: mami caption D, and mami import D REFERENCES.csv")
try:
    report, scores = probes.evaluation(found, split, references)
except ValueError as problem:
    nothing_to_compare(str(problem))
judged = scores[~scores["kind"].isin(("shuffled", "constant"))]
found_truth = "truth" not in report["not_computed"]
about = f"{report['units']} units · 95 % intervals by bootstrap over units · every figure leads to its units"
st.markdown((f"{SIMULATED} " if report["simulated"] else "") + f":gray[{about}]")
VIEWS[show]()
