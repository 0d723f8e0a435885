"""Measure a dissection's captioners on one split: text, truth, floors and ceilings, unit by unit and together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from mami_core.evaluation.bertscore import BertScoreSpec
from mami_core.evaluation.breakdown import annotators_together, means, measured
from mami_core.evaluation.by_unit import Known, Voice, unit_scores
from mami_core.evaluation.floors import ConstantFloor
from mami_core.evaluation.measures import TRUTHS
from mami_core.evaluation.report import evaluate_captions
from mami_core.pipeline.evaluations.speakers import (
    NEAREST,
    Described,
    captioners,
    ceilings,
    chosen_constant,
    copied,
    floors,
)
from mami_core.pipeline.progress import Report
from mami_core.probing.pictures import scenery_of
from mami_core.scenery.content import UnitContent
from mami_core.scenery.planted.files import RULES, read_rules
from mami_core.store import Dissection, UnitKey
from mami_core.store.layout import peaks_file

if TYPE_CHECKING:
    from mami_core.evaluation.held_out import HeldOut

EVERY: Final = "all"  # the split that every unit is in
GROUPINGS: Final = ("layer", "purity", "family")


@dataclass(frozen=True, eq=False)
class Evaluation:
    """`report` is ready for JSON; `scores` has a row per voice and unit (`evaluation.by_unit`)."""

    report: dict[str, Any]
    scores: pd.DataFrame


@dataclass(frozen=True)
class Depth:
    """What is measured beyond what takes a second. Each takes 5 to 20."""

    copying: bool = True  # the floor of copying the most similar training unit's reference
    scenes: int = 1000  # held-out scenes that expectations are compared with activations on; 0: none
    coco: bool = False  # METEOR, CIDEr, ROUGE-L
    bertscore: BertScoreSpec | None = None
    groups: bool = True  # every measure by layer, purity and family


QUICK: Final = Depth(copying=False, scenes=0, groups=False)


def evaluate_dissection(
    dissection: Dissection,
    *,
    split: str,
    references: str,
    seed: int = 0,
    depth: Depth | None = None,
    progress: Report | None = None,
) -> Evaluation:
    """Return what is measured of a dissection's captioners on one split.

    ValueError when there is nothing to compare: no captioner, no such split, or no such references.
    """
    depth = depth or Depth()
    units = described(dissection, split, references)
    spoken = captioners(dissection, units.keys)
    copy = copied(dissection, units) if depth.copying else None
    constant = chosen_constant(units)
    known = [*spoken, *([copy] if copy else [])]
    voices = [*known, *floors(spoken, units, constant.caption, seed=seed), *ceilings(units)]
    held_out, missing = _held_out(dissection, units, depth, progress)
    scores = unit_scores(voices, Known(units.keys, units.given, units.contents, units.rules, held_out))
    if not units.contents:
        missing["truth"] = _no_truth(dissection)
    report = {
        "dissection": dissection.name,
        "simulated": dissection.manifest.simulated,
        "split": split,
        "references": references,
        "units": len(units.keys),
        "text": _texts(known, units, constant, depth, seed),
        "truth": _truths(scores, seed),
        "by": {by: _grouped(scores, by, seed) for by in GROUPINGS} if depth.groups else {},
        "held_out_scenes": depth.scenes if held_out else 0,
        "not_computed": missing,
        "decoding": {name: facts.get("decoding") for name, facts in dissection.manifest.captioners.items()},
    }
    return Evaluation(report, scores)


def described(dissection: Dissection, split: str, references: str) -> Described:
    """Return a split's units with what is known of them; ValueError as `evaluate_dissection`."""
    if not dissection.captioners:
        raise ValueError(f"{dissection.name} is not captioned yet; run `mami caption {dissection.path}`")
    if split not in (*dissection.splits, EVERY):
        raise ValueError(f"{dissection.name} has no split {split!r}; it has {', '.join((*dissection.splits, EVERY))}")
    keys = dissection.splits[split] if split in dissection.splits else dissection.unit_keys()
    train = [] if split in ("train", EVERY) else dissection.splits.get("train", [])
    given = {key: _references(dissection, key, references) for key in keys}
    if not any(given.values()):
        sets = ", ".join(sorted(set(dissection.references["set"]))) or "none"
        raise ValueError(f"{dissection.name} has no references of set {references!r}; it has {sets}")
    learnt = {key: _references(dissection, key, references) for key in train}
    rules = read_rules(dissection) if (dissection.path / RULES).is_file() else {}
    return Described(
        keys,
        given,
        {key: texts for key, texts in learnt.items() if texts},
        _contents(dissection, [*keys, *train]),
        rules,
    )


def _references(dissection: Dissection, key: UnitKey, references: str) -> list[str]:
    return [entry.text for entry in dissection.references_of(*key) if entry.set == references]


def _contents(dissection: Dissection, keys: Sequence[UnitKey]) -> dict[UnitKey, UnitContent]:
    """Return what units' masks hold; units whose truth is of another kind (imported planted neurons) are left out."""
    known = {key: dissection.truth[key] for key in keys if key in dissection.truth}
    return {key: UnitContent.from_dict(truth) for key, truth in known.items() if "parts" in truth}


def _no_truth(dissection: Dissection) -> str:
    if dissection.truth:
        return "the truth of these units is a rule in words, not parts under masks: only text can be measured"
    return "what these units fire for is not known: only text can be measured"


def _held_out(
    dissection: Dissection, units: Described, depth: Depth, progress: Report | None
) -> tuple[HeldOut | None, dict[str, str]]:
    """Return the held-out scenes, or why there are none."""
    if not depth.scenes:
        return None, {"firing": "not asked for"}
    if not units.contents:
        return None, {}
    try:
        scenes = scenery_of(dissection)
    except ValueError as problem:  # painted by another version
        return None, {"firing": str(problem)}
    kept = all(peaks_file(layer) in dissection.manifest.files for layer in dissection.layers)
    if scenes is None or not kept or not all(map(dissection.has_maps, dissection.layers)):
        return None, {"firing": "needs painted scenes, and the peaks and maps of every layer"}
    from mami_core.evaluation.held_out import HeldOut  # torch: only who asks for it waits

    told = None if progress is None else lambda done, total: progress("held-out scenes", done, total)
    rules = {key: rule for key, rule in units.rules.items() if rule.terms}
    return HeldOut.of(dissection, scenes, units.keys, count=depth.scenes, rules=rules, progress=told), {}


def _texts(
    voices: Sequence[Voice], units: Described, constant: ConstantFloor, depth: Depth, seed: int
) -> dict[str, dict[str, Any]]:
    """Return by captioner, and for copying, how near captions come to what people wrote."""
    spoken = {voice.name: {key: text for key, text in voice.captions.items() if text is not None} for voice in voices}
    options: dict[str, Any] = {"bertscore": depth.bertscore, "coco": depth.coco, "seed": seed}
    return {
        name: evaluate_captions(said, units.given, constant=constant, nearest=spoken.get(NEAREST), **options)
        for name, said in spoken.items()
        if said
    }


def _truths(scores: pd.DataFrame, seed: int) -> dict[str, dict[str, Any]]:
    """Return by voice every measure's mean with its interval, and how many units have no caption."""
    missing = scores[scores["caption"].isna()].groupby("voice").size()
    found: dict[str, dict[str, Any]] = {}
    for measure in measured(scores, TRUTHS):
        for row in means(scores, measure, seed=seed).to_dict("records"):
            own = found.setdefault(row["voice"], {"not_captioned": int(missing.get(row["voice"], 0))})
            own[measure] = {name: row[name] for name in ("mean", "low", "high", "count")}
    return found


def _grouped(scores: pd.DataFrame, by: str, seed: int) -> list[dict[str, Any]]:
    """Return a row per voice, group and measure; empty where units have no such groups."""
    together = annotators_together(scores)
    judged = together[together["kind"].isin(("captioner", "copy", "annotator", "oracle"))]
    rows = [
        means(judged, measure, by, seed=seed).assign(measure=measure) for measure in measured(judged, (*TRUTHS, "bleu"))
    ]
    return [] if not rows else pd.concat(rows).to_dict("records")  # type: ignore[return-value]
