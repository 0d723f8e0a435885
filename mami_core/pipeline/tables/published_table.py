"""Figures of published captions as Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def as_markdown(table: Mapping[str, Any], *, command: str) -> str:
    """Return all figures as Markdown, with the command that made them."""
    lines = [
        "## Published captions",
        "",
        f"Written by `{command}`. Real images, real annotators. In brackets: 95 % interval, bootstrap over units.",
    ]
    for file, report in table["against_references"].items():
        lines += ["", f"### {file} against MILANNOTATIONS", "", *_against(report)]
    lines += ["", "### Scores that came with the files", "", *_scores(table["files"])]
    lines += ["", "Paired, on the units that both methods describe:", "", *_pairs(table["pairs"])]
    if table["scores_of_captions"]:
        lines += ["", "Scores are of a caption file's own captions only where both files say the same of a unit:", ""]
        lines += _same(table["scores_of_captions"])
    return "\n".join([*lines, "", "### What the captions look like", "", *_texts(table["files"])])


def _against(report: Mapping[str, Any]) -> list[str]:
    constant, shuffled = report["floors"]["best_constant"], report["floors"]["shuffled"]
    annotators = report["floors"]["annotators"]
    rows = [
        f"{report['units']} units with both, {report['references']} references; {report['unmatched']} of one side.",
        "",
        "| form of BLEU | BLEU-1 | BLEU-2 | BLEU-3 | BLEU-4 | brevity penalty |",
        "|---|---|---|---|---|---|",
    ]
    for name, bleu in report["bleu"].items():
        low, high = bleu["interval"]
        orders = " | ".join(f"{score:.2f}" for score in bleu["orders"][:3])
        penalty = f"{bleu['brevity_penalty']:.2f}"
        shown = penalty if name != "sat" else f"{penalty}, not applied"
        rows.append(f"| {name} | {orders} | {bleu['score']:.4f} [{low:.2f}, {high:.2f}] | {shown} |")
    less = constant["captions_minus_constant"]
    coco = ", ".join(f"{name} {_value(value)}" for name, value in report["coco"].items())
    return [
        *rows,
        "",
        f"- {coco}",
        f"- best constant caption, “{constant['caption']}” said of every unit: BLEU {constant['bleu_milan']:.4f}, "
        f"above the captions by {-less['difference']:.2f} [{-less['interval'][1]:.2f}, {-less['interval'][0]:.2f}] "
        f"(chosen from {constant['tried']} references)",
        f"- captions dealt out to units at random: BLEU {shuffled['bleu_milan']:.2f}",
        f"- one annotator against the others: BLEU {_value(annotators.get('bleu_milan', annotators))}",
    ]


def _value(value: Any) -> str:
    return f"not computed ({value['not_computed']})" if isinstance(value, Mapping) else f"{value:.3f}"


def _scores(files: Mapping[str, Any]) -> list[str]:
    rows = ["| network | method | measure | mean | units |", "|---|---|---|---|---|"]
    entries = [entry for entry in files.values() if "score" in entry]
    for entry in sorted(entries, key=lambda one: (one["score"]["name"], one["network"], -one["score"]["mean"])):
        score = entry["score"]
        low, high = score["interval"]
        rows.append(
            f"| {entry['network']} | {entry['method']} | {score['name']} | {score['mean']:.4f} [{low:.4f}, {high:.4f}] "
            f"| {score['units']} |"
        )
    return rows


def _pairs(pairs: list[Mapping[str, Any]]) -> list[str]:
    rows = ["| network | first | second | measure | first − second | p | units |", "|---|---|---|---|---|---|---|"]
    for pair in pairs:
        low, high = pair["interval"]
        rows.append(
            f"| {pair['network']} | {pair['first']} | {pair['second']} | {pair['measure']} "
            f"| {pair['difference']:+.4f} [{low:+.4f}, {high:+.4f}] | {pair['p']:.4f} | {pair['units']} |"
        )
    return rows


def _same(entries: list[Mapping[str, Any]]) -> list[str]:
    return [
        f"- {entry['file']}: {entry['same']} of {entry['shared']} units as in {entry['scored_by']}; mean score of "
        f"these {entry['mean']:.4f}"
        for entry in entries
    ]


def _texts(files: Mapping[str, Any]) -> list[str]:
    rows = [
        "| file | units | mean words | over 15 words | empty | different | distinct-1 | distinct-2 | repeating |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, entry in files.items():
        text = entry["text"]
        rows.append(
            f"| {name} | {entry['units']} | {text['mean']:.2f} | {text['over_15']:.3f} | {text['empty']} "
            f"| {text['different']} | {_value(text['distinct_1'])} | {_value(text['distinct_2'])} "
            f"| {text['repeating']:.3f} |"
        )
    return rows
