"""Captions of images as files: a row an image in CSV, and in JSON every word with what was looked at."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mami_core.interop.spreadsheet import guard
from mami_core.records import Caption, HeadOutput
from mami_core.store.atomic import replacing
from mami_core.store.attention import write_attention

COLUMNS = ("image", "caption", "state", "log_p", "gate", "looked_at", "entropy")
_DIGITS = 5


def write_image_captions(out: Path, captions: Mapping[str, Caption], facts: Mapping[str, Any]) -> None:
    """Write captions by image name to `out`, .csv or .json; `facts` say who spoke, and go into the JSON.

    CSV holds, per word and joined by semicolons, β, the cell row:column that was most looked at, and the attention's
    entropy in nats (over the heads' mean). ValueError for another ending.
    """
    if out.suffix not in (".csv", ".json"):
        raise ValueError(f"{out}: the ending {out.suffix!r} names no format; use .csv or .json")
    text = _csv(captions) if out.suffix == ".csv" else _json(captions, facts)
    with replacing(out) as partial:
        partial.write_text(text, encoding="utf-8")


def write_image_attention(out: Path, captions: Mapping[str, Caption]) -> None:
    """Write every head's attention maps, numbered by the image's place: an Arrow file as dissections have them."""
    write_attention(out, ((place, caption.heads) for place, caption in enumerate(captions.values()) if caption.heads))


def _csv(captions: Mapping[str, Caption]) -> str:
    buffer = io.StringIO()
    rows = csv.writer(buffer, lineterminator="\n")
    rows.writerow(COLUMNS)
    for name, caption in captions.items():
        weights = _mean_weights(caption.heads)
        log_p = f"{caption.log_p_given_exemplars:.{_DIGITS}f}" if caption.state == "ok" else ""
        per_word = (_joined(caption.gate), _peaks(weights, caption.heads), _joined(_entropy(weights)))
        rows.writerow((guard(name), guard(caption.text), caption.state, log_p, *per_word))
    return buffer.getvalue()


def _joined(values: Sequence[float] | np.ndarray) -> str:
    return ";".join(f"{value:.4f}" for value in values)


def _mean_weights(heads: Sequence[HeadOutput]) -> np.ndarray:
    """Return what all heads looked at, their mean weights (words, regions); without heads no words."""
    return np.mean([head.weights for head in heads], axis=0) if heads else np.zeros((0, 1), np.float32)


def _peaks(weights: np.ndarray, heads: Sequence[HeadOutput]) -> str:
    if not heads:
        return ""
    rows, columns = np.unravel_index(weights.argmax(1), heads[0].grid[1:])
    return ";".join(f"{row}:{column}" for row, column in zip(rows, columns, strict=True))


def _entropy(weights: np.ndarray) -> np.ndarray:
    return -(weights * np.log(np.maximum(weights, 1e-38))).sum(1)


def _json(captions: Mapping[str, Caption], facts: Mapping[str, Any]) -> str:
    rows = [_row(name, caption) for name, caption in captions.items()]
    return json.dumps({**facts, "captions": rows}, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def _row(name: str, caption: Caption) -> dict[str, Any]:
    spoken = caption.state == "ok"
    return {
        "image": name,
        "state": caption.state,
        "caption": caption.text,
        "words": list(caption.words),
        "log_p": caption.log_p_given_exemplars if spoken else None,
        "gate": _rounded(caption.gate),
        "alternatives": [list(entry) for entry in caption.alternatives],
        "heads": [_head(head) for head in caption.heads],
    }


def _head(head: HeadOutput) -> dict[str, Any]:
    return {
        "head": head.head,
        "grid": list(head.grid),
        "weights": [_rounded(row) for row in head.weights],  # a list of regions for each word
        "share": _rounded(head.share),
        "norm": _rounded(head.norm),
        "entropy": _rounded(head.entropy),
        "alone": " ".join(head.caption),
        "without": " ".join(head.without),
    }


def _rounded(values: Sequence[float] | np.ndarray) -> list[float]:
    return [round(float(value), _DIGITS) for value in values]
