"""The benchmark's world from nothing, in small: what shows what, who is tested, and that nothing is made twice."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mami_core.cli import main
from mami_core.dissection.halves import HALVES
from mami_core.pipeline.worlds.files import described_names, read_world
from mami_core.scenery.planted.files import read_rules
from mami_core.store import Dissection
from mami_core.store.splits import read_split

pytestmark = pytest.mark.slow

SOURCES = ["alexnet", "resnet", "generator"]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world of few scenes and barely trained networks."""
    folder = tmp_path_factory.mktemp("world")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAMI_HOME", str(folder / "home"))
        assert main(command(folder / "world")) == 0
    return folder / "world"


def command(out: Path) -> list[str]:
    return ["world", str(out), "--scale", "0.03", "--copies", "1", "--seed", "5", "--json"]


def shown(dissection: Dissection, key: tuple[str, int]) -> set[int]:
    """Return every image that a unit shows, of its whole range."""
    return {exemplar.image_id for entries in dissection.exemplars_of(*key).values() for exemplar in entries}


def test_every_dissection_is_intact_and_described_in_both_sets(world: Path):
    assert list(described_names(world, "described").values()) == SOURCES
    for name in read_world(world)["dissections"]:
        dissection = Dissection.open(world / name)
        assert dissection.verify() == []
        assert set(dissection.references["set"]) == {"short", "long"}
        for split, keys in dissection.splits.items():
            for key in keys[:20]:
                dead = dissection.statistics(*key).state == "dead"
                assert len(dissection.references_of(*key)) == (0 if dead else 6), (name, split, key)


@pytest.mark.parametrize("name", ["resnet-0", "generator-0", "planted"])
def test_test_units_show_no_image_that_training_units_show(world: Path, name: str):
    dissection = Dissection.open(world / name)
    first, second = dissection.manifest.settings[HALVES]
    for split, (start, end) in {"train": first, "val": second, "test": second}.items():
        for key in dissection.splits[split]:
            assert all(start <= number < end for number in shown(dissection, key))


def test_the_split_by_unit_is_that_of_the_dissections_and_extras_only_train(world: Path):
    split = read_split(world / "splits/unit.json")
    described, extras = described_names(world, "described"), described_names(world, "extra")
    for name in ("train", "val", "test"):
        assert set(split.units[name]) == set(described)
        assert all(split.keys(name, one) == Dissection.open(world / one).splits[name] for one in described)
    assert set(split.units["extra"]) == set(extras)
    assert 0.15 < split.count("test") / sum(split.count(name) for name in ("train", "val", "test")) < 0.25


def test_sums_are_never_of_channels_that_are_tested(world: Path):
    sums = Dissection.open(world / "extra-resnet-0")
    assert all(layer.startswith("sums.") for layer in sums.layers)
    assert sums.manifest.images == Dissection.open(world / "resnet-0").manifest.images // 2


@pytest.mark.parametrize("held_out", SOURCES)
def test_the_split_by_network_trains_on_two_sources_and_tests_the_third(world: Path, held_out: str):
    split = read_split(world / f"splits/network-{held_out}.json")
    others = [f"{source}-0" for source in SOURCES if source != held_out]
    assert split.facts["held_out"] == held_out
    assert list(split.units["train"]) == list(split.units["val"]) == others
    assert list(split.units["extra"]) == [f"extra-{name}" for name in others]
    own = Dissection.open(world / f"{held_out}-0").splits
    assert list(split.units["test"]) == [f"{held_out}-0"]
    assert sorted(split.keys("test", f"{held_out}-0")) == sorted([*own["val"], *own["test"]])


def test_no_composition_of_a_test_rule_is_trained_on(world: Path):
    rules, split = read_rules(Dissection.open(world / "planted")), read_split(world / "splits/rule.json")
    made_of = {
        name: {rules[key].composition for key in split.keys(name, "planted") if rules[key].terms}
        for name in ("train", "test")
    }
    assert made_of["train"]
    assert made_of["test"]
    assert not made_of["train"] & made_of["test"]


def test_the_same_command_again_makes_nothing_again(world: Path, monkeypatch, capsys):
    monkeypatch.setenv("MAMI_HOME", str(world.parent / "home"))
    before = {path: path.stat().st_mtime_ns for path in world.rglob("*.npy")}
    spent = read_world(world)["cpu_seconds"]

    assert main(command(world)) == 0

    assert json.loads(capsys.readouterr().out)["cpu_seconds"] == spent
    assert {path: path.stat().st_mtime_ns for path in world.rglob("*.npy")} == before


def test_another_world_is_not_written_over_this_one(world: Path, capsys):
    assert main([*command(world), "--scale", "0.04"]) == 2
    assert re.search("holds another world", capsys.readouterr().err)
