"""Compare: captioner against captioner, head against head, one dissection against another."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import loaders, probes
from dashboard.charts import agreement_chart, wins_chart
from dashboard.components import ROWS
from dashboard.controls import chosen_view, open_dissection, rounded, unit_cell, unit_list
from dashboard.links import page_of
from dashboard.plain import plain
from mami_core.probing.filtering import UnitFilter
from mami_core.probing.head_roles import responsible_words
from mami_core.store import Dissection

SHOWN = 12
ALL = "all layers"


def chosen_layer(column: DeltaGenerator, key: str) -> str | None:
    """Return the layer to compare over; None for all."""
    layer = column.selectbox("Layer", [ALL, *dissection.layers], key=key)
    return None if layer == ALL else layer


def listed(choice: UnitFilter, key: str, figure: str) -> None:
    """Draw the first units of a filter with what they are sorted by, and the way to all of them."""
    keys = loaders.keys(found, choice)[:SHOWN]
    figures = loaders.unit_figures(found, choice.sort)
    unit_list(found, key, {key: figures[loaders.row(found, *key)] for key in keys}, figure)
    address = {"d": found.id, **choice.to_mapping()}
    st.page_link(page_of("neurons"), label="All units in this order", query_params=address)


def captioners() -> None:
    """Draw how much captioners agree, and the units on which they agree least."""
    if len(dissection.captioners) < 2:
        st.info("Two captioners are needed to compare them: `mami caption D --captioner A B`.")
        return
    layer = chosen_layer(st.columns(2)[0], "compared layer")
    st.plotly_chart(agreement_chart(probes.agreement(found, None, layer)), width="content", key="captioners chart")
    st.caption("Mean F1 of the words of two captions of the same unit. Agreement is not correctness.")
    st.subheader("They agree least on", anchor=False)
    listed(UnitFilter(layer=layer or "", state="alive", sort="disagreement"), "captioners disagree", "1 − word F1")


def heads() -> None:
    """Draw where each head wins, the words it is responsible for, and how much heads agree when each speaks alone."""
    several = [name for name in dissection.captioners if f"heads:{name}" in loaders.sorts(found)]
    if not several:
        st.info("No captioner here has more than one attention head.")
        return
    left, right = st.columns(2, gap="medium")
    name = left.selectbox("Captioner", several, key="compared captioner")
    layer = chosen_layer(right, "compared head layer")
    left.markdown("**Which head wins where** :gray[share of words in which it put most into the decoder]")
    left.plotly_chart(wins_chart(probes.head_wins(found, name)), key="wins chart")
    right.markdown("**What heads say alone** :gray[word F1 of every two]")
    right.plotly_chart(agreement_chart(probes.agreement(found, name, layer)), width="content", key="heads chart")
    table = probes.head_words(found, name, layer)
    _responsible(table, list(probes.head_wins(found, name)["head"].unique()))
    with st.expander("Every word and head"):
        _words(table)
    st.caption("Share: this head's part of what entered the decoder. It is not proof of cause.")
    st.subheader("Heads disagree most on", anchor=False)
    sort = UnitFilter(layer=layer or "", state="alive", sort=f"heads:{name}")
    listed(sort, "heads disagree", "1 − word F1 of heads alone")


def _responsible(table: pd.DataFrame, names: list[str]) -> None:
    """Draw, head by head, the words that it wins more often than it wins words at all."""
    words = responsible_words(table)
    if words.empty:
        st.info("No word was said five times, so no head can be called responsible for one.")
        return
    st.subheader("Words each head is responsible for", anchor=False)
    for column, head in zip(st.columns(len(names), gap="medium"), names, strict=True):
        own = words[words["head"] == head]
        column.markdown(f"**{head}**")
        shown = pd.DataFrame({"word": own["word"], "said": own["count"], "won": 100 * own["wins"]})
        share = st.column_config.NumberColumn("won", format="%.0f %%", help="Of the times it was said")
        column.dataframe(shown, hide_index=True, column_config={"won": share}, height="content")


def _words(table: pd.DataFrame) -> None:
    bar = st.column_config.ProgressColumn
    st.dataframe(
        table,
        hide_index=True,
        column_config={
            "count": st.column_config.NumberColumn("said"),
            "share": bar("mean share", min_value=0, max_value=1, format="%.2f"),
            "mask_overlap": bar("on mask", min_value=0, max_value=1, format="%.2f"),
            "wins": bar("largest share", min_value=0, max_value=1, format="%.2f"),
        },
    )


def dissections() -> None:
    """Draw units of two dissections of the same images, matched by their peaks."""
    others = {name: entry for name, entry in loaders.found_dissections().items() if name != found.id}
    if not others:
        st.info("Another dissection of the same images is needed: another network, or another checkpoint.")
        return
    columns = st.columns(4)
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
    captioner = columns[3].selectbox("Captioner", shared, key="captioner of both")
    table = probes.matched(found, other, layer, other_layer, captioner)
    together = table["mutual"].mean() if len(table) else 0.0
    st.markdown(
        f"**{len(table)} pairs** :gray[matched one to one by Pearson's r of their peaks; median r "
        f"{table['correlation'].median():.2f}; {together:.0%} are each other's best; most different captions first]"
    )
    rows = [
        [unit_cell(found, layer, row.unit), unit_cell(other, other_layer, row.match), rounded(row.correlation),
         "yes" if row.mutual else "no", row.caption or "no caption", row.match_caption or "no caption",
         rounded(row.difference)]
        for row in table.head(4 * SHOWN).itertuples()
    ]  # fmt: skip
    ROWS(
        key="matched units",
        data={"columns": ["here", "there", "r", "mutual", "said here", "said there", "1 − word F1"], "rows": rows},
    )


def repeats() -> None:
    """Draw the units of a layer that do what others of it do."""
    columns = st.columns([1, 1, 2])
    layer = columns[0].selectbox("Layer", dissection.layers, key="layer of repeats")
    threshold = columns[1].slider("Tied from r of", 0.5, 1.0, 0.9, 0.01, key="threshold of repeats")
    try:
        answer = probes.repeated(found, layer, threshold)
    except (ValueError, OSError) as problem:
        st.error(plain(problem))
        return
    tied = answer.table[answer.table["group"] >= 0].sort_values(["group", "unit"])
    st.markdown(
        f"**{answer.units} units count as {answer.effective_units:.1f} independent ones** :gray[participation ratio of "
        f"their peaks' correlations; {len(tied)} repeat another, in {tied['group'].nunique()} groups]"
    )
    if tied.empty:
        st.info(f"No two units of {layer} are tied by r of {threshold:.2f} or more; the most alike are listed.")
    shown = answer.table.head(SHOWN) if tied.empty else tied.head(4 * SHOWN)
    rows = [
        [row.group + 1 if row.group >= 0 else "none", unit_cell(found, layer, row.unit),
         unit_cell(found, layer, row.nearest), rounded(row.correlation),
         " / ".join(loaders.spoken(found, layer, row.unit).values()) or "no caption"]
        for row in shown.itertuples()
    ]  # fmt: skip
    ROWS(key="repeated units", data={"columns": ["group", "unit", "nearest", "r", "said of the unit"], "rows": rows})


found, dissection = open_dissection()
st.title("Compare")
VIEWS = {"Captioners": captioners, "Heads": heads, "Dissections": dissections, "Redundancy": repeats}
VIEWS[chosen_view("What", VIEWS)]()
