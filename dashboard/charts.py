"""Figures: records in, a figure out, no widgets."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from mami_core.probing.disagreement import Agreement

HEAD_COLOURS = {"bahdanau": "#3f73cf", "luong": "#2b9463", "self": "#cf6a24"}  # as in the neuron view
OTHER_COLOUR = "#7a8092"


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
