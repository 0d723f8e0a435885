"""Measure dissection: CPU seconds added to the bare forward pass, images a second, memory, exactness of thresholds.

Forward pass and added work are timed in one loop by CPU time: on a shared machine, two runs one after the other differ
by more than what is added.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mami_core.config import BenchDissectConfig, DissectConfig
from mami_core.dissection.hooks import reading
from mami_core.dissection.parts import Part, part_folder
from mami_core.dissection.run import Work, dissect, prepare, run_blocks
from mami_core.dissection.state import Stopwatch
from mami_core.dissection.tail import Tail
from mami_core.inputs import Network, open_network, sha256_of_names, to_rgb
from mami_core.store import encode_image

_CORE = ("ranking", "tail")  # top-k with maps, and the threshold
_DISTINCT = 16  # encoded images that the decoding run repeats


class BenchImages:
    """Smooth random images: `ready` as tensors from memory, else decoded from WebP each time."""

    simulated = True
    labels = None

    def __init__(self, count: int, size: int, *, ready: bool) -> None:
        self.name = f"random-{count}"
        self.names: Sequence[str] = [f"random-{number}" for number in range(count)]
        self._size = size
        self._encoded = [] if ready else [_encoded(number, size) for number in range(_DISTINCT)]

    def __len__(self) -> int:
        return len(self.names)

    def load(self, index: int) -> Image.Image:
        """Return one image."""
        return to_rgb(Image.open(io.BytesIO(self._encoded[index % _DISTINCT])))

    def fingerprint(self) -> str:
        """Return the SHA-256 of the names."""
        return sha256_of_names(self.names)


class ReadyImages(BenchImages):
    """The same, as the network's input: no decoding, no preprocessing."""

    def inputs(self, index: int) -> Tensor:
        """Return one input (3, H, W)."""
        generator = torch.Generator().manual_seed(index)
        coarse = torch.randn(1, 3, self._size // 8, self._size // 8, generator=generator)
        return torch.nn.functional.interpolate(coarse, (self._size, self._size), mode="bilinear")[0]


def _encoded(number: int, size: int) -> bytes:
    coarse = np.random.default_rng(number).integers(0, 256, (size // 8, size // 8, 3), dtype=np.uint8)
    return encode_image(Image.fromarray(coarse).resize((size * 9 // 7, size * 8 // 7), Image.Resampling.BICUBIC))


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
    images_per_second: float  # wall time, decoding, saving and thumbnails included
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
    }


def bench_network(spec: str, config: BenchDissectConfig) -> NetworkBench:
    """Measure one network: its cost, then its thresholds against every value, then a whole run of its own process."""
    network = open_network(spec, crop=config.size, resize=config.size)
    with tempfile.TemporaryDirectory() as folder:
        work = _prepared(network, config, Path(folder) / "cost")
        forward = _forward_seconds(work)
        part = Part.open(part_folder(work.out, 0, 1), work.plan, work.device)
        started = time.process_time()
        run_blocks(work, part, list(range(work.plan.blocks)), lambda *_: None)
        whole = time.process_time() - started
        errors = rank_errors(work, part)
    stages = _summed(state.clock for state in part.states)
    core, added = sum(stages[name] for name in _CORE), sum(stages.values())
    stages["rest of the loop"] = whole - added
    end = _whole_run(spec, config)
    return NetworkBench(
        name=network.name,
        layers=tuple(layer.name for layer in work.plan.layers),
        images=config.images,
        forward_cpu_s=forward,
        core_cpu_s=core,
        added_cpu_s=added,
        ratio_core=1 + core / forward,
        ratio_cpu=1 + added / forward,
        rank_error_mean=float(errors.mean()),
        rank_error_max=float(errors.max()),
        stages=stages,
        **end,
    )


def _prepared(network: Network, config: BenchDissectConfig, out: Path, *, ready: bool = True) -> Work:
    settings = DissectConfig(network=network.name, images="random", out=out, batch_size=config.batch_size, device="cpu")
    images = (ReadyImages if ready else BenchImages)(config.images, config.size, ready=ready)
    work = prepare(network, images, settings, out)
    assert work is not None  # the folder is new
    return work


def _summed(clocks: Iterator[Stopwatch]) -> dict[str, float]:
    total: dict[str, float] = {}
    for clock in clocks:
        for name, seconds in clock.seconds.items():
            total[name] = total.get(name, 0.0) + seconds
    return total


@torch.inference_mode()
def _forward_seconds(work: Work) -> float:
    """Return the CPU seconds of the bare forward pass over as many images, without hooks, to its very end."""
    batch = torch.stack([work.images.inputs(index) for index in range(work.plan.batch_size)])  # type: ignore[attr-defined]
    work.network.module(batch)  # the first pass allocates
    repeats = max(2, min(8, work.plan.images // work.plan.batch_size))
    started = time.process_time()
    for _ in range(repeats):
        work.network.module(batch)
    return (time.process_time() - started) / (repeats * len(batch)) * work.plan.images


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


def _whole_run(spec: str, config: BenchDissectConfig) -> dict[str, float]:
    """Dissect in a fresh process, decoding included: its peak memory is its own."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_measure_whole_run, args=(spec, config, theirs))
    child.start()
    theirs.close()
    try:
        return ours.recv()
    except EOFError:
        raise RuntimeError(f"the measured run of {spec} ended without a result") from None
    finally:
        child.join()


def _measure_whole_run(spec: str, config: BenchDissectConfig, pipe: Any) -> None:
    torch.set_num_threads(config.threads)
    network = open_network(spec, crop=config.size, resize=config.size)
    images = BenchImages(config.images, config.size, ready=False)
    with torch.inference_mode():
        network.module(torch.zeros(config.batch_size, 3, config.size, config.size))
    before = _peak_memory_mb()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        settings = DissectConfig(network=spec, images="random", out=out, batch_size=config.batch_size, device="cpu")
        started = time.perf_counter()
        dissection = dissect(network, images, settings, out)
        seconds = time.perf_counter() - started
        growth = _peak_memory_mb() - before
        units = len(dissection.units)
        sizes = {name: info.bytes / units for name, info in dissection.manifest.files.items()}
    peaks = sum(size for name, size in sizes.items() if name.startswith("peaks/"))
    pictures = sizes["images.arrow"]
    pipe.send(
        {
            "images_per_second": config.images / seconds,
            "peak_memory_mb": growth,
            "bytes_per_unit": sum(sizes.values()) - peaks - pictures,
            "peak_bytes_per_unit": peaks,
            "image_bytes_per_unit": pictures,
        }
    )


def _peak_memory_mb() -> float:
    """Return the largest resident set of this process so far. Linux's getrusage would give the parent's, if larger."""
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
