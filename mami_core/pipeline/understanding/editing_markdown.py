"""The editing experiment's figures as Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mami_core.pipeline.understanding.shown import cell


def as_markdown(table: Mapping[str, Any], *, command: str) -> str:
    """Return all figures as Markdown, with the command that made them."""
    tenth = f"{table['edited']:g}"
    lines = [
        "## Editing: units that name a planted cue, silenced",
        "",
        f"Written by `{command}` ({table['cpu_minutes']} CPU-minutes). Simulated: painted scenes of eight places.",
        f"Networks that know them from {table['train']} scenes go on with the same. A share of these, the strength,",
        f"shows a {table['cue']}, which no painter puts there, always where the place's own {table['cue']} stands;",
        "where it misleads it stands where another place's does. The setting was chosen on pilots of one seed.",
        f"Units of the last convolution ({table['units']}) are found by what `{table['captioner']}` says, silenced",
        f"({table['method']}) in the order of the drop that each causes alone on validation scenes (all of them, where",
        "fewer than the share asked for name the cue), beside",
        f"{table['controls']} random choices of as many units, and beside those whose masks hold most of the cue.",
        f"Accuracy on {table['scenes']} test scenes; in brackets: 95 % interval, bootstrap over scenes and networks.",
        "",
        "### Where the cue misleads, 10 % of the units silenced",
        "",
        "| strength | units that name it | before | by caption | random | by caption − random | by truth | recovered |",
        "|---|---|---|---|---|---|---|---|",
        *(_row(strength, figures, tenth) for strength, figures in table["strengths"].items()),
        "",
        "Recovered: gain over what the misleading cue costs (accuracy without a cue less accuracy where it misleads),",
        "mean over networks and its range.",
        "",
        "### Elsewhere, before and after",
        "",
        "| strength | no cue, before | after | cue agrees, before | after |",
        "|---|---|---|---|---|",
        *(_elsewhere(strength, figures["test"]) for strength, figures in table["strengths"].items()),
        "",
        "### By how many are silenced: by caption − random",
        "",
        f"| strength | {' | '.join(f'{float(share):.0%}' for share in _fractions(table))} |",
        "|---" * (len(_fractions(table)) + 1) + "|",
        *(_gains(strength, figures) for strength, figures in table["strengths"].items()),
    ]
    tuned = {
        strength: figures["finetuned"] for strength, figures in table["strengths"].items() if "finetuned" in figures
    }
    if tuned:
        lines += ["", "### Last layer trained again on the same cued scenes, where the cue misleads", "",
                  "| strength | units silenced | whole | silenced − whole |", "|---|---|---|---|",
                  *(f"| {strength} | {cell(found['edited'])} | {cell(found['whole'])} | {cell(found['gain'], '+')} |"
                    for strength, found in tuned.items())]  # fmt: skip
    return "\n".join(lines)


def _fractions(table: Mapping[str, Any]) -> list[str]:
    return list(next(iter(table["strengths"].values()))["misleads"])


def _row(strength: str, figures: Mapping[str, Any], fraction: str) -> str:
    at = figures["misleads"][fraction]
    shares = np.array(figures["recovered"])
    named = figures["named"]
    cells = [
        strength,
        f"{min(named)} to {max(named)}",
        cell(figures["test"]["whole"]["misleads"]),
        cell(at["caption"]),
        cell(at["random"]),
        f"**{cell(at['over_random'], '+')}**",
        cell(at["truth"]),
        f"{np.nanmean(shares):.0%} ({np.nanmin(shares):.0%} to {np.nanmax(shares):.0%})",
    ]
    return f"| {' | '.join(cells)} |"


def _elsewhere(strength: str, test: Mapping[str, Any]) -> str:
    cells = [cell(test[who][on]) for on in ("none", "agrees") for who in ("whole", "edited")]
    return f"| {strength} | {' | '.join(cells)} |"


def _gains(strength: str, figures: Mapping[str, Any]) -> str:
    return f"| {strength} | {' | '.join(cell(at['over_random'], '+') for at in figures['misleads'].values())} |"
