"""Figures of planted neurons' captions as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

TOLD: Final = ("single", "or", "and", "texture", "colour", "position", "size", "noisy")
APART: Final = ("not", "relation", "spurious")
OURS: Final = ("compositional", "consensus")  # held against the oracle in a row of their own
NAMES: Final = {
    "rule_f1": "attribute F1",
    "auprc": "AUPRC",
    "lift": "lift over prevalence",
    "pearson": "Pearson",
    "iou": "pixel IoU",
}


def as_markdown(table: Mapping[str, Any], *, command: str) -> str:
    """Return all figures as Markdown, with the command that made them."""
    lines = [
        "## Planted neurons, rules never met in training",
        "",
        f"Written by `{command}`. Simulated. {table['units']} test units, activations of {table['scenes']} scenes that",
        "no test unit shows. In brackets: 95 % interval, bootstrap over units and trainings. The oracle is the rule in",
        "plain words, read by the same grammar.",
    ]
    for measure, name in NAMES.items():
        lines += ["", f"### {name}", "", *_measure(table["captioners"], measure)]
    lines += ["", "### Examples", ""]
    for example in table["examples"]:
        lines.append(f"- `{example['unit']}`: “{example['oracle']}”; compositional “{example['compositional']}”; "
                     f"consensus “{example['consensus']}”; milan “{example['milan']}”")  # fmt: skip
    return "\n".join(lines)


def _measure(captioners: Mapping[str, Any], measure: str) -> list[str]:
    families = [family for family in (*TOLD, *APART) if family in captioners["oracle"]]
    rows = [f"| | {' | '.join(families)} |", "|---" * (len(families) + 1) + "|"]
    for name, figures in captioners.items():
        rows.append(f"| {name} | {' | '.join(_cell(figures[family][measure]) for family in families)} |")
    return [*rows, *(_over_the_oracle(captioners, name, families, measure) for name in OURS if name in captioners)]


def _over_the_oracle(captioners: Mapping[str, Any], name: str, families: Sequence[str], measure: str) -> str:
    """Return a row with a captioner's share of the oracle's figure in each family."""
    shares = []
    for family in families:
        oracle, ours = (captioners[who][family][measure]["value"] for who in ("oracle", name))
        shares.append(f"{ours / oracle:.2f} ×" if oracle and ours is not None else "—")
    return f"| {name} over the oracle | {' | '.join(shares)} |"


def _cell(figure: Mapping[str, Any]) -> str:
    if figure["value"] is None or figure["low"] is None:
        return "not computed"
    return f"{figure['value']:.2f} [{figure['low']:.2f}, {figure['high']:.2f}]"
