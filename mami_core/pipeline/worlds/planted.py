"""The planted part of a world: neurons with a known rule, dissected over the same scenes as the real ones."""

from __future__ import annotations

import shutil
import zlib
from collections.abc import Mapping
from typing import Final

from mami_core.config import DissectConfig
from mami_core.dissection import dissect
from mami_core.dissection.halves import join_halves
from mami_core.inputs import Network
from mami_core.pipeline.sources import SceneryView
from mami_core.pipeline.worlds.describe import true_contents
from mami_core.pipeline.worlds.making import MAP_SIZE, Making, stands
from mami_core.records import Reference
from mami_core.scenery.planted.drawing import draw_rules, split_rules
from mami_core.scenery.planted.files import RULES, by_family, read_rules, write_rules
from mami_core.scenery.planted.rules import Rule
from mami_core.scenery.planted.things import Things
from mami_core.scenery.planted.units import THRESHOLD, PlantedNetwork, PlantedScenes, Rules, rules_sha256
from mami_core.scenery.planted.words import STYLES, describe_rule
from mami_core.store import Dissection, DissectionWriter, UnitKey

NAME: Final = "planted"
SHARES: Final[Mapping[str, float]] = {"train": 0.68, "val": 0.08, "test": 0.24}
_CENSUS: Final = 800  # scenes that rules are drawn from


def add_planted(making: Making) -> Dissection:
    """Plant neurons: draw rules, let them fire, describe them. Test units show scenes that no training unit shows."""
    scenes, out = making.world.halves, making.out / NAME
    if (out / RULES).is_file():
        kept = by_family(read_rules(Dissection.open(out)))
        if stands(out, planted_network(kept), scenes):
            return Dissection.open(out)
    with making.ledger.timing("planted: rules"):
        sample = [Things.of(scenes.scene(index)) for index in range(0, len(scenes), max(1, len(scenes) // _CENSUS))]
        rules = draw_rules(sample, making.world.seed, scale=making.world.scale)
    splits = split_rules(rules, making.world.seed, SHARES)
    with making.ledger.timing("planted: dissect"):
        first, second = (_dissected(making, planted_network(rules), rules, number) for number in (0, 1))
        joined = join_halves(first, second, [*splits["val"], *splits["test"]], scenes, out)
    with making.ledger.timing("planted: describe"):
        _describe(making, joined, rules, splits)
    making.ledger.add(Dissection.open(out), kind="planted", source=NAME)
    for half in (first, second):
        shutil.rmtree(half.path)
    return Dissection.open(out)


def planted_network(rules: Rules) -> Network:
    """Return planted neurons as a network that can be dissected over `PlantedScenes`."""
    return Network(
        name=NAME,
        module=PlantedNetwork(rules),
        preprocess=SceneryView(),
        weights_sha256=rules_sha256(rules),
        simulated=True,
    )


def _dissected(making: Making, network: Network, rules: Rules, number: int) -> Dissection:
    images = PlantedScenes(making.half(number), rules, making.world.seed)
    out = making.work / f"{NAME}-half-{number}"
    config = DissectConfig(
        network=NAME, images=images.name, out=out, layers=tuple(rules), map_size=MAP_SIZE, seed=making.world.seed
    )
    return dissect(network, images, config, out, report=making.report)


def _describe(making: Making, joined: Dissection, rules: Rules, splits: Mapping[str, list[UnitKey]]) -> None:
    """Set the thresholds that the rules imply, then write rules, truth, references and the split by rule."""
    writer = DissectionWriter.open(joined.path)
    writer.stage("describe", "running")
    writer.write_units(joined.units.assign(threshold=THRESHOLD))
    write_rules(writer, rules)
    contents = true_contents(Dissection.open(joined.path), making.world.halves, report=making.report)
    writer.write_truth({key: content.to_dict() for key, content in contents.items()})
    planted = {(family, row): rule for family, members in rules.items() for row, rule in enumerate(members)}
    writer.write_references({key: references_of(key, planted[key]) for key in contents})
    kept = {key for key, rule in planted.items() if key in contents or not rule.terms}  # the dead, and what shows
    writer.write_splits({name: [key for key in units if key in kept] for name, units in splits.items()})
    writer.stage("describe", "done")


def references_of(key: UnitKey, rule: Rule) -> list[Reference]:
    """Return what three annotators who know the rule say of it, in each set."""
    seed = zlib.crc32(f"{key[0]}/{key[1]}".encode())
    return [
        Reference(style, position, text)
        for style in STYLES
        for position, text in enumerate(describe_rule(rule, style=style, seed=seed))
    ]
