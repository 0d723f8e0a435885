"""What the Intervene page shows: figures in, charts and rows out, no widgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import plotly.graph_objects as go

from dashboard import loaders
from dashboard.charts import OTHER_COLOUR, VOICE_COLOURS
from mami_core.probing.intervention.audit import audit
from mami_core.probing.intervention.results import EDITING, SILENCE, kept_results
from mami_core.probing.search import Mode

_MARGIN = {"l": 10, "r": 10, "t": 30, "b": 10}
_ABOVE = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
_BAND = "rgba(122,128,146,0.22)"
SIDES = ("first", "second")


def silenced(found: loaders.Found) -> list[dict[str, Any]]:
    """Return the kept runs of `mami silence` on this dissection's network, newest first."""
    manifest = loaders.opened(found).manifest
    return kept_results(SILENCE, manifest.weights_sha256 or manifest.name)


def edited() -> list[dict[str, Any]]:
    """Return the kept runs of `mami reproduce editing`, newest first."""
    return kept_results(EDITING, "networks")


def title_of(run: Mapping[str, Any]) -> str:
    """Return a run of `mami silence` in words."""
    figures = run["figures"]
    layers = ", ".join(figures["layers"])
    return f"{figures['chosen']} · {layers} · {', '.join(figures['curves'])} · {figures['images']} images"


@lru_cache(maxsize=32)
def audited(first: loaders.Found, second: loaders.Found, concept: str, mode: Mode) -> dict[str, Any]:
    """Return how many units of two dissections name a concept, by captioner; ValueError where nobody captioned both."""
    with loaders.READING:
        return audit(loaders.opened(first), loaders.opened(second), concept, mode)


def curve_chart(curves: Mapping[str, Sequence[Mapping[str, Any]]]) -> go.Figure:
    """Return accuracy against units silenced: a line a method with intervals, random units as bands."""
    figure = go.Figure()
    for place, (method, points) in enumerate(curves.items()):
        colour = VOICE_COLOURS[place % len(VOICE_COLOURS)]
        x = [point["silenced"] for point in points]
        random = [point["random"] for point in points]
        edge = [one["high"] for one in random] + [one["low"] for one in random[::-1]]
        figure.add_scatter(x=[*x, *x[::-1]], y=edge, mode="lines", fill="toself", fillcolor=_BAND, line={"width": 0},
                           hoverinfo="skip", showlegend=False)  # fmt: skip
        figure.add_scatter(name=f"{method}: random units", x=x, y=[one["value"] for one in random], mode="lines",
                           line={"color": colour, "dash": "dot", "width": 1.5},
                           hovertemplate="%{x} random units: %{y:.3f}<extra></extra>")  # fmt: skip
        figure.add_scatter(name=f"{method}: chosen units", x=x, y=[point["accuracy"]["value"] for point in points],
                           error_y=_whiskers([point["accuracy"] for point in points], colour),
                           mode="lines+markers", line={"color": colour, "width": 2.5},
                           hovertemplate="%{x} chosen units: %{y:.3f}<extra></extra>")  # fmt: skip
    figure.update_xaxes(title="units silenced", rangemode="tozero")
    figure.update_yaxes(title="accuracy", rangemode="tozero")
    figure.update_layout(height=380, margin=_MARGIN, legend=_ABOVE)
    return figure


def audit_chart(sides: Mapping[str, Any]) -> go.Figure:
    """Return, layer by layer, the share of units that name the concept in each of two dissections, with intervals."""
    figure = go.Figure()
    for place, side in enumerate(SIDES):
        one = sides[side]
        rows = {layer: row for layer, row in {**one["layers"], "all": one["all"]}.items() if row["units"]}
        shares = [{"value": row["share"], "low": row["low"], "high": row["high"]} for row in rows.values()]
        figure.add_bar(name=one["dissection"], x=list(rows), y=[share["value"] for share in shares],
                       error_y=_whiskers(shares, OTHER_COLOUR), marker_color=VOICE_COLOURS[place],
                       customdata=[[row["naming"], row["units"]] for row in rows.values()],
                       hovertemplate="%{x}: %{customdata[0]} of %{customdata[1]} units")  # fmt: skip
    layers = list(dict.fromkeys([*sides["first"]["layers"], *sides["second"]["layers"], "all"]))
    figure.update_xaxes(categoryorder="array", categoryarray=layers)
    figure.update_yaxes(title="units that name it", tickformat=".0%", rangemode="tozero")
    figure.update_layout(height=320, margin=_MARGIN, legend=_ABOVE, barmode="group")
    return figure


def editing_chart(strength: Mapping[str, Any]) -> go.Figure:
    """Return accuracy where the cue misleads against the share of units silenced, by who chose them."""
    figure = go.Figure()
    whole = strength["test"]["whole"]
    names = {"caption": "by caption", "random": "random units", "truth": "by what masks truly hold"}
    colours = {"caption": VOICE_COLOURS[0], "random": OTHER_COLOUR, "truth": VOICE_COLOURS[2]}
    for who, name in names.items():
        points = [whole["misleads"], *(at[who] for at in strength["misleads"].values())]
        figure.add_scatter(name=name, x=[0, *map(float, strength["misleads"])], y=[point["value"] for point in points],
                           error_y=_whiskers(points, colours[who]), mode="lines+markers",
                           line={"color": colours[who], "width": 2.5, "dash": "dot" if who == "truth" else "solid"},
                           hovertemplate="%{x:.0%} silenced: %{y:.3f}")  # fmt: skip
    figure.add_hline(whole["none"]["value"], line={"dash": "dash", "color": VOICE_COLOURS[1]},
                     annotation_text="the same scenes without a cue", annotation_position="bottom right")  # fmt: skip
    figure.update_xaxes(title="share of the layer’s units silenced", tickformat=".0%")
    figure.update_yaxes(title="accuracy where the cue misleads")
    figure.update_layout(height=380, margin=_MARGIN, legend=_ABOVE)
    return figure


def _whiskers(figures: Sequence[Mapping[str, float]], colour: str) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [figure["high"] - figure["value"] for figure in figures],
        "arrayminus": [figure["value"] - figure["low"] for figure in figures],
        "color": colour,
        "thickness": 1.2,
    }


def interval(figure: Mapping[str, float], sign: str = "") -> str:
    """Return a figure with its 95 % interval in words."""
    return f"{figure['value']:{sign}.3f} [{figure['low']:{sign}.3f}, {figure['high']:{sign}.3f}]"
