"""`mami dissect`: run a network over images and keep, for every unit, what excites it."""

from __future__ import annotations

from dataclasses import replace

from mami_core.config import DissectConfig
from mami_core.dissection import dissect
from mami_core.pipeline.progress import print_result, progress
from mami_core.pipeline.sources import PREFIX, open_any_images, open_any_network
from mami_core.pipeline.upkeep.inspect import summarise
from mami_core.scenery.networks import LAYERS


def run_dissection(config: DissectConfig) -> None:
    """Dissect, going on where an interrupted run of the same command stopped."""
    network = open_any_network(
        config.network,
        weights=config.weights,
        arguments=config.arguments,
        resize=config.resize,
        crop=config.crop,
        mean=config.mean,
        std=config.std,
    )
    images = open_any_images(config.images, include=config.include, network=network)
    if not config.layers and config.network.startswith(PREFIX):
        config = replace(config, layers=LAYERS[config.network.removeprefix(PREFIX)])
    with progress(quiet=config.json) as report:
        dissection = dissect(network, images, config, config.out, report=report)
    summary = summarise(dissection)
    if dissection.manifest.stages.get("dissect") != "done":
        text = f"this share is done; when all are, join them with `mami merge {config.out}`"
        print_result(summary, as_json=config.json, text=text)
        return
    units = f"{summary['units']} units in {len(summary['layers'])} layers over {summary['images']} images"
    unreadable = dissection.manifest.settings.get("unreadable", [])
    left_out = "".join(f"\nleft out, not readable: {why}" for why in unreadable)
    print_result(summary, as_json=config.json, text=f"dissected {units} into {config.out}{left_out}")
