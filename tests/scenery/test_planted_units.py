"""Planted neurons drawn from real scenes: rules that fire, words that read back, splits that share no composition."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mami_core.config import DissectConfig
from mami_core.dissection import dissect
from mami_core.pipeline.worlds.planted import planted_network
from mami_core.scenery.images import SceneryImages
from mami_core.scenery.planted.drawing import COUNTS, draw_rules, split_rules
from mami_core.scenery.planted.files import by_family, read_rules, write_rules
from mami_core.scenery.planted.rules import FAMILIES, Rule
from mami_core.scenery.planted.things import Things
from mami_core.scenery.planted.units import PlantedScenes
from mami_core.scenery.planted.words import STYLES, describe_rule, oracle_caption
from mami_core.scenery.reading import read_caption
from mami_core.store import DEMO, Dissection, DissectionWriter

SHARES = {"train": 0.68, "val": 0.08, "test": 0.24}
SCENES = 150


@pytest.fixture(scope="module")
def scenes() -> SceneryImages:
    return SceneryImages(SCENES, seed=21, remember=True)


@pytest.fixture(scope="module")
def things(scenes) -> list[Things]:
    return [Things.of(scenes.scene(index)) for index in range(SCENES)]


@pytest.fixture(scope="module")
def rules(things) -> dict[str, list[Rule]]:
    return draw_rules(things, seed=3, scale=0.25)


def test_there_are_at_least_600_in_twelve_families():
    assert set(COUNTS) == set(FAMILIES)
    assert sum(COUNTS.values()) >= 600


def test_every_rule_fires_in_some_scenes_and_not_in_all(rules, things):
    assert list(rules) == list(FAMILIES)
    for family, members in rules.items():
        assert len(members) >= 2
        for rule in members:
            share = np.mean([rule.matches(scene) for scene in things])
            assert share == 0 if family == "dead" else 0 < share < 0.8


def test_a_further_condition_always_leaves_some_of_the_things_out(rules, things):
    for family in ("not", "size", "position", "relation"):
        for rule in rules[family]:
            plain = Rule("single", rule.terms)
            kept = sum(int(rule.select(scene).sum()) for scene in things)
            assert 0 < kept < sum(int(plain.select(scene).sum()) for scene in things)


def test_everything_said_of_a_rule_reads_back_as_the_rule(rules):
    for family, members in rules.items():
        for number, rule in enumerate(members):
            if family == "dead":
                continue
            for text in (
                oracle_caption(rule),
                *(t for style in STYLES for t in describe_rule(rule, style=style, seed=number)),
            ):
                said = read_caption(text)
                assert set(said.meanings) == rule.meanings, text
                assert set(said.negated) == rule.denied, text
                assert said.operator == rule.operator, text
                assert said.unread_words == (), text


def test_long_descriptions_are_long_and_short_ones_short(rules):
    texts = {
        style: [
            text
            for members in rules.values()
            for number, rule in enumerate(members)
            if rule.terms
            for text in describe_rule(rule, style=style, seed=100 * len(rule.family) + number)
        ]
        for style in STYLES
    }
    assert 2.5 <= np.mean([len(text.split()) for text in texts["short"]]) <= 5
    assert 14 <= np.mean([len(text.split()) for text in texts["long"]]) <= 20


def test_nothing_can_be_said_of_a_dead_neuron():
    with pytest.raises(ValueError, match="dead"):
        describe_rule(Rule("dead"), style="short", seed=0)


def test_no_composition_is_on_two_sides_of_a_split(rules):
    splits = split_rules(rules, 3, SHARES)
    everyone = [key for members in splits.values() for key in members]
    assert sorted(everyone) == sorted((family, row) for family, own in rules.items() for row in range(len(own)))
    made_of = {
        name: {rules[family][row].composition for family, row in members if family != "dead"}
        for name, members in splits.items()
    }
    assert not made_of["train"] & made_of["test"]
    assert not made_of["train"] & made_of["val"]
    assert not made_of["val"] & made_of["test"]
    assert 0.15 <= len(splits["test"]) / len(everyone) <= 0.33


def test_the_same_seed_draws_the_same_rules(rules, things):
    assert draw_rules(things, seed=3, scale=0.25) == rules
    assert draw_rules(things, seed=4, scale=0.25) != rules


def test_maps_are_the_rules_shares_of_cells_where_there_is_no_noise(rules, scenes):
    silent = {"single": [Rule("single", rule.terms, noise=0.0) for rule in rules["single"][:4]]}
    source = PlantedScenes(scenes, silent, seed=1)
    for index in range(0, SCENES, 30):
        maps = source.inputs(index).numpy()
        things = Things.of(scenes.scene(index))
        for row, rule in enumerate(silent["single"]):
            covered = rule.mask(things).reshape(28, 4, 28, 4).mean((1, 3))
            assert np.array_equal(maps[row] > 0, covered > 0)
            assert (maps[row] <= covered + 1e-6).all()
            assert (maps[row] >= 0.75 * covered - 1e-6).all()


def test_planted_neurons_are_dissected_like_any_network(rules, scenes, tmp_path: Path):
    network, source = planted_network(rules), PlantedScenes(scenes, rules, seed=1)
    config = DissectConfig("planted", source.name, tmp_path / "d", layers=tuple(rules), k=5, map_size=28, spectrum=2)
    dissection = dissect(network, source, config, tmp_path / "d")
    write_rules(DissectionWriter.open(dissection.path), rules)
    dissection = Dissection.open(dissection.path)

    assert dissection.layers == tuple(rules)
    assert by_family(read_rules(dissection)) == rules
    assert dissection.verify() == []
    for (family, unit), rule in read_rules(dissection).items():
        state = dissection.statistics(family, unit).state
        assert state == ("dead" if family == "dead" else "alive")
        if family in ("single", "or", "and"):
            best = dissection.exemplars_of(family, unit)["top"][0]
            assert rule.matches(Things.of(scenes.scene(best.image_id)))


def test_a_spurious_neurons_strongest_exemplars_show_its_decoy_and_others_do_not(rules, scenes, things):
    source = PlantedScenes(scenes, {"spurious": rules["spurious"]}, seed=1)
    peaks = np.stack([source.inputs(index).numpy().max((1, 2)) for index in range(SCENES)])  # (scenes, units)
    for row, rule in enumerate(rules["spurious"]):
        fires = np.array([rule.matches(scene) for scene in things])
        decoyed = np.array([(rule.select(scene) & rule.decoyed(scene)).any() for scene in things])
        assert (fires & ~decoyed).sum() >= decoyed.sum() > 0
        assert peaks[decoyed, row].mean() > peaks[fires & ~decoyed, row].mean()


def test_units_without_rules_say_so():
    with pytest.raises(FileNotFoundError, match=r"rules\.json"):
        read_rules(Dissection.open(DEMO))
