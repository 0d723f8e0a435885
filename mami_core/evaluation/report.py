"""One evaluation of captions against what people wrote: every figure with its interval, beside its floors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np

from mami_core.evaluation.bertscore import BertScoreSpec, bert_score
from mami_core.evaluation.coco import coco_metrics
from mami_core.evaluation.floors import ConstantFloor, annotators_bleu, best_constant, shuffled_bleu
from mami_core.evaluation.intervals import LEVEL, bootstrap_mean
from mami_core.evaluation.text import (
    PRESETS,
    Bleu,
    NotComputed,
    bleu4,
    bleu_from_statistics,
    bleu_statistics,
    clean_milan,
    distinct_n,
    lengths,
    longest_repetition,
)
from mami_core.store import UnitKey

_BLOCK: Final = 100  # resamplings made at once: bounds memory at block × units


def evaluate_captions(
    captions: Mapping[UnitKey, str],
    references: Mapping[UnitKey, Sequence[str]],
    *,
    candidates: Iterable[str] | None = None,
    constant: ConstantFloor | None = None,
    nearest: Mapping[UnitKey, str] | None = None,
    bertscore: BertScoreSpec | None = None,
    coco: bool = False,
    meteor: bool = True,
    seed: int = 0,
    draws: int = 1000,
) -> dict[str, Any]:
    """Return how captions compare with references, ready for JSON; intervals are 95 %, by bootstrap over units.

    Units that only one side has are counted and left out. `candidates` are what the best constant caption is chosen
    from (none: the references themselves, so the floor has seen them), `constant` is one that was chosen already;
    `nearest` are captions copied from the most
    similar known unit; `coco` adds METEOR (unless `meteor` is False), CIDEr and ROUGE-L. A figure that could not be had
    reads `{"not_computed": reason}`.

    Raises ValueError when no unit has both a caption and a reference.
    """
    said = {key: texts for key, given in references.items() if (texts := [x for x in given if clean_milan(x)])}
    keys = [key for key in captions if key in said]
    if not keys:
        raise ValueError("no unit has both a caption and a reference; do layer names and unit numbers agree?")
    texts, given = [captions[key] for key in keys], [said[key] for key in keys]
    statistics = _statistics(texts, given)
    report: dict[str, Any] = {
        "units": len(keys),
        "unmatched": len(captions.keys() ^ said.keys()),
        "unmatched_captions": len(captions.keys() - said.keys()),
        "unmatched_references": len(said.keys() - captions.keys()),
        "references": sum(map(len, given)),
        "bleu": {name: _bleu_entry(rows, name, seed, draws) for name, rows in statistics.items()},
        "text": variety(texts),
        "reference_text": variety([text for several in given for text in several]),
        "floors": _floors(texts, given, statistics["milan"], candidates, constant, seed, draws),
        "settings": {"seed": seed, "draws": draws, "level": LEVEL},
    }
    if nearest is not None:
        report["floors"]["nearest_neighbour"] = _copied(nearest, captions, said, seed, draws)
    if bertscore is not None:
        report["bertscore"] = _bertscore_entry(texts, given, bertscore, seed)
    if coco:
        report["coco"] = {name: _shown(value) for name, value in coco_metrics(texts, given, meteor=meteor).items()}
    return report


def _statistics(captions: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, np.ndarray]:
    return {name: bleu_statistics(captions, references, name) for name in PRESETS}


def drawn_bleu(statistics: np.ndarray, preset: str, seed: int, draws: int = 1000) -> np.ndarray:
    """Return BLEU-4 of resampled units, (draws,), from per-unit statistics (units, 10): summed, never recounted."""
    rng = np.random.default_rng(seed)
    units = len(statistics)
    totals = [
        _times_drawn(rng.integers(units, size=(min(_BLOCK, draws - start), units))) @ statistics
        for start in range(0, draws, _BLOCK)
    ]
    return bleu4(np.concatenate(totals), preset)


def _times_drawn(chosen: np.ndarray) -> np.ndarray:
    """Return how often each unit is drawn, (draws, units), from which are, (draws, units)."""
    return np.stack([np.bincount(row, minlength=chosen.shape[1]) for row in chosen])


def _percentiles(drawn: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def bleu_interval(statistics: np.ndarray, preset: str, seed: int, draws: int = 1000) -> tuple[float, float]:
    """Return BLEU-4's percentile interval from per-unit statistics (units, 10)."""
    return _percentiles(drawn_bleu(statistics, preset, seed, draws))


def bleu_difference(first: np.ndarray, second: np.ndarray, preset: str, seed: int, draws: int = 1000) -> dict[str, Any]:
    """Return BLEU-4 of `first` minus that of `second` on the same units, statistics (units, 10) each, paired."""
    if first.shape != second.shape:
        raise ValueError(f"a paired comparison needs the same units on both sides: {len(first)} and {len(second)}")
    drawn = drawn_bleu(first, preset, seed, draws) - drawn_bleu(second, preset, seed, draws)
    ours, theirs = (float(bleu4(rows.sum(axis=0), preset)) for rows in (first, second))
    return {"difference": ours - theirs, "interval": list(_percentiles(drawn))}


def _bleu_entry(statistics: np.ndarray, preset: str, seed: int, draws: int) -> dict[str, Any]:
    found = bleu_from_statistics(statistics.sum(axis=0), preset)
    return {
        "score": found.score,
        "interval": list(bleu_interval(statistics, preset, seed, draws)),
        "brevity_penalty": found.brevity_penalty,
        "orders": list(found.orders),
        "precisions": list(found.precisions),
        "caption_words": found.caption_words,
        "reference_words": found.reference_words,
    }


def variety(captions: Sequence[str]) -> dict[str, Any]:
    """Return how long captions are and how much they repeat, each other and themselves."""
    repeats = [longest_repetition(caption) for caption in captions]
    return {
        **asdict(lengths(captions)),
        "different": len(set(captions)),
        "distinct_1": _shown(distinct_n(captions, 1)),
        "distinct_2": _shown(distinct_n(captions, 2)),
        "longest_repetition": max(repeats),
        "repeating": float(np.mean([size >= 2 for size in repeats])),  # share that says a phrase of two words twice
    }


def _floors(
    captions: Sequence[str],
    references: Sequence[Sequence[str]],
    statistics: np.ndarray,
    candidates: Iterable[str] | None,
    chosen: ConstantFloor | None,
    seed: int,
    draws: int,
) -> dict[str, Any]:
    own = candidates is None and chosen is None
    choice = [text for given in references for text in given] if candidates is None else candidates
    constant = chosen or best_constant(choice, references)
    rows = bleu_statistics([constant.caption] * len(references), references)
    said = bleu_from_statistics(rows.sum(axis=0))
    shuffled = shuffled_bleu(captions, references, seed)
    return {
        "best_constant": {
            "caption": constant.caption,
            "bleu_milan": said.score,
            "interval": list(bleu_interval(rows, "milan", seed, draws)),
            "brevity_penalty": said.brevity_penalty,
            "chosen_from": "these references" if own else "candidates given",
            "tried": constant.tried,
            "captions_minus_constant": bleu_difference(statistics, rows, "milan", seed, draws),
        },
        "shuffled": {"bleu_milan": float(np.mean(shuffled)), "range": [min(shuffled), max(shuffled)]},
        "annotators": _annotators(annotators_bleu(references)),
    }


def _annotators(found: Mapping[int, Bleu] | NotComputed) -> dict[str, Any]:
    if isinstance(found, NotComputed):
        return _shown(found)
    scores = {place: {"bleu_milan": x.score, "brevity_penalty": x.brevity_penalty} for place, x in found.items()}
    return {"bleu_milan": float(np.mean([x.score for x in found.values()])), "by_position": scores}


def _copied(
    nearest: Mapping[UnitKey, str],
    captions: Mapping[UnitKey, str],
    said: Mapping[UnitKey, Sequence[str]],
    seed: int,
    draws: int,
) -> dict[str, Any]:
    keys = [key for key in captions if key in said and key in nearest]
    if not keys:
        return _shown(NotComputed("no evaluated unit has a nearest neighbour's caption"))
    given = [said[key] for key in keys]
    ours = bleu_statistics([captions[key] for key in keys], given)
    theirs = bleu_statistics([nearest[key] for key in keys], given)
    found = bleu_from_statistics(theirs.sum(axis=0))
    return {
        "units": len(keys),
        "bleu_milan": found.score,
        "interval": list(bleu_interval(theirs, "milan", seed, draws)),
        "brevity_penalty": found.brevity_penalty,
        "captions_minus_copies": bleu_difference(ours, theirs, "milan", seed, draws),
    }


def _bertscore_entry(
    captions: Sequence[str], references: Sequence[Sequence[str]], spec: BertScoreSpec, seed: int
) -> dict[str, Any]:
    found = bert_score(captions, references, spec)
    if isinstance(found, NotComputed):
        return _shown(found)
    entry: dict[str, Any] = {"label": found.label}
    for name in ("precision", "recall", "f1"):
        mean = bootstrap_mean(getattr(found, name), seed)
        entry[name] = {"mean": mean.mean, "interval": [mean.low, mean.high]}
    return entry


def _shown(value: Any) -> Any:
    return {"not_computed": value.reason} if isinstance(value, NotComputed) else value
