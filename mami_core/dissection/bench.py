"""Measure dissection: CPU seconds added to the bare forward pass, images a second, memory, exactness of thresholds.

Forward pass and added work are timed in one loop by CPU time: on a shared machine, two runs one after the other differ
by more than what is added.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mami_core.config import BenchDissectConfig, DissectConfig
from mami_core.dissection.bench_gpu import gpu_speeds
from mami_core.dissection.bench_images import ReadyImages, write_jpegs
from mami_core.dissection.bench_runs import memory_by_images, whole_run, workers_against_one
from mami_core.dissection.hooks import reading
from mami_core.dissection.parts import Part, part_folder
from mami_core.dissection.run import Work, prepare, run_blocks
from mami_core.dissection.state import Stopwatch
from mami_core.dissection.tail import Tail
from mami_core.inputs import ImageFolder, ImageSource, Network, open_network

_CORE = ("ranking", "tail")  # top-k with maps, and the threshold
_JPEGS = 64  # files of the decoding run, at most
_EXACT = 64  # images of the run that takes every position, at most


@dataclass(frozen=True)
class NetworkBench:
    """What one network's dissection costs. Seconds are CPU seconds of one process over all images."""

    name: str
    layers: tuple[str, ...]
    images: int
    forward_cpu_s: float
    core_cpu_s: float  # top-k with maps, and threshold
    added_cpu_s: float  # everything
    ratio_core: float
    ratio_cpu: float
    ratio_exact: float  # everything, with --exact-statistics: all positions instead of the sampled ones
    images_per_second_forward: float  # these two: a CPU second of the same process, one after the other
    images_per_second_decoding: float  # everything, from JPEG files in a folder; without thumbnails and joining
    images_per_second: float  # wall time of a whole run: decoding, thumbnails, joining and saving included
    rank_error_mean: float  # |share of activations at or below the threshold - quantile|, over all units
    rank_error_max: float
    peak_memory_mb: float  # growth of the resident set beyond network and one batch
    bytes_per_unit: float  # of the folder, without the images and every image's peaks
    peak_bytes_per_unit: float  # every image's peaks
    image_bytes_per_unit: float
    stages: dict[str, float]  # CPU seconds by kind of work


def bench_dissection(config: BenchDissectConfig) -> dict[str, Any]:
    """Measure each network; return a mapping that is plain JSON, with the machine's load beside the figures."""
    before = torch.get_num_threads()
    torch.set_num_threads(config.threads)
    try:
        found = [asdict(bench_network(spec, config)) for spec in config.networks]
        first = config.networks[0]
        workers = workers_against_one(first, config) if config.workers else None
        memory = memory_by_images(first, config) if config.memory_images else None
        gpu = gpu_speeds(config) if torch.cuda.is_available() else None
    finally:
        torch.set_num_threads(before)
    return {
        "images": config.images,
        "size": config.size,
        "batch_size": config.batch_size,
        "threads": config.threads,
        "torch": torch.__version__,
        "load": [round(load, 2) for load in os.getloadavg()] if hasattr(os, "getloadavg") else [],
        "networks": found,
        "workers": workers,
        "memory": memory,
        "gpu": gpu,
    }


def bench_network(spec: str, config: BenchDissectConfig) -> NetworkBench:
    """Measure one network: its cost, then its thresholds against every value, then a whole run of its own process."""
    network = open_network(spec, crop=config.size, resize=config.size)
    with tempfile.TemporaryDirectory() as folder:
        work = _prepared(network, ReadyImages(config.images, config.size), config, Path(folder) / "cost")
        part, whole, forward = _timed_beside_forward(work)
        decoding = _decoding_speed(network, config, Path(folder))
        exact = _exact_seconds(network, config, Path(folder) / "exact")
        errors = rank_errors(work, part)
    stages = _summed(state.clock for state in part.states)
    core, added = sum(stages[name] for name in _CORE), sum(stages.values())
    stages["rest of the loop"] = whole - added
    return NetworkBench(
        name=network.name,
        layers=tuple(layer.name for layer in work.plan.layers),
        images=config.images,
        forward_cpu_s=forward,
        core_cpu_s=core,
        added_cpu_s=added,
        ratio_core=1 + core / forward,
        ratio_cpu=1 + added / forward,
        ratio_exact=1 + exact * config.images / forward,
        images_per_second_forward=config.images / forward,
        images_per_second_decoding=decoding,
        rank_error_mean=float(errors.mean()),
        rank_error_max=float(errors.max()),
        stages=stages,
        **whole_run(spec, config),
    )


def _prepared(
    network: Network, images: ImageSource, config: BenchDissectConfig, out: Path, *, exact: bool = False
) -> Work:
    settings = DissectConfig(
        network=network.name,
        images="random",
        out=out,
        batch_size=config.batch_size,
        device="cpu",
        exact_statistics=exact,
    )
    work = prepare(network, images, settings, out)
    assert work is not None  # the folder is new
    return work


def _timed_beside_forward(work: Work) -> tuple[Part, float, float]:
    """Run over all images, each block after as many bare forward passes: what slows the machine slows both.

    Return what was kept, the CPU seconds of the dissection, and those of the bare passes.
    """
    part, batch = _new_part(work), _first_batch(work)
    _forward_seconds(work, batch)  # the first pass allocates
    whole = forward = 0.0
    for block in range(work.plan.blocks):
        batches = work.plan.block_batches(block)
        forward += sum(_forward_seconds(work, batch) * len(ids) / len(batch) for ids in batches)
        whole += _block_seconds(work, part, [block])
    return part, whole, forward


def _timed_blocks(work: Work) -> tuple[Part, float]:
    """Run over all images; return what was kept and the CPU seconds it took."""
    part = _new_part(work)
    return part, _block_seconds(work, part, list(range(work.plan.blocks)))


def _new_part(work: Work) -> Part:
    return Part.open(part_folder(work.out, 0, 1), work.plan, work.device)


def _block_seconds(work: Work, part: Part, blocks: list[int]) -> float:
    started = time.process_time()
    run_blocks(work, part, blocks, lambda *_: None)
    return time.process_time() - started


def _first_batch(work: Work) -> Tensor:
    return torch.stack([work.images.inputs(index) for index in range(work.plan.batch_size)])  # type: ignore[attr-defined]


@torch.inference_mode()
def _forward_seconds(work: Work, batch: Tensor) -> float:
    """Return the CPU seconds of one bare forward pass, without hooks, to its very end."""
    started = time.process_time()
    work.network.module(batch)
    return time.process_time() - started


def _decoding_speed(network: Network, config: BenchDissectConfig, folder: Path) -> float:
    """Return the images a CPU second where each is read from a JPEG file, decoded and resized first."""
    count = min(_JPEGS, config.images)
    write_jpegs(folder / "jpegs", count)
    work = _prepared(network, ImageFolder(folder / "jpegs"), config, folder / "decoding")
    return count / _timed_blocks(work)[1]


def _exact_seconds(network: Network, config: BenchDissectConfig, out: Path) -> float:
    """Return the CPU seconds an image that are added where the statistics are taken from every position."""
    count = min(_EXACT, config.images)
    part, _ = _timed_blocks(_prepared(network, ReadyImages(count, config.size), config, out, exact=True))
    return sum(_summed(state.clock for state in part.states).values()) / count


def _summed(clocks: Iterator[Stopwatch]) -> dict[str, float]:
    total: dict[str, float] = {}
    for clock in clocks:
        for name, seconds in clock.seconds.items():
            total[name] = total.get(name, 0.0) + seconds
    return total


@torch.inference_mode()
def rank_errors(work: Work, part: Part) -> np.ndarray:
    """Return how far the share of activations below each threshold is from the quantile, counting every activation.

    Where several activations equal the threshold, any share from "below" to "at or below" is right.
    """
    quantile = work.plan.quantile
    thresholds = {state.layer.name: _threshold(state.tail, quantile) for state in part.states}  # (U,)
    below = {name: torch.zeros(len(t), dtype=torch.int64) for name, t in thresholds.items()}
    at_most = {name: torch.zeros_like(count) for name, count in below.items()}
    seen = dict.fromkeys(thresholds, 0)

    def count(layer: str, maps: Tensor) -> None:
        values, limit = maps.transpose(0, 1).flatten(1), thresholds[layer].unsqueeze(1)  # (U, n), (U, 1)
        below[layer] += (values < limit).sum(1)
        at_most[layer] += (values <= limit).sum(1)
        seen[layer] += values.shape[1]

    layouts = {layer.name: layer.layout for layer in work.plan.layers}
    with reading(work.network.module, layouts, count) as reader:
        for block in range(work.plan.blocks):
            for ids in work.plan.block_batches(block):
                reader.run((torch.stack([work.images.inputs(index) for index in ids]),))  # type: ignore[attr-defined]
    errors = []
    for layer, total in seen.items():
        low, high = below[layer] / total, at_most[layer] / total
        errors.append(torch.clamp(torch.maximum(low - quantile, quantile - high), min=0))
    return torch.cat(errors).numpy()


def _threshold(tail: Tail, quantile: float) -> Tensor:
    return replace(tail).quantile(quantile)
