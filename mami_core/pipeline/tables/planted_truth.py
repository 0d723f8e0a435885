"""`mami reproduce planted`: captions of neurons whose rule is known and was never met in training.

Each caption is held against the rule (attribute F1), against activations on scenes that the captioner was not shown
(AUPRC with its lift, Pearson's correlation) and against the rule's exact masks (IoU); beside it the floors, the
annotators, and the oracle: the rule in its plainest words, read by the same grammar.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from mami_core.captioning.compositional import NAME as COMPOSITIONAL
from mami_core.captioning.encoders import AnyEncoder
from mami_core.config import PlantedConfig
from mami_core.evaluation.claims import rule_f1
from mami_core.evaluation.floors import best_constant
from mami_core.evaluation.held_out import HeldOut
from mami_core.evaluation.seeds import mean_over_seeds
from mami_core.pipeline.captions.caption import encoder_at
from mami_core.pipeline.captions.compositional import formula_speaker, pictures_of
from mami_core.pipeline.progress import Report, print_result, progress
from mami_core.pipeline.tables.planted_markdown import as_markdown
from mami_core.pipeline.tables.sections import data_option, write_section
from mami_core.pipeline.tables.table2.names import CONSENSUS
from mami_core.pipeline.tables.table2.run import run_folders
from mami_core.pipeline.tables.table2.scored import plain
from mami_core.pipeline.tables.table2.trainings import Training, nearest_references, run_training
from mami_core.pipeline.tables.table2.units import PLANTED, TrainingUnits, WorldUnits
from mami_core.pipeline.worlds.concepts import SHARP, concept_encoder
from mami_core.pipeline.worlds.world import find_world
from mami_core.probing.pictures import scenery_of
from mami_core.scenery.planted.files import read_rules
from mami_core.scenery.planted.rules import Rule
from mami_core.scenery.planted.words import oracle_caption
from mami_core.store import Dissection, UnitKey
from mami_core.training.batches import reference_texts

MEASURES: Final = ("rule_f1", "auprc", "lift", "pearson", "iou")
ORACLE: Final = "oracle"
REFERENCES: Final = "short"


def run_planted(config: PlantedConfig) -> None:
    """Train what is not trained yet, score the planted test units' captions, print the figures."""
    torch.set_num_threads(1)
    with progress(quiet=config.json) as report:
        folder = find_world(config.data, report)
        table = planted_table(folder, encoder_at(config.encoder), config, report)
    text = as_markdown(table, command=f"mami reproduce planted{data_option(config.data)} --seeds {config.seeds}")
    if config.out is not None:
        write_section(config.out, "planted", text, title="Results")
    print_result(table, as_json=config.json, text=text)


def planted_table(folder: Path, encoder: AnyEncoder, config: PlantedConfig, report: Report) -> dict[str, Any]:
    """Return the figures by captioner and family of rules, ready for JSON."""
    world = WorldUnits.read(folder, encoder, report, ("described", PLANTED))
    planted = Dissection.open(folder / PLANTED)
    rules = read_rules(planted)
    held_out = held_out_scenes(planted, rules, config.scenes, report)
    keys = [world.keys[row][1:] for row in world.rows(PLANTED, "test")]
    said = said_of(world, encoder, config, keys, rules, report)
    said = {COMPOSITIONAL: [formulas_of(planted, keys, report)], **said}
    rows = {}
    for done, (name, captions) in enumerate(said.items()):
        report("planted: score", done, len(said))
        rows[name] = [[_measured(held_out, rules[key], key, text) for key, text in zip(keys, one, strict=True)]
                      for one in captions]  # fmt: skip
    families = [rules[key].family for key in keys]
    figures = {name: by_family(np.array(values), families) for name, values in rows.items()}
    return {
        "units": len(keys),
        "scenes": len(held_out.table.scenes),
        "captioners": figures,
        "examples": _examples(keys, said),
    }


def _measured(held_out: HeldOut, rule: Rule, key: UnitKey, caption: str) -> tuple[float, ...]:
    """Return the measures of one caption of one unit."""
    return rule_f1(caption, rule), *held_out.scores(key, caption).values()


def held_out_scenes(planted: Dissection, rules: Mapping[UnitKey, Rule], count: int, report: Report) -> HeldOut:
    """Return the planted test units on scenes of the half that they do not show."""
    first, _ = planted.manifest.settings["halves"]
    scenes = scenery_of(planted)
    if scenes is None:
        raise ValueError(f"{planted.name} was not dissected over painted scenes; its rules cannot be checked")
    tested = [key for key in planted.splits["test"] if rules[key].terms]
    return HeldOut.of(
        planted, scenes, tested, count=count, among=range(*first), rules=rules,
        progress=lambda done, total: report("planted: held-out scenes", done, total),
    )  # fmt: skip


def formulas_of(planted: Dissection, keys: Sequence[UnitKey], report: Report) -> list[str]:
    """Return what captioner `compositional` says of units: it is not trained, and sees nothing but what they show."""
    speak = formula_speaker(planted, concept_encoder(SHARP, report), pictures_of(planted), report)
    return [caption.text for caption in speak(keys)]


def said_of(
    world: WorldUnits,
    encoder: AnyEncoder,
    config: PlantedConfig,
    keys: Sequence[UnitKey],
    rules: Mapping[UnitKey, Rule],
    report: Report,
) -> dict[str, list[list[str]]]:
    """Return what is said of the test units: by captioners, one list a seed, by floors, annotators and the oracle."""
    folders = run_folders(world, encoder)
    said = {
        name: [run_training(Training(name, PLANTED, REFERENCES, seed), world, folders, report)["best"]["captions"]
               for seed in range(config.seeds)]
        for name in (CONSENSUS, "milan")
    }  # fmt: skip
    units = TrainingUnits.of(world, PLANTED, REFERENCES)
    constant = best_constant(reference_texts(units.splits["train"]), units.splits["test"].texts).caption
    order = np.random.default_rng(0).permutation(len(keys))
    return {
        **said,
        "copying the nearest unit's reference": [nearest_references(units)],
        "best constant caption": [[constant] * len(keys)],
        "consensus, dealt out at random": [[said[CONSENSUS][0][place] for place in order]],
        "annotators": [[texts[place] for texts in units.splits["test"].texts] for place in range(3)],
        ORACLE: [[oracle_caption(rules[key]) for key in keys]],
    }


def by_family(values: np.ndarray, families: Sequence[str]) -> dict[str, Any]:
    """Return every measure's mean by family, and over the families that can be told from exemplars alone.

    values (S, U, measures).
    """
    members: dict[str, list[int]] = defaultdict(list)
    for place, family in enumerate(families):
        members[family].append(place)
    return {
        family: {"units": len(rows), **{name: plain(mean_over_seeds(values[:, rows, column], draws=400))
                                        for column, name in enumerate(MEASURES)}}
        for family, rows in members.items()
    }  # fmt: skip


def _examples(keys: Sequence[UnitKey], said: Mapping[str, Sequence[Sequence[str]]]) -> list[dict[str, str]]:
    """Return the first test unit of each family with what is said of it."""
    first: dict[str, int] = {}
    for place, key in enumerate(keys):
        first.setdefault(key[0], place)
    shown = (ORACLE, COMPOSITIONAL, CONSENSUS, "milan")
    return [{"unit": "/".join(map(str, keys[place])), **{name: said[name][0][place] for name in shown}}
            for place in first.values()]  # fmt: skip
