"""`mami world`: three sources of units as in the paper, dissected and described: an AlexNet-like and a ResNet-like
classifier and a generator, two trainings of each, on painted scenes. Together they are the compound set.

Units for training show exemplars from one half of the probe scenes, units for validation and test from the other half,
so no test picture was ever seen in training. Every step leaves its result behind: an interrupted run of the same
command goes on where it stopped.
"""

from __future__ import annotations

import shutil
import zlib
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

import torch

from mami_core.config import DissectConfig, WorldConfig, settings_sha256
from mami_core.dissection import dissect
from mami_core.dissection.halves import join_halves
from mami_core.dissection.layers import feed
from mami_core.inputs import ImageSource, Network
from mami_core.inputs.weights import sha256_of_weights
from mami_core.pipeline.progress import Report, print_result, progress
from mami_core.pipeline.sources import scenery_network
from mami_core.pipeline.worlds.describe import describe_dissection, split_units
from mami_core.pipeline.worlds.files import Ledger, write_rule_split, write_world_splits
from mami_core.pipeline.worlds.making import MAP_SIZE, Making, stands
from mami_core.pipeline.worlds.painting import World
from mami_core.pipeline.worlds.planted import add_planted
from mami_core.scenery.images import SceneryImages
from mami_core.scenery.layouts import Layouts
from mami_core.scenery.networks import build, load_network, save_network
from mami_core.store import Dissection, home
from mami_core.training.augment import Polysemantic
from mami_core.training.classifier import RECIPES, train_classifier
from mami_core.training.generator import RECIPE as GENERATOR_RECIPE
from mami_core.training.generator import train_generator

SOURCES: Final = ("alexnet", "resnet", "generator")
COPIES: Final = 2  # trainings of each source, from different seeds
GENERATOR_IMAGES: Final = 2700  # more make it no sharper
# left out as harder or easier than the limits of `evaluation.difficulty`: ResNet's conv1 (the top part holds .18 of its
# masks), the generator's embed and layer4 (.47 and .60)
LAYERS: Final[Mapping[str, tuple[str, ...]]] = {
    "alexnet": ("conv1", "conv2", "conv3", "conv4", "conv5"),
    "resnet": ("layer1.first", "layer1", "layer2.first", "layer2", "layer3.first", "layer3", "layer4.first", "layer4"),
    "generator": ("layer1", "layer2", "layer3", "layer5"),
}
_SPREAD_IMAGES: Final = 64  # that channels' spreads are measured on, before they are added up
SHARES: Final[Mapping[str, float]] = {"train": 0.72, "val": 0.08, "test": 0.2}


def run_world(config: WorldConfig) -> None:
    """Make the world in `config.out`, or go on with it."""
    with progress(quiet=config.json) as report:
        world = World(config.seed, config.scale)
        ledger = make_world(config.out, world, copies=config.copies, report=report)
    print_result(ledger.body, as_json=config.json, text=ledger.text())


def make_world(out: Path, world: World, *, copies: int = COPIES, report: Report) -> Ledger:
    """Make what a world lacks, and return its ledger; ValueError when the folder holds something else."""
    making = Making(world, out, Ledger.open(out, seed=world.seed, scale=world.scale, copies=copies), report)
    networks = [(source, copy) for source in SOURCES for copy in range(copies)]
    for source, copy in networks:
        add_source(making, source, copy)
        write_world_splits(out, world.seed)
    add_planted(making)
    write_rule_split(out, world.seed)
    for source, copy in networks:
        add_extra(making, source, copy)
    write_world_splits(out, world.seed)
    making.ledger.judge()
    return making.ledger


def find_world(data: Path, report: Report) -> Path:
    """Return a folder with data; `scenery` means a world of our own in `MAMI_HOME`, made now where it is missing."""
    if str(data) != "scenery":
        if not data.exists():
            raise FileNotFoundError(f"no {data}; name a folder that `mami world` made, or `scenery`")
        return data
    folder = home() / "worlds" / "scenery"
    make_world(folder, World(seed=0, scale=1.0), report=report)
    return folder


def add_source(making: Making, source: str, copy: int) -> Dissection:
    """Train one network, dissect it over both halves of the probe scenes, and have its units described."""
    name = f"{source}-{copy}"
    network = scenery_network(name, load_network(source, trained(making, source, copy)))
    out, whole = making.out / name, as_source(source, making.world.halves)
    if stands(out, network, whole):
        return Dissection.open(out)
    seed = zlib.crc32(f"{making.world.seed}/{name}".encode())
    with making.ledger.timing(f"{name}: dissect"):
        first, second = (
            dissected(making, network, source, as_source(source, making.half(number)), making.work / f"{name}-{number}")
            for number in (0, 1)
        )
        splits = split_units(first.unit_keys(), seed, SHARES)
        joined = join_halves(first, second, [*splits["val"], *splits["test"]], whole, out)
    with making.ledger.timing(f"{name}: describe"):
        described = describe_dissection(joined, making.world.halves, seed=seed, report=making.report, splits=splits)
    making.ledger.add(described, kind="described", source=source)
    for half in (first, second):
        shutil.rmtree(half.path)
    return described


def trained(making: Making, source: str, copy: int) -> Path:
    """Return the weights of one training of a source, made now or in an earlier run."""
    seed = 10 * making.world.seed + copy
    recipe = replace(GENERATOR_RECIPE if source == "generator" else RECIPES[source], seed=seed)
    facts = {**asdict(recipe), "network": repr(build(source))}
    path = making.work / f"{source}-{copy}-{settings_sha256(facts)[:8]}.safetensors"
    if not path.is_file():
        with making.ledger.timing("paint training scenes"):
            scenes = making.world.training  # once: all networks share them
        with making.ledger.timing(f"{source}-{copy}: train"):
            if source == "generator":
                few = scenes[: making.world.count(GENERATOR_IMAGES)]
                save_network(train_generator(few, recipe=recipe)[0], path)
            else:
                save_network(train_classifier(source, scenes, recipe=recipe)[0], path)
    kept = making.out / "networks" / f"{source}-{copy}.safetensors"
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, kept)
    return path


def as_source(source: str, scenes: SceneryImages) -> ImageSource:
    """Return what a source is fed: scenes for a classifier, their layouts for the generator."""
    return Layouts(scenes) if source == "generator" else scenes


def add_extra(making: Making, source: str, copy: int) -> Dissection:
    """Describe sums of two channels each, which look like polysemantic units: more to train on, never tested on.

    Channels of validation and test units are in no sum, and the sums show the training half of the scenes.
    """
    name = f"extra-{source}-{copy}"
    images, out = as_source(source, making.half(0)), making.out / name
    network = summed_network(making, source, copy, images)
    if stands(out, network, images):
        return Dissection.open(out)
    seed = zlib.crc32(f"{making.world.seed}/{name}".encode())
    with making.ledger.timing(f"{name}: dissect"):
        found = dissected(making, network, source, images, out)
    with making.ledger.timing(f"{name}: describe"):
        training = {"train": found.unit_keys(), "val": [], "test": []}
        described = describe_dissection(found, making.half(0), seed=seed, report=making.report, splits=training)
    making.ledger.add(described, kind="extra", source=source)
    return described


def summed_network(making: Making, source: str, copy: int, images: ImageSource) -> Network:
    """Return a source's network with, beside each layer, sums of channels of its training units."""
    module = load_network(source, trained(making, source, copy)).requires_grad_(False)
    plain = scenery_network(f"{source}-{copy}", module)
    splits = Dissection.open(making.out / f"{source}-{copy}").splits
    barred: dict[str, list[int]] = {}
    for layer, unit in (*splits["val"], *splits["test"]):
        barred.setdefault(layer, []).append(unit)
    inputs = torch.stack([feed(plain, images, index)[0] for index in range(min(_SPREAD_IMAGES, len(images)))])
    sums = Polysemantic(module, LAYERS[source], inputs, seed=making.world.seed + copy, leave_out=barred)
    return replace(plain, name=f"{plain.name}-sums", module=sums.eval(), weights_sha256=sha256_of_weights(sums))


def dissected(making: Making, network: Network, source: str, images: ImageSource, out: Path) -> Dissection:
    """Dissect a network, or the sums of its channels, over some of the probe scenes."""
    config = DissectConfig(
        network=f"scenery:{source}",
        images=images.name,
        out=out,
        layers=network.module.sum_layers if isinstance(network.module, Polysemantic) else LAYERS[source],
        map_size=MAP_SIZE,
        seed=making.world.seed,
    )
    return dissect(network, images, config, out, report=making.report)
