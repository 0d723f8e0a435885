"""Figures: records in, a figure out, no widgets."""

from __future__ import annotations

import plotly.graph_objects as go

from mami_core.probing.disagreement import Agreement


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
