"""`mami attribute`: what in an exemplar a unit answers to, by several methods, and which region made a word."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch

from mami_core.captioning.features import unit_features
from mami_core.config import AttributeConfig
from mami_core.device import choose_device
from mami_core.pipeline.captions.caption import open_captioner
from mami_core.pipeline.progress import Report, print_result, progress
from mami_core.pipeline.selection import chosen_keys
from mami_core.pipeline.understanding.networks import dissected_network
from mami_core.probing.attribution.keeping import ARRAYS, Question, attributed
from mami_core.probing.attribution.keeping_words import kept_words
from mami_core.probing.attribution.methods import Effort
from mami_core.store import Dissection, UnitKey


def run_attribution(config: AttributeConfig) -> None:
    """Attribute each unit, or the words of its captions, and say what was found."""
    dissection = Dissection.open(config.dissection)
    keys = chosen_keys(dissection, (config.layer,), frozenset(config.units))
    with progress(quiet=config.json) as report:
        rows = _word_rows(config, dissection, keys, report) if config.captioner else _rows(config, dissection, report)
    text = "\n".join(map(_words_line if config.captioner else _line, rows))
    print_result({"attributions": rows}, as_json=config.json, text=text)


def _rows(config: AttributeConfig, dissection: Dissection, report: Report) -> list[dict[str, Any]]:
    network = dissected_network(dissection, network=config.network, weights=config.weights)
    network.module.to(choose_device(config.device))
    rows = []
    for done, unit in enumerate(config.units, start=1):
        question = Question(config.layer, unit, config.exemplar, config.reading, config.class_number)
        made = attributed(network, dissection, question, config.method, Effort(seed=config.seed))
        rows.append({"layer": config.layer, "unit": unit, **made.facts, "file": str(made.files[ARRAYS])})
        report(f"attribute {config.layer}", done, len(config.units))
    return rows


def _word_rows(
    config: AttributeConfig, dissection: Dissection, keys: list[UnitKey], report: Report
) -> list[dict[str, Any]]:
    rows = []
    for name in config.captioner:
        captioner, encoder = open_captioner(name, device=choose_device(config.device))
        told = partial(report, f"{name}: regions")
        features = unit_features(dissection, encoder, _spoken_of(dissection, captioner.name, keys), progress=told)
        for key in keys:
            caption = dissection.caption(captioner.name, *key)
            assert caption is not None
            (row,) = features.rows_of([key])
            regions, weight = (torch.from_numpy(part).to(captioner.device) for part in features.dense(row))
            made = kept_words(dissection, captioner, key, caption.words, regions, weight, features.grid)
            rows.append({"layer": key[0], "unit": key[1], **made.facts, "file": str(made.files[ARRAYS])})
    return rows


def _spoken_of(dissection: Dissection, captioner: str, keys: list[UnitKey]) -> list[UnitKey]:
    """Return the units; ValueError for one that the captioner said nothing of."""
    for layer, unit in keys:
        if dissection.said(captioner, layer, unit) is None:
            raise ValueError(f"{captioner} said nothing of unit {unit} of {layer}; `mami caption` asks it")
    return keys


def _line(row: dict[str, Any]) -> str:
    head = f"{row['layer']} {row['unit']}, image {row['image']}: {row['answer']:.3g}, plain {row['answer_plain']:.3g}"
    random = f"random deletion {row['random_auc']:.3f} ± {row['random_auc_deviation']:.3f}"
    methods = [
        f"  {name:22} deletion {found['auc']:.3f}, sum {found['sum']:.3g}"
        + ("" if found["on_mask"] is None else f", on the mask {found['on_mask']:.0%} of {row['mask_share']:.0%}")
        for name, found in row["methods"].items()
    ]
    return "\n".join([f"{head}; {random}", *methods])


def _words_line(row: dict[str, Any]) -> str:
    words = [
        f"  {word:14} log p {said:.2f}, without {plain:.2f}; exemplar {place[0]} cell {place[1]}, {place[2]} "
        f"loses {lost:.2f}; attention agrees {attention}"
        for word, said, plain, place, lost, attention in zip(
            row["words"], row["log_p"], row["log_p_plain"], row["strongest"], row["lost"],
            map(_rounded, row["agreement"]["attention"]), strict=True
        )
    ]  # fmt: skip
    return "\n".join([f"{row['layer']} {row['unit']}, {row['captioner']}: {' '.join(row['words'])}", *words])


def _rounded(value: float | None) -> str:
    return "not computed" if value is None else f"{value:.2f}"
