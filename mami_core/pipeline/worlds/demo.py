"""`mami demo`: the embedded world from nothing: paint, train, dissect, describe, train captioners, caption.

The result is one dissection that carries the models that made it. Every step leaves its result in a work folder, so an
interrupted run of the same command goes on where it stopped.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from mami_core.captioning.checkpoint import DESCRIPTION
from mami_core.captioning.encoder import CONFIG, RegionEncoder, fit_encoder, load_encoder, save_encoder
from mami_core.captioning.match import share_matcher
from mami_core.config import DemoConfig, DissectConfig, TrainConfig, settings_sha256
from mami_core.dissection import dissect
from mami_core.inputs.networks import Network
from mami_core.pipeline.captions.caption import caption_dissection, open_captioner
from mami_core.pipeline.progress import Report, print_result, progress
from mami_core.pipeline.sources import scenery_network
from mami_core.pipeline.trainings.train import gather, train_one
from mami_core.pipeline.upkeep.inspect import summarise
from mami_core.pipeline.worlds.describe import describe_dissection
from mami_core.pipeline.worlds.painting import World
from mami_core.scenery.networks import LAYERS, load_network, save_network
from mami_core.store import Dissection, DissectionWriter, cache_folder
from mami_core.store.models import MODELS
from mami_core.training.classifier import train_classifier
from mami_core.training.segmentation import train_parts_encoder

CAPTIONERS = ("milan", "mami")
ENCODER = "parts@scenery"
MATCHER = "match@scenery"  # learnt from the units alone, so both captioners have the same
TRAINED_ON, CHOSEN_ON = "short+long", "long"  # sets of references; chosen on short ones, captions say two words
SHOWN = "resnet"  # the network whose dissection is the result
NETWORKS = ("resnet", "alexnet")  # whose units captioners are trained on
MAP_SIZE, SPECTRUM = 28, 2  # what keeps the bundled demo under 15 MB


def run_demo(config: DemoConfig) -> None:
    """Make the demo in `config.out`; the same command goes on where an interrupted run stopped."""
    world = World(config.seed, config.scale)
    work = cache_folder() / "demo" / settings_sha256({**asdict(world), "map_size": MAP_SIZE, "spectrum": SPECTRUM})[:16]
    with progress(quiet=config.json) as report:
        encoder = encoder_of(world, work / ENCODER, report)
        shown = config.out
        folders = {name: shown if name == SHOWN else work / name for name in NETWORKS}
        dissections = [dissected(name, world, folders[name], work, report) for name in NETWORKS]
        train_captioners(dissections, encoder, work, config, report)
        for name in CAPTIONERS:
            captioner, seen_by = open_captioner(str(work / f"{name}@scenery"))
            keys = Dissection.open(shown).unit_keys()
            caption_dissection(Dissection.open(shown), captioner, seen_by, keys, batch_size=32, report=report)
        carry_models(work, shown, config.models)
    summary = summarise(Dissection.open(shown))
    text = f"{summary['units']} captioned units in {shown}; look at them with `mami dashboard {shown}`"
    print_result(summary, as_json=config.json, text=text)


def network_of(name: str, world: World, work: Path, report: Report) -> Network:
    """Return a trained network of the painted world, trained now or in an earlier run."""
    path = work / f"scenery-{name}.safetensors"
    if not path.is_file():
        trained, _ = train_classifier(name, world.training, progress=_steps(report, f"train {name}"))
        save_network(trained, path)
    return scenery_network(name, load_network(name, path))  # as it reads back: float16 rounds


def encoder_of(world: World, folder: Path, report: Report) -> RegionEncoder:
    """Return the region encoder: a network of its own, trained on scenes that no dissection is run over."""
    if not (folder / CONFIG).is_file():
        backbone, _ = train_parts_encoder(world.training, progress=_steps(report, "train parts encoder"))
        facts = {"trained_on": f"scenery:{len(world.training)}:{world.stream('train')}", "simulated": True}
        save_encoder(fit_encoder(backbone, world.held_out.images, name=ENCODER, **facts), folder)
    return load_encoder(folder)


def dissected(name: str, world: World, folder: Path, work: Path, report: Report) -> Dissection:
    """Return one network's dissection over the probe scenes, described by the simulated annotators."""
    config = DissectConfig(
        network=f"scenery:{name}",
        images=f"scenery:{len(world.probe)}:{world.probe.seed}",
        out=folder,
        layers=LAYERS[name],
        map_size=MAP_SIZE,
        spectrum=SPECTRUM,
        seed=world.seed,
    )
    dissection = dissect(network_of(name, world, work, report), world.probe, config, folder, report=report)
    if dissection.manifest.stages.get("describe") == "done":
        return dissection
    return describe_dissection(dissection, world.probe, seed=world.seed, report=report)


def train_captioners(
    dissections: list[Dissection], encoder: RegionEncoder, work: Path, config: DemoConfig, report: Report
) -> None:
    """Train every captioner on the same units, with the same settings."""
    folders = {name: work / f"{name}@scenery" for name in CAPTIONERS}
    missing = {name: folder for name, folder in folders.items() if not (folder / DESCRIPTION).is_file()}
    if missing:
        data = gather(dissections, encoder, references=TRAINED_ON, choose_on=CHOSEN_ON, max_words=0, report=report)
    for name, folder in missing.items():
        full = TrainConfig(dissections[0].path, name, folder, seed=config.seed, device=config.device)
        settings = replace(full, epochs=max(2, round(full.epochs * min(config.scale, 1.0))))
        train_one(data, encoder, settings, report=report)
    share_matcher(list(folders.values()), work / MATCHER)


def carry_models(work: Path, shown: Path, place: Path | None) -> None:
    """Copy the models to `place`, or into the dissection, which then vouches for them too."""
    names = [ENCODER, MATCHER, *(f"{name}@scenery" for name in CAPTIONERS)]
    files = [path for name in names for path in sorted((work / name).iterdir()) if path.is_file()]
    files += [work / f"scenery-{name}.safetensors" for name in NETWORKS]
    writer = DissectionWriter.open(shown)
    for path in files:
        kept = (place or shown / MODELS) / path.relative_to(work)
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, kept)
        if place is None:
            writer.adopt(kept.relative_to(shown).as_posix())
    writer.update(name=f"scenery-{SHOWN}")


def _steps(report: Report, what: str) -> Callable[[int, int, float], None]:
    return lambda done, total, _loss: report(what, done, total)
