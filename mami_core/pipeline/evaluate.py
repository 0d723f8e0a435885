"""`mami evaluate`: do captions say what the neurons do, and by how much better than saying the same of every neuron?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mami_core.captioning.encoder import CONFIG
from mami_core.captioning.encoders import open_encoder
from mami_core.captioning.features import unit_features
from mami_core.config import EvaluateConfig
from mami_core.evaluation.bertscore import named_spec
from mami_core.evaluation.floors import nearest_captions
from mami_core.evaluation.report import evaluate_captions
from mami_core.evaluation.truth import not_captioned, summarise, truth_scores
from mami_core.pipeline.progress import print_result
from mami_core.pipeline.tables.sections import write_section
from mami_core.scenery.content import UnitContent
from mami_core.store import Dissection, UnitKey, find_model
from mami_core.store.models import MODELS, known_models

TRUTHS = {
    "names_top": "names the top part",
    "first_is_top": "first part right",
    "recall_top3": "recall of the top three",
    "precision": "precision",
    "attribute_f1": "attribute F1",
}
NEAREST = "nearest neighbour (copied caption)"


def run_evaluation(config: EvaluateConfig) -> None:
    """Print the figures of every captioner of a dissection, or of one file of captions against one of references."""
    if config.dissection is not None:
        report = evaluate_dissection(
            Dissection.open(config.dissection), split=config.split, references=config.set, seed=config.seed
        )
        shown = config.dissection.name if config.dissection.is_absolute() else config.dissection  # no private path
        text = as_markdown(report, command=f"mami evaluate {shown} --split {config.split}")
    else:
        report = _evaluate_files(config)
        bleu = report["bleu"]["milan"]
        text = f"{report['units']} units: BLEU {bleu['score']:.2f}, brevity penalty {bleu['brevity_penalty']:.2f}"
    if config.out is not None:
        write_section(config.out, "evaluate", text, title="Results")
    print_result(report, as_json=config.json, text=text)


def _evaluate_files(config: EvaluateConfig) -> dict[str, Any]:
    from mami_core.interop.captions_csv import read_descriptions, read_references

    assert config.captions is not None
    assert config.references is not None
    captions, references = read_descriptions(config.captions), read_references(config.references)
    spec = None if config.bertscore_backbone is None else named_spec(config.bertscore_backbone)
    return evaluate_captions(captions, references, bertscore=spec, coco=config.coco, seed=config.seed)


def evaluate_dissection(dissection: Dissection, *, split: str, references: str, seed: int) -> dict[str, Any]:
    """Return what is measured of a dissection's captioners on one split, beside copying, annotators and shuffling.

    ValueError when there is nothing to compare: no captioner, no such split, or no such references.
    """
    if not dissection.captioners:
        raise ValueError(f"{dissection.name} is not captioned yet; run `mami caption {dissection.path}`")
    if split not in dissection.splits:
        known = ", ".join(dissection.splits) or "none"
        raise ValueError(f"{dissection.name} has no split {split!r}; it has {known}")
    keys = dissection.splits[split]
    given = {key: _texts(dissection, key, references) for key in keys}
    if not any(given.values()):
        sets = ", ".join(sorted(set(dissection.references["set"]))) or "none"
        raise ValueError(f"{dissection.name} has no references of set {references!r}; it has {sets}")
    train = {key: _texts(dissection, key, references) for key in dissection.splits.get("train", [])}
    copied = copied_captions(dissection, keys, {key: texts for key, texts in train.items() if texts})
    said: dict[str, Mapping[UnitKey, str | None]] = {
        name: {key: _said(dissection, name, key) for key in keys} for name in dissection.captioners
    }
    if copied:
        said[NEAREST] = copied
    for position in range(max(map(len, given.values()))):
        said[f"annotator {position + 1}"] = {
            key: texts[position] for key, texts in given.items() if len(texts) > position
        }
    contents = {key: UnitContent.from_dict(dissection.truth[key]) for key in keys if key in dissection.truth}
    candidates = [text for texts in train.values() for text in texts]
    return {
        "dissection": dissection.name,
        "simulated": dissection.manifest.simulated,
        "split": split,
        "references": references,
        "units": len(keys),
        "text": {
            name: evaluate_captions(
                _spoken(captions), given, candidates=candidates or None, nearest=copied or None, seed=seed
            )
            for name, captions in said.items()
            if not name.startswith("annotator") and _spoken(captions)
        },
        "truth": {name: _truth(captions, contents, seed) for name, captions in said.items() if contents},
        "decoding": {name: facts.get("decoding") for name, facts in dissection.manifest.captioners.items()},
    }


def copied_captions(
    dissection: Dissection, keys: Sequence[UnitKey], known: Mapping[UnitKey, Sequence[str]]
) -> dict[UnitKey, str]:
    """Return for each unit the first reference of the training unit whose mean region is most like its own.

    Empty where no captioner of this dissection names an encoder that is at hand.
    """
    encoders = [facts.get("encoder", {}).get("name") for facts in dissection.manifest.captioners.values()]
    here = known_models(CONFIG, dissection.path / MODELS)
    found = [name for name in encoders if name and (name in here or (Path(name) / CONFIG).is_file())]
    if not known or not found:
        return {}
    encoder = open_encoder(find_model(found[0], CONFIG, beside=dissection.path / MODELS))
    features = unit_features(dissection, encoder, [*known, *keys])
    pooled = features.pooled()
    captions = nearest_captions(pooled[len(known) :], pooled[: len(known)], list(known.values()))
    return dict(zip(keys, captions, strict=True))


def _texts(dissection: Dissection, key: UnitKey, references: str) -> list[str]:
    return [entry.text for entry in dissection.references_of(*key) if entry.set == references]


def _said(dissection: Dissection, captioner: str, key: UnitKey) -> str | None:
    caption = dissection.caption(captioner, *key)
    return None if caption is None or caption.state != "ok" else caption.text


def _spoken(captions: Mapping[UnitKey, str | None]) -> dict[UnitKey, str]:
    return {key: text for key, text in captions.items() if text is not None}


def _truth(
    captions: Mapping[UnitKey, str | None], contents: Mapping[UnitKey, UnitContent], seed: int
) -> dict[str, Any]:
    frame = truth_scores({key: text for key, text in captions.items() if key in contents}, contents)
    figures: dict[str, Any] = {name: asdict(interval) for name, interval in summarise(frame, seed=seed).items()}
    return {**figures, "not_captioned": not_captioned(frame)}


def as_markdown(report: Mapping[str, Any], *, command: str) -> str:
    """Return the figures as Markdown tables, with the command that made them."""
    kind = "simulated: painted scenes, simulated annotators" if report["simulated"] else "real images"
    lines = [
        f"## {report['dissection']}: {report['split']} units",
        "",
        f"{report['units']} units, references `{report['references']}` ({kind}). Written by `{command}`.",
        "In brackets: 95 % interval, bootstrap over units. BLEU moves with caption length alone, so its brevity",
        "penalty (BP) stands beside it.",
    ]
    if report["truth"]:
        lines += ["", "### Truth", "", *_truth_table(report["truth"])]
    lines += ["", "### Text", "", *_text_table(report["text"])]
    return "\n".join(lines)


def _truth_table(truth: Mapping[str, Any]) -> list[str]:
    rows = ["| | " + " | ".join(TRUTHS.values()) + " |", "|---" * (len(TRUTHS) + 1) + "|"]
    for name, figures in truth.items():
        rows.append(f"| {name} | " + " | ".join(_interval(figures.get(key)) for key in TRUTHS) + " |")
    return rows


def _interval(figure: Mapping[str, float] | None) -> str:
    return "not computed" if figure is None else f"{figure['mean']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}]"


def _text_table(text: Mapping[str, Any]) -> list[str]:
    rows = ["| | BLEU-4 | BP | words | best constant caption |", "|---|---|---|---|---|"]
    for name, figures in text.items():
        bleu, constant = figures["bleu"]["milan"], figures["floors"]["best_constant"]
        spread = f"{bleu['score']:.1f} [{bleu['interval'][0]:.1f}, {bleu['interval'][1]:.1f}]"
        said = f"{constant['bleu_milan']:.1f} “{constant['caption']}”"
        rows.append(f"| {name} | {spread} | {bleu['brevity_penalty']:.2f} | {figures['text']['mean']:.1f} | {said} |")
    return rows
