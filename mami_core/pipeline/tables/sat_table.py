"""Show, Attend and Tell's table 1 beside ours: figures with intervals, floors, and the papers' rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from mami_core.evaluation.coco import coco_metrics
from mami_core.evaluation.floors import best_constant
from mami_core.evaluation.report import bleu_difference, bleu_interval
from mami_core.evaluation.text import NotComputed, bleu_from_statistics, bleu_statistics
from mami_core.interop.captioned_images import CaptionedImages

FORMS: Final = ("sat", "coco")  # without and with a brevity penalty
SHOWN: Final = {
    "sat-soft": "soft attention",
    "sat-hard": "hard attention",
    "init-inject": "init-inject",
    "pre-inject": "pre-inject",
    "par-inject": "par-inject",
    "merge": "merge",
}
# Xu et al. 2015, table 1, Flickr8k: BLEU-1 to BLEU-4 without brevity penalty, METEOR
PAPER: Final[Mapping[str, tuple[float | None, ...]]] = {
    "Google NIC (Vinyals et al. 2014; another split)": (63, 41, 27, None, None),
    "Log Bilinear (Kiros et al. 2014)": (65.6, 42.4, 27.7, 17.7, 17.31),
    "Soft-Attention (Xu et al. 2015)": (67, 44.8, 29.9, 19.5, 18.93),
    "Hard-Attention (Xu et al. 2015)": (67, 45.7, 31.4, 21.3, 20.30),
    # Tanti et al. 2018, the authors' published results: means of three runs, GRU, BLEU-4 of COCO's evaluation
    "init-inject (Tanti et al. 2018)": (None, None, None, 19.1, None),
    "pre-inject (Tanti et al. 2018)": (None, None, None, 19.0, None),
    "par-inject (Tanti et al. 2018)": (None, None, None, 19.1, None),
    "merge (Tanti et al. 2018)": (None, None, None, 17.8, None),
}
_CANDIDATES: Final = 5000  # training captions that the best constant one is chosen from


def table_of(
    data: CaptionedImages, runs: Mapping[str, Sequence[Mapping[str, Any]]], *, meteor: bool, encoder: str
) -> dict[str, Any]:
    """Return the table's figures, ready for JSON. Intervals are 95 %, by bootstrap over test images.

    Several seeds count as several captions of the same images: their statistics add up, image by image.
    """
    references = [data.captions[row] for row in data.rows("test")]
    known = [text for row in data.rows("train") for text in data.captions[row]][:_CANDIDATES]
    constants = {form: best_constant(known, references, form) for form in FORMS}
    floors = {form: [floor.caption] * len(references) for form, floor in constants.items()}
    counted = {form: bleu_statistics(floors[form], references, form) for form in FORMS}
    rows = {name: _row([run["captions"] for run in found], references, counted, meteor) for name, found in runs.items()}
    for name, found in runs.items():
        rows[name]["runs"] = [{key: run[key] for key in run if key not in ("captions", "recipe")} for run in found]
    return {
        "data": data.name,
        "simulated": data.source.simulated,
        "encoder": encoder,
        "images": {split: len(data.rows(split)) for split in ("train", "val", "test")},
        "references": sum(map(len, references)),
        "captioners": rows,
        "constants": {
            form: {"caption": constants[form].caption, **_row([floors[form]], references, counted, meteor)}
            for form in FORMS
        },
        "annotator": _annotator(references),
    }


def _row(
    captions: Sequence[Sequence[str]],
    references: Sequence[Sequence[str]],
    floors: Mapping[str, np.ndarray],
    meteor: bool,
) -> dict[str, Any]:
    """Return the figures of one captioner's test captions, one list a seed."""
    row: dict[str, Any] = {}
    for form in FORMS:
        each = [bleu_statistics(said, references, form) for said in captions]
        statistics = np.sum(each, axis=0)  # (images, 10)
        found = bleu_from_statistics(statistics.sum(axis=0), form)
        row[form] = {
            "orders": list(found.orders),
            "interval": list(bleu_interval(statistics, form, 0)),
            "brevity_penalty": found.brevity_penalty,
            "words": found.caption_words / len(references) / len(captions),
            "minus_constant": bleu_difference(statistics, len(captions) * floors[form], form, 0),
            "seeds": [bleu_from_statistics(one.sum(axis=0), form).score for one in each],
        }
    row["different"] = len(set(captions[0]))
    row["meteor"] = _meteor(captions, references) if meteor else {"not_computed": "not asked for"}
    return row


def _meteor(captions: Sequence[Sequence[str]], references: Sequence[Sequence[str]]) -> Any:
    scores = [coco_metrics(said, references)["meteor"] for said in captions]
    missing = next((score for score in scores if isinstance(score, NotComputed)), None)
    if missing is not None:
        return {"not_computed": missing.reason}
    return 100 * float(np.mean([score for score in scores if not isinstance(score, NotComputed)]))


def _annotator(references: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Return what the first simulated annotator scores against the other four: a ceiling that is somewhat low."""
    first, others = [texts[0] for texts in references], [texts[1:] for texts in references]
    found = {form: bleu_statistics(first, others, form) for form in FORMS}
    return {
        form: {
            "orders": list(bleu_from_statistics(rows.sum(axis=0), form).orders),
            "interval": list(bleu_interval(rows, form, 0)),
        }
        for form, rows in found.items()
    }


def as_markdown(table: Mapping[str, Any], *, command: str) -> str:
    """Return the table as Markdown, with the command that made it."""
    images = table["images"]
    kind = (
        "Simulated: painted scenes, five captions each by simulated people from the true content." * table["simulated"]
    )
    lines = [
        "## Show, Attend and Tell, table 1",
        "",
        f"Written by `{command}`. {kind}",
        f"{images['train']} training, {images['val']} validation, {images['test']} test images of `{table['data']}`;",
        f"encoder `{table['encoder']}`; stopped on validation BLEU, decoding chosen on validation, tested once.",
        "In brackets: 95 % interval, bootstrap over test images. BLEU is without brevity penalty, as in the paper;",
        "BLEU-4 with it (BP) stands beside. Minus constant: the captioner less the best caption said of every image.",
        "",
        "| | BLEU-1 | BLEU-2 | BLEU-3 | BLEU-4 | METEOR | BLEU-4, BP | minus constant | words |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [_line(SHOWN.get(name, name), row) for name, row in table["captioners"].items()]
    for form, label in (("coco", "with"), ("sat", "without")):
        floor = table["constants"][form]
        lines.append(
            _line(f"best constant caption, by BLEU-4 {label} penalty: “{floor['caption']}”", floor, floor=True)
        )
    lines.append(_annotator_line(table["annotator"]))
    lines += ["", "Flickr8k in the papers (photographs, other data: not comparable in size, only in order):", ""]
    lines += ["| | BLEU-1 | BLEU-2 | BLEU-3 | BLEU-4 | METEOR |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {name} | " + " | ".join("—" if f is None else f"{f:g}" for f in row) + " |" for name, row in PAPER.items()
    ]
    return "\n".join([*lines, "", *_how(table)])


def _line(name: str, row: Mapping[str, Any], *, floor: bool = False) -> str:
    sat, coco = row["sat"], row["coco"]
    scores = " | ".join(f"{score:.1f}" for score in sat["orders"][:3])
    low, high = sat["interval"]
    meteor = row["meteor"] if isinstance(row["meteor"], dict) else f"{row['meteor']:.1f}"
    meteor = f"not computed: {meteor['not_computed']}" if isinstance(meteor, dict) else meteor
    with_penalty = f"{coco['orders'][-1]:.1f} [{coco['interval'][0]:.1f}, {coco['interval'][1]:.1f}]"
    less = coco["minus_constant"]
    gain = "" if floor else f"{less['difference']:+.1f} [{less['interval'][0]:+.1f}, {less['interval'][1]:+.1f}]"
    return (
        f"| {name} | {scores} | {sat['orders'][3]:.1f} [{low:.1f}, {high:.1f}] | {meteor} | {with_penalty} | {gain} "
        f"| {coco['words']:.1f} |"
    )


def _annotator_line(found: Mapping[str, Any]) -> str:
    scores = " | ".join(f"{score:.1f}" for score in found["sat"]["orders"])
    return (
        f"| first annotator against the other four | {scores} | not computed | {found['coco']['orders'][-1]:.1f} | | |"
    )


def _how(table: Mapping[str, Any]) -> list[str]:
    """Return one line a captioner: epochs, decoding, size, cost, and the spread over seeds."""
    lines = []
    for name, row in table["captioners"].items():
        runs = row["runs"]
        seeds = ", ".join(f"{score:.1f}" for score in row["coco"]["seeds"])
        lines.append(
            f"- {SHOWN.get(name, name)}: best epoch {runs[0]['best_epoch']} of {runs[0]['epochs']}, decoded by "
            f"{runs[0]['decoding']}, {runs[0]['parameters'] / 1e6:.2f} M weights, "
            f"{sum(run['cpu_seconds'] for run in runs):.0f} CPU seconds; BLEU-4 (BP) by seed: {seeds}"
        )
    return lines
