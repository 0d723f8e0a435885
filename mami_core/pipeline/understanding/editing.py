"""`mami reproduce editing`: MILAN's editing experiment where the truth is known.

Small networks learn eight places from painted scenes in which a stove stands where the place says. Their last
convolution is dissected and captioned; units whose captions name a stove are silenced. What counts is the accuracy on
scenes whose stove stands where another place's would.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np
import torch

from mami_core.config import EditingConfig
from mami_core.evaluation.seeds import OverSeeds, compare_means, mean_over_seeds
from mami_core.pipeline.captions.caption import open_captioner
from mami_core.pipeline.progress import print_result, progress
from mami_core.pipeline.tables.sections import write_section
from mami_core.pipeline.understanding.cued import SIZES
from mami_core.pipeline.understanding.editing_markdown import as_markdown
from mami_core.pipeline.understanding.editing_run import EDITED, FRACTIONS, kept_run, run_one
from mami_core.probing.intervention.editing import recovered_share
from mami_core.probing.intervention.results import EDITING, keep_result
from mami_core.scenery.cues import CUE_PART

CPU_MINUTES_EACH: Final = 0.5  # of one network, measured


def run_editing(config: EditingConfig) -> None:
    """Run what is not kept yet, and print the figures."""
    torch.set_num_threads(1)
    wanted = [(strength, seed) for strength in config.strengths for seed in range(config.seeds)]
    missing = sum(not kept_run(config, *one).is_file() for one in wanted)
    if missing:
        print(f"{missing} networks, about {missing * CPU_MINUTES_EACH:.0f} CPU-minutes", file=sys.stderr)
    with progress(quiet=config.json) as report:
        captioner = open_captioner(config.captioner)
        runs: dict[float, list[dict[str, Any]]] = {}
        for done, (strength, seed) in enumerate(wanted):
            report("networks", done, len(wanted))
            runs.setdefault(strength, []).append(run_one(config, strength, seed, captioner, report))
        report("networks", len(wanted), len(wanted))
    table = editing_table(runs, config)
    text = as_markdown(table, command=command_of(config))
    keep_result(EDITING, "networks", asdict(config), table)
    if config.out is not None:
        write_section(config.out, "editing", text, title="Results")
    print_result(table, as_json=config.json, text=text)


def command_of(config: EditingConfig) -> str:
    """Return the command line that gives these figures."""
    strengths = " ".join(f"{strength:g}" for strength in config.strengths)
    method = "" if config.method == "zero" else f" --method {config.method}"
    tuned = " --finetune" if config.finetune else ""
    return f"mami reproduce editing --strengths {strengths} --seeds {config.seeds}{method}{tuned}"


def editing_table(runs: Mapping[float, Sequence[Mapping[str, Any]]], config: EditingConfig) -> dict[str, Any]:
    """Return the figures of each strength over its networks, with 95 % intervals over networks and test scenes."""
    some = next(iter(runs.values()))[0]
    return {
        "cue": CUE_PART,
        "captioner": config.captioner,
        "method": config.method,
        "units": some["units"],
        "train": SIZES["train"],
        "scenes": len(some["test"]["whole"]["misleads"]),
        "controls": config.controls,
        "edited": EDITED,
        "cpu_minutes": round(sum(sum(run["cpu_seconds"].values()) for some in runs.values() for run in some) / 60, 1),
        "strengths": {f"{strength:g}": strength_figures(networks) for strength, networks in runs.items()},
    }


def strength_figures(networks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the figures of networks that learnt from the same share of agreeing cues."""
    before = _stacked(networks, lambda run: run["test"]["whole"]["misleads"])  # (S, N)
    none = _stacked(networks, lambda run: run["test"]["whole"]["none"])
    edited = f"{EDITED:g}"
    after = _stacked(networks, lambda run: run["misleads"][edited]["caption"])
    shares = [recovered_share(*(float(rows[place].mean()) for rows in (before, after, none)))
              for place in range(len(networks))]  # fmt: skip
    figures = {
        "named": [len(run["named"]) for run in networks],
        "silenced": [run["misleads"][edited]["silenced"] for run in networks],
        "test": {who: {on: _plain(mean_over_seeds(_stacked(networks, lambda run, who=who, on=on: run["test"][who][on])))
                       for on in networks[0]["test"][who]} for who in ("whole", "edited")},
        "misleads": {f"{fraction:g}": _curve(networks, f"{fraction:g}", before) for fraction in FRACTIONS},
        "recovered": shares,
        "captions": list(networks[0]["captions"].values())[:3],
    }  # fmt: skip
    if all("finetuned" in run for run in networks):
        tuned = {who: _stacked(networks, lambda run, who=who: run["finetuned"][who]) for who in ("edited", "whole")}
        figures["finetuned"] = {who: _plain(mean_over_seeds(rows)) for who, rows in tuned.items()} | {
            "gain": _plain(compare_means(tuned["edited"], tuned["whole"]).difference)
        }
    return figures


def _curve(networks: Sequence[Mapping[str, Any]], fraction: str, before: np.ndarray) -> dict[str, Any]:
    chosen, truth = (_stacked(networks, lambda run, who=who: run["misleads"][fraction][who]) for who in
                     ("caption", "truth"))  # fmt: skip
    controls = np.stack([
        np.mean([_numbers(one) for one in run["misleads"][fraction]["random"]], axis=0) for run in networks
    ])  # (S, N): the mean over random choices  # fmt: skip
    return {
        "caption": _plain(mean_over_seeds(chosen)),
        "random": _plain(mean_over_seeds(controls)),
        "truth": _plain(mean_over_seeds(truth)),
        "over_random": _plain(compare_means(chosen, controls).difference),
        "over_before": _plain(compare_means(chosen, before).difference),
        "silenced": float(np.mean([run["misleads"][fraction]["silenced"] for run in networks])),
    }


def _stacked(networks: Sequence[Mapping[str, Any]], of: Any) -> np.ndarray:
    return np.stack([_numbers(of(run)) for run in networks])  # (S, N)


def _numbers(digits: str) -> np.ndarray:
    return np.frombuffer(digits.encode(), dtype=np.uint8).astype(np.float64) - ord("0")


def _plain(figure: OverSeeds) -> dict[str, Any]:
    return {"value": figure.value, "low": figure.low, "high": figure.high, "by_seed": list(figure.by_seed)}
