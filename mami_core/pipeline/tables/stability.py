"""`mami reproduce stability`: do captions of neurons that fire for one part name it, whichever exemplars are shown?"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from mami_core.captioning.captioner import Captioner
from mami_core.captioning.checkpoint import Checkpoint
from mami_core.captioning.compositional import NAME as COMPOSITIONAL
from mami_core.captioning.encoders import AnyEncoder
from mami_core.config import StabilityTableConfig
from mami_core.evaluation.intervals import Interval, bootstrap_mean
from mami_core.pipeline.captions.caption import encoder_at
from mami_core.pipeline.captions.compositional import by_group, captions_of_draws, looker, pictures_of
from mami_core.pipeline.progress import Report, print_result, progress
from mami_core.pipeline.tables.sections import data_option, write_section
from mami_core.pipeline.tables.table2.names import CONSENSUS
from mami_core.pipeline.tables.table2.run import run_folders
from mami_core.pipeline.tables.table2.trainings import (
    PAPERS,
    Training,
    language_model_of,
    run_training,
    trained_consensus,
    trained_decoder,
    with_few,
)
from mami_core.pipeline.tables.table2.units import PLANTED, TrainingUnits, WorldUnits
from mami_core.pipeline.understanding.telling import Teller, open_teller, say, say_consensus
from mami_core.pipeline.understanding.unit_stability import told_again
from mami_core.pipeline.worlds.concepts import SHARP, concept_encoder
from mami_core.pipeline.worlds.world import find_world
from mami_core.probing.stability import Stability
from mami_core.scenery.planted.files import read_rules
from mami_core.scenery.reading import read_caption
from mami_core.store import Dissection, UnitKey

FAMILY: Final = "single"
TRAINED: Final = (CONSENSUS, "milan", "luong", "self", "mami")
_WANTED: Final = 0.9


@dataclass(frozen=True, eq=False)
class Units:
    """Planted neurons with one part each. Of those tested no training unit has the rule, nor shows the images."""

    dissection: Dissection
    parts: Mapping[UnitKey, str]
    tested: frozenset[UnitKey]

    @classmethod
    def of(cls, planted: Dissection) -> Units:
        """Return the units of family `single`: those tested, and those that captioners were trained on."""
        rules, splits = read_rules(planted), planted.splits
        chosen = [key for key in (*splits["test"], *splits["train"]) if key[0] == FAMILY]
        parts = {key: str(rules[key].terms[0].part) for key in chosen}
        return cls(planted, parts, frozenset(parts).intersection(splits["test"]))


def run_stability_table(config: StabilityTableConfig) -> None:
    """Train what is not trained yet, caption resamples, print how many name the part."""
    torch.set_num_threads(1)
    with progress(quiet=config.json) as report:
        folder = find_world(config.data, report)
        units = Units.of(Dissection.open(folder / PLANTED))
        rows = [stability_of(teller, units, config, report) for teller in tellers(folder, config, report)]
        if COMPOSITIONAL in config.captioners:
            rows.append(formulas_stability(units, config, report))
    tested, trained = len(units.tested), len(units.parts) - len(units.tested)
    table = {"units": tested, "trained_on": trained, "resamples": config.resamples, "captioners": rows}
    text = as_markdown(table, f"mami reproduce stability{data_option(config.data)} --resamples {config.resamples}")
    if config.out is not None:
        write_section(config.out, "stability", text, title="Results")
    print_result(table, as_json=config.json, text=text)


def tellers(folder: Path, config: StabilityTableConfig, report: Report) -> list[Teller]:
    """Return the captioners: those of the table trained on planted neurons, others by folder or name."""
    own = [name for name in config.captioners if name in TRAINED]
    encoder = encoder_at(config.encoder)
    world = WorldUnits.read(folder, encoder, report, ("described", PLANTED)) if own else None
    return [
        open_teller(name, torch.device("cpu")) if world is None or name not in own
        else trained_teller(name, world, encoder, report)
        for name in config.captioners if name != COMPOSITIONAL
    ]  # fmt: skip


def trained_teller(name: str, world: WorldUnits, encoder: AnyEncoder, report: Report) -> Teller:
    """Return a captioner that was trained on planted neurons, decoded as it did best on validation units."""
    training, folders = Training(name, PLANTED, "short", 0), run_folders(world, encoder)
    best = run_training(training, world, folders, report)["best"]
    units = with_few(TrainingUnits.of(world, PLANTED, "short"))
    if name == CONSENSUS:
        made, _ = trained_consensus(training, world, units, folders, report)
        return Teller(name, encoder, partial(say_consensus, made))
    decoder, _ = trained_decoder(training, units, folders, report)
    model = language_model_of(units, folders.shared)
    captioner = Captioner(name, Checkpoint(decoder, units.vocabulary, model), PAPERS[best["decoding"]])
    return Teller(name, encoder, partial(say, captioner))


def stability_of(teller: Teller, units: Units, config: StabilityTableConfig, report: Report) -> dict[str, Any]:
    """Return one captioner's figures over the units, with intervals over units, and every unit's own."""
    keys = list(units.parts)
    features = teller.regions(units.dissection, keys, report)
    started = time.process_time()
    found = dict(told_again(teller, features, config.resamples, config.seed, report))
    seconds = time.process_time() - started
    return {"captioner": teller.name, **_figures(found, units), "cpu_seconds": round(seconds, 1)}


def formulas_stability(units: Units, config: StabilityTableConfig, report: Report) -> dict[str, Any]:
    """Return the figures of captioner `compositional`: it reads all pictures, so all pictures are drawn again."""
    planted = units.dissection
    look = looker(planted, concept_encoder(SHARP, report), pictures_of(planted), report)
    started, found = time.process_time(), {}
    for done, key in enumerate(by_group(planted, list(units.parts))):
        said = captions_of_draws(planted, key, *look(key), config.resamples, (config.seed, key[1]))
        texts = [caption.text for caption in said]
        found[key] = Stability(texts[0], tuple(texts[1:]))
        report(f"{COMPOSITIONAL}: resamples", done + 1, len(units.parts))
    seconds = time.process_time() - started
    return {"captioner": COMPOSITIONAL, **_figures(found, units), "cpu_seconds": round(seconds, 1)}


def _figures(found: Mapping[UnitKey, Stability], units: Units) -> dict[str, Any]:
    named = {key: float(np.mean([_names(text, part) for text in found[key].captions]))
             for key, part in units.parts.items()}  # fmt: skip
    tested = [key for key in units.parts if key in units.tested]
    measures = {
        "names the part": [named[key] for key in tested],
        "of all exemplars": [float(_names(found[key].caption, units.parts[key])) for key in tested],
        "agreement": [found[key].agreement for key in tested],
        "same caption": [found[key].same for key in tested],
        "trained on": [named[key] for key in units.parts if key not in units.tested],
    }
    each = [
        {"unit": f"{key[0]}/{key[1]}", "part": units.parts[key], "named": named[key], "caption": found[key].caption}
        for key in tested
    ]
    return {**{name: _plain(bootstrap_mean(values, 0)) for name, values in measures.items()}, "each": each}


def _names(caption: str, part: str) -> bool:
    return part in read_caption(caption).parts


def _plain(interval: Interval) -> dict[str, float]:
    return {"mean": interval.mean, "low": interval.low, "high": interval.high}


def as_markdown(table: Mapping[str, Any], command: str) -> str:
    """Return the figures as a section of docs/results.md."""
    columns = ("names the part", "of all exemplars", "agreement", "same caption", "trained on")
    lines = [
        "## Stability: captions of bootstrapped exemplars",
        "",
        f"Written by `{command}`. {table['units']} planted neurons that fire for one part, of rules that no training "
        f"unit has; their 15 exemplars drawn {table['resamples']} times with repeats and captioned again (of "
        "`compositional`, which reads all pictures of its half: these). *Names the part*: share of resamples whose "
        "caption does; *of all exemplars*: of units whose own caption does; *agreement*: word F1 of two resamples; "
        "*same caption*: resamples that say exactly what all exemplars do; "
        f"*trained on*: names the part, of the {table['trained_on']} units whose rules are trained on. In "
        "brackets: 95 % interval, bootstrap over units. Simulated world.",
        "",
        "| captioner | " + " | ".join(columns) + " | CPU s |",
        "|---|" + "---|" * (len(columns) + 1),
        *(_line(row, columns) for row in table["captioners"]),
        "",
        _verdict(table["captioners"]),
    ]
    return "\n".join(lines)


def _line(row: Mapping[str, Any], columns: Sequence[str]) -> str:
    cells = [f"{row[name]['mean']:.3f} [{row[name]['low']:.3f}, {row[name]['high']:.3f}]" for name in columns]
    return f"| {row['captioner']} | " + " | ".join(cells) + f" | {row['cpu_seconds']:.0f} |"


def _verdict(rows: Sequence[Mapping[str, Any]]) -> str:
    """Say of each captioner whether it names the part in 90 % of resamples, and where it fails."""
    said = []
    for row in rows:
        mean = row["names the part"]["mean"]
        missed = [f"{unit['part']} ({unit['named']:.0%}: “{unit['caption']}”)" for unit in row["each"]
                  if unit["named"] < _WANTED]  # fmt: skip
        verdict = "reaches" if mean >= _WANTED else "falls short of"
        tail = f"; units below: {', '.join(missed[:6])}" + (f" and {len(missed) - 6} more" if len(missed) > 6 else "")
        said.append(f"{row['captioner']} {verdict} 90 % ({mean:.0%})" + (tail if missed else ""))
    return ". ".join(said) + "."
