"""What `mami evaluate D` found, as Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from mami_core.evaluation.firing import FIRING
from mami_core.evaluation.measures import CONTENT, RULED, TITLES

_GROUPED: Final = {"layer": "By layer", "purity": "By purity of the unit", "family": "By family of rule"}
_OF_GROUPS: Final = ("names_top", RULED, "auprc", "bleu")


def as_markdown(report: Mapping[str, Any], *, command: str) -> str:
    """Return the figures as Markdown, with the command that made them."""
    kind = "simulated: painted scenes, simulated annotators" if report["simulated"] else "real images"
    lines = [
        f"## {report['dissection']}: {report['split']} units",
        "",
        f"{report['units']} units, references `{report['references']}` ({kind}). Written by `{command}`.",
        "In brackets: 95 % interval, bootstrap over units. BLEU moves with caption length alone, so its brevity",
        "penalty (BP) stands beside it. Shuffled and constant captions are floors; annotators are what can be reached.",
        *(f"Not computed, {what}: {why}." for what, why in report["not_computed"].items()),
    ]
    lines += _truth_section(report)
    lines += ["", "### Text", "", *_text_table(report["text"])]
    for by, title in _GROUPED.items():
        lines += _group_section(report["by"].get(by, []), title)
    return "\n".join(lines)


def _truth_section(report: Mapping[str, Any]) -> list[str]:
    truth = report["truth"]
    if not truth:
        return []
    lines = ["", "### Truth", "", *_truth_table(truth, (*CONTENT, RULED))]
    if report["held_out_scenes"]:
        scenes = f"{report['held_out_scenes']} scenes that the unit's exemplars do not show"
        lines += ["", f"Against activations on {scenes}; IoU with the exact mask of a known rule, else with the unit's"]
        lines += ["masks on its exemplars.", "", *_truth_table(truth, FIRING)]
    return lines


def _truth_table(truth: Mapping[str, Any], measures: Iterable[str]) -> list[str]:
    known = [name for name in measures if any(name in figures for figures in truth.values())]
    rows = ["| | " + " | ".join(TITLES[name] for name in known) + " |", "|---" * (len(known) + 1) + "|"]
    for name, figures in truth.items():
        rows.append(f"| {name} | " + " | ".join(_interval(figures.get(key)) for key in known) + " |")
    return rows


def _interval(figure: Mapping[str, float] | None, digits: int = 3) -> str:
    if figure is None:
        return "not computed"
    return f"{figure['mean']:.{digits}f} [{figure['low']:.{digits}f}, {figure['high']:.{digits}f}]"


def _text_table(text: Mapping[str, Any]) -> list[str]:
    more = [name for name in ("meteor", "cider", "rouge_l") if any("coco" in figures for figures in text.values())]
    scored = any("bertscore" in figures for figures in text.values())
    heads = ["BLEU-4", "BP", "sat", "coco", *more, *(["BERTScore F1"] if scored else []), "words", "repeating",
             "shuffled", "best constant caption"]  # fmt: skip
    rows = [f"| | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    for name, figures in text.items():
        bleu, constant = figures["bleu"], figures["floors"]["best_constant"]
        cells = [
            f"{bleu['milan']['score']:.1f} [{bleu['milan']['interval'][0]:.1f}, {bleu['milan']['interval'][1]:.1f}]",
            f"{bleu['milan']['brevity_penalty']:.2f}",
            f"{bleu['sat']['score']:.1f}",
            f"{bleu['coco']['score']:.1f}",
            *(_plain(figures["coco"][entry]) for entry in more),
            *([_bertscore(figures["bertscore"])] if scored else []),
            f"{figures['text']['mean']:.1f}",
            f"{figures['text']['repeating']:.0%}",
            f"{figures['floors']['shuffled']['bleu_milan']:.1f}",
            f"{constant['bleu_milan']:.1f} “{constant['caption']}”",
        ]
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return rows


def _plain(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else "not computed"


def _bertscore(entry: Mapping[str, Any]) -> str:
    if "not_computed" in entry:
        return "not computed"
    low, high = entry["f1"]["interval"]
    return f"{entry['f1']['mean']:.3f} [{low:.3f}, {high:.3f}] {entry['label']}"


def _group_section(rows: Sequence[Mapping[str, Any]], title: str) -> list[str]:
    lines: list[str] = []
    for measure in _OF_GROUPS:
        own = [row for row in rows if row["measure"] == measure]
        groups = list(dict.fromkeys(row["group"] for row in own))
        if len(groups) < 2:
            continue
        found = {(row["voice"], row["group"]): row for row in own}
        lines += ["", f"### {title}: {TITLES.get(measure, 'BLEU-4')}", ""]
        lines += [f"| | {' | '.join(groups)} |", "|---" * (len(groups) + 1) + "|"]
        for voice in dict.fromkeys(row["voice"] for row in own):
            cells = (_interval(found.get((voice, group)), 1 if measure == "bleu" else 2) for group in groups)
            lines.append(f"| {voice} | {' | '.join(cells)} |")
    return lines
