"""`mami evaluate`: do captions say what the neurons do, and by how much better than saying the same of every neuron?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from mami_core.config import EvaluateConfig
from mami_core.evaluation.bertscore import BertScoreSpec, named_spec
from mami_core.evaluation.report import evaluate_captions
from mami_core.pipeline.evaluations.markdown import as_markdown
from mami_core.pipeline.evaluations.measuring import Depth, Evaluation, evaluate_dissection
from mami_core.pipeline.progress import print_result, progress
from mami_core.pipeline.tables.sections import write_section
from mami_core.store import Dissection
from mami_core.store.atomic import replacing
from mami_core.store.evaluations import keep_evaluation


def run_evaluation(config: EvaluateConfig) -> None:
    """Print the figures of every captioner of a dissection, or of one file of captions against one of references."""
    report, text = _of_files(config) if config.dissection is None else _of_dissection(config, config.dissection)
    if config.out is not None:
        write_section(config.out, "evaluate", text, title="Results")
    print_result(report, as_json=config.json, text=text)


def _of_dissection(config: EvaluateConfig, path: Path) -> tuple[dict[str, Any], str]:
    """Return the report, kept for the dashboard too, and its Markdown."""
    dissection = Dissection.open(path)
    depth = Depth(scenes=config.scenes, coco=config.coco, bertscore=_spec(config))
    with progress(quiet=config.json) as told:
        found = evaluate_dissection(
            dissection, split=config.split, references=config.set, seed=config.seed, depth=depth, progress=told
        )
    keep_evaluation(dissection.path, config.split, config.set, found.report, found.scores)
    if config.keep is not None:
        write_tables(config.keep, found)
    shown = path.name if path.is_absolute() else path  # no private path
    return found.report, as_markdown(found.report, command=f"mami evaluate {shown} --split {config.split}")


def write_tables(folder: Path, found: Evaluation) -> None:
    """Write `evaluation.csv`, a row per voice, group and measure, and `units.csv`, a row per voice and unit."""
    overall = [
        {"by": "all", "voice": voice, "group": "all units", "measure": measure, **figure}
        for voice, figures in found.report["truth"].items()
        for measure, figure in figures.items()
        if isinstance(figure, dict)
    ]
    grouped = [{"by": by, **row} for by, rows in found.report["by"].items() for row in rows]
    columns = ["by", "voice", "group", "measure", "mean", "low", "high", "count"]
    for name, table in (
        ("evaluation.csv", pd.DataFrame([*overall, *grouped], columns=columns)),
        ("units.csv", found.scores),
    ):
        with replacing(folder / name) as partial:
            table.to_csv(partial, index=False, float_format="%.6g")


def _spec(config: EvaluateConfig) -> BertScoreSpec | None:
    return None if config.bertscore_backbone is None else named_spec(config.bertscore_backbone)


def _of_files(config: EvaluateConfig) -> tuple[dict[str, Any], str]:
    from mami_core.interop.captions_csv import read_descriptions, read_references

    assert config.captions is not None
    assert config.references is not None
    captions, references = read_descriptions(config.captions), read_references(config.references)
    report = evaluate_captions(captions, references, bertscore=_spec(config), coco=config.coco, seed=config.seed)
    bleu = report["bleu"]["milan"]
    text = f"{report['units']} units: BLEU {bleu['score']:.2f}, brevity penalty {bleu['brevity_penalty']:.2f}"
    return report, text
