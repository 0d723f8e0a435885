"""Figures: records in, a figure out, no widgets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from mami_core.probing.disagreement import Agreement

HEAD_COLOURS = {"bahdanau": "#3f73cf", "luong": "#2b9463", "self": "#cf6a24"}  # as in the neuron view
OTHER_COLOUR = "#7a8092"
_ABOVE = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}


def wins_chart(wins: pd.DataFrame) -> go.Figure:
    """Return for each layer, from early to late, what share of its words each head won: rows of `heads_by_layer`."""
    figure = go.Figure()
    for head, rows in wins.groupby("head", sort=False):
        figure.add_bar(
            name=str(head),
            y=rows["layer"],
            x=rows["wins"],
            orientation="h",
            customdata=rows[["count", "share", "mask_overlap"]],
            marker_color=HEAD_COLOURS.get(str(head), OTHER_COLOUR),
            hovertemplate="%{y}: won %{x:.0%} of %{customdata[0]} words<br>mean share %{customdata[1]:.2f}, "
            "on mask %{customdata[2]:.2f}",
        )
    figure.update_layout(
        barmode="stack", legend={"orientation": "h", "traceorder": "normal", "y": 1.02, "yanchor": "bottom", "x": 0}
    )
    figure.update_xaxes(tickformat=".0%", range=[0, 1], title=None)
    figure.update_yaxes(autorange="reversed")
    figure.update_layout(height=110 + 34 * wins["layer"].nunique(), margin={"l": 10, "r": 10, "t": 30, "b": 10})
    return figure


def agreement_chart(agreement: Agreement) -> go.Figure:
    """Return a matrix of how much every two voices agree, from 0 (no word in common) to 1 (the same words)."""
    names = list(agreement.mean.columns)
    values = agreement.mean.to_numpy()
    units = agreement.units.to_numpy()
    figure = go.Figure(
        go.Heatmap(
            z=values,
            x=names,
            y=names,
            customdata=units,
            zmin=0,
            zmax=1,
            colorscale="Cividis",
            texttemplate="%{z:.2f}",
            hovertemplate="%{y} and %{x}: %{z:.3f} over %{customdata} units<extra></extra>",
            colorbar={"title": "word F1", "thickness": 12},
        )
    )
    figure.update_yaxes(autorange="reversed")
    size = {"width": 260 + 110 * len(names), "height": 90 + 56 * len(names)}
    figure.update_layout(**size, margin={"l": 10, "r": 10, "t": 10, "b": 10})
    return figure


VOICE_COLOURS = ("#3f73cf", "#cf6a24", "#2b9463", "#9253b8", "#b8860b")


def length_chart(scores: pd.DataFrame, measure: str, title: str) -> go.Figure:
    """Return words against a score: a point a caption, a colour a voice; people in gray."""
    figure = go.Figure()
    jitter = np.random.default_rng(0)
    for place, (voice, rows) in enumerate(scores.groupby("voice", sort=False)):
        people = (rows["kind"] == "annotator").all()
        figure.add_scatter(
            name=str(voice),
            mode="markers",
            x=rows["words"] + jitter.uniform(-0.3, 0.3, len(rows)),
            y=rows[measure],
            customdata=rows[["layer", "unit", "voice", "caption"]],
            marker={"color": OTHER_COLOUR if people else VOICE_COLOURS[place % len(VOICE_COLOURS)], "size": 8,
                    "opacity": 0.45 if people else 0.8},
            hovertemplate="%{customdata[0]} · %{customdata[1]}<br>%{customdata[3]}<br>%{x:.0f} words, %{y:.2f}",
        )  # fmt: skip
    figure.update_xaxes(title="words", rangemode="tozero")
    figure.update_yaxes(title=title)
    figure.update_layout(height=460, margin={"l": 10, "r": 10, "t": 30, "b": 10}, legend=_ABOVE)
    return figure


def decoding_chart(tried: Mapping[str, Mapping[str, Mapping[str, float]]]) -> go.Figure:
    """Return each captioner's validation BLEU by decoding: by captioner and decoding, `bleu` and mean `words`."""
    figure = go.Figure()
    for place, (name, settings) in enumerate(tried.items()):
        words = [figures["words"] for figures in settings.values()]
        bleu = [figures["bleu"] for figures in settings.values()]
        figure.add_bar(
            name=name,
            x=list(settings),
            y=bleu,
            customdata=words,
            text=[f"{value:.1f}" for value in bleu],
            marker_color=VOICE_COLOURS[place % len(VOICE_COLOURS)],
            hovertemplate="%{x}: BLEU %{y:.2f}, %{customdata:.1f} words",
        )
    figure.update_yaxes(title="BLEU")
    figure.update_layout(barmode="group", height=340, margin={"l": 10, "r": 10, "t": 30, "b": 10}, legend=_ABOVE)
    return figure


def training_chart(epochs: pd.DataFrame) -> go.Figure:
    """Return loss (left) and validation BLEU (right) by epoch, the best epoch marked: rows of a training log."""
    figure = go.Figure()
    for place, name in enumerate(name for name in ("loss", "val_nll") if name in epochs):
        label = {"loss": "training loss", "val_nll": "validation loss"}[name]
        figure.add_scatter(name=label, x=epochs["epoch"], y=epochs[name], line={"color": VOICE_COLOURS[place]})
    if "val_bleu" in epochs:
        line = {"color": VOICE_COLOURS[2], "dash": "dot"}
        figure.add_scatter(name="validation BLEU", x=epochs["epoch"], y=epochs["val_bleu"], yaxis="y2", line=line)
        figure.add_vline(
            float(epochs["epoch"][epochs["val_bleu"].idxmax()]), line={"dash": "dot", "color": OTHER_COLOUR}
        )
    figure.update_xaxes(title="epoch")
    axis = {"overlaying": "y", "side": "right", "showgrid": False, "title": "BLEU"}
    figure.update_layout(height=320, margin={"l": 10, "r": 10, "t": 30, "b": 10}, legend=_ABOVE, yaxis2=axis)
    return figure


METHOD_COLOURS = {
    "integrated-gradients": "#3f73cf",
    "gradient-shap": "#2b9463",
    "occlusion": "#cf6a24",
    "lime": "#9a55b5",
}


def deletion_chart(facts: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> go.Figure:
    """Return how the answer falls as cells are taken away by each method, beside the range of random orders."""
    deleted, random = arrays["deleted"], arrays["random"]
    figure = go.Figure()
    low, high = random.min(0), random.max(0)
    figure.add_scatter(
        x=np.concatenate([deleted, deleted[::-1]]), y=np.concatenate([high, low[::-1]]), fill="toself", mode="none",
        fillcolor="rgba(122,128,146,.25)", name=f"random order, {facts['random_auc']:.2f}", hoverinfo="skip",
    )  # fmt: skip
    for name, found in facts["methods"].items():
        figure.add_scatter(
            x=deleted,
            y=arrays[f"curve:{name}"],
            name=f"{name}, {found['auc']:.2f}" if found["auc"] is not None else name,
            mode="lines",
            line={"color": METHOD_COLOURS.get(name, OTHER_COLOUR), "width": 2},
            hovertemplate="%{x:.0%} taken away: %{y:.3g}",
        )
    figure.update_xaxes(tickformat=".0%", title="of the picture taken away")
    figure.update_yaxes(title="answer", rangemode="tozero")
    legend = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "title": None}
    figure.update_layout(height=340, legend=legend, margin={"l": 10, "r": 10, "t": 30, "b": 10})
    return figure
