"""Dissections measured in processes of their own: memory is each one's own there, and several can run at once."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch

from mami_core.config import BenchDissectConfig, DissectConfig
from mami_core.dissection.bench_images import BenchImages
from mami_core.dissection.run import dissect, merge
from mami_core.inputs import open_network
from mami_core.store import Dissection


@dataclass(frozen=True)
class Run:
    """One dissection to be measured: of random images, decoded from memory."""

    network: str  # as `open_network` takes it
    images: int
    size: int  # pixels
    batch_size: int
    threads: int
    out: Path
    shard: str | None = None  # this worker's share of the blocks, i/n


@dataclass(frozen=True)
class Cost:
    """What one process took for its dissection, opening the network and a first batch left out."""

    cpu_s: float
    wall_s: float
    peak_memory_mb: float  # growth of the largest resident set beyond network and one batch


def whole_run(network: str, config: BenchDissectConfig) -> dict[str, float]:
    """Dissect from decoding to the finished folder: images a second by wall time, memory, bytes on disk."""
    with tempfile.TemporaryDirectory() as folder:
        run = _run_of(network, config, Path(folder) / "out")
        (cost,), _ = measure([run])
        dissection = Dissection.open(run.out)
        units = len(dissection.units)
        sizes = {name: info.bytes / units for name, info in dissection.manifest.files.items()}
    peaks = sum(size for name, size in sizes.items() if name.startswith("peaks/"))
    pictures = sizes["images.arrow"]
    return {
        "images_per_second": config.images / cost.wall_s,
        "peak_memory_mb": cost.peak_memory_mb,
        "bytes_per_unit": sum(sizes.values()) - peaks - pictures,
        "peak_bytes_per_unit": peaks,
        "image_bytes_per_unit": pictures,
    }


def memory_by_images(network: str, config: BenchDissectConfig) -> dict[str, Any]:
    """Return the peak memory of whole runs over as many images as `config.memory_images` says, one number each."""
    runs = []
    for count in config.memory_images:
        with tempfile.TemporaryDirectory() as folder:
            run = replace(_run_of(network, config, Path(folder) / "out"), images=count, size=config.memory_size)
            (cost,), _ = measure([run])
        runs.append({"images": count, "peak_memory_mb": cost.peak_memory_mb, "cpu_s": cost.cpu_s})
    return {"network": network, "size": config.memory_size, "runs": runs}


def workers_against_one(network: str, config: BenchDissectConfig) -> dict[str, Any]:
    """Compare `config.workers` workers at once with one over the same images, joining the shares included.

    One worker runs before and after them, as a shared machine's speed drifts.
    """
    before = _share_out(network, config, 1)
    several = _share_out(network, config, config.workers)
    load = list(os.getloadavg()) if hasattr(os, "getloadavg") else []
    after = _share_out(network, config, 1)
    one_cpu_s, one_wall_s = (before.cpu_s + after.cpu_s) / 2, (before.wall_s + after.wall_s) / 2
    return {
        "network": network,
        "count": config.workers,
        "images": config.images,
        "one_cpu_s": one_cpu_s,
        "cpu_s": several.cpu_s,  # of all workers together
        "cpu_ratio": several.cpu_s / one_cpu_s,
        "wall_speed_up": one_wall_s / several.wall_s,
        "cores": os.cpu_count(),
        "load": [round(part, 2) for part in load],  # its own workers are in it
    }


def _share_out(network: str, config: BenchDissectConfig, workers: int) -> Cost:
    """Return what all workers together took, and joining their shares."""
    with tempfile.TemporaryDirectory() as folder:
        run = _run_of(network, config, Path(folder) / "out")
        costs, wall_s = measure([replace(run, shard=f"{number}/{workers}") for number in range(workers)])
        cpu, wall = time.process_time(), time.perf_counter()
        merge(run.out)
        cpu_s = sum(cost.cpu_s for cost in costs) + time.process_time() - cpu
        return Cost(cpu_s, wall_s + time.perf_counter() - wall, max(cost.peak_memory_mb for cost in costs))


def _run_of(network: str, config: BenchDissectConfig, out: Path) -> Run:
    return Run(network, config.images, config.size, config.batch_size, config.threads, out)


def measure(runs: Sequence[Run]) -> tuple[list[Cost], float]:
    """Do the runs at the same time, each in a fresh process; return their costs and the seconds until the last ended.

    All have opened their network before the first begins.
    """
    context = multiprocessing.get_context("spawn")
    pipes, children = [], []
    for run in runs:
        ours, theirs = context.Pipe()
        child = context.Process(target=_serve, args=(run, theirs))
        child.start()
        theirs.close()
        pipes.append(ours)
        children.append(child)
    try:
        for pipe in pipes:
            pipe.recv()  # ready
        started = time.perf_counter()
        for pipe in pipes:
            pipe.send("go")
        return [pipe.recv() for pipe in pipes], time.perf_counter() - started
    except (EOFError, BrokenPipeError):
        raise RuntimeError(f"the measured run of {runs[0].network} ended without a result") from None
    finally:
        for pipe, child in zip(pipes, children, strict=True):
            pipe.close()  # a worker that still waits for its start ends
            child.join()


def _serve(run: Run, pipe: Connection) -> None:
    """Open the network, say so, wait for the start, dissect, and send what it took."""
    torch.set_num_threads(run.threads)
    network = open_network(run.network, crop=run.size, resize=run.size)
    images = BenchImages(run.images, run.size)
    with torch.inference_mode():
        network.module(torch.zeros(run.batch_size, 3, run.size, run.size))
    settings = DissectConfig(
        network=run.network, images="random", out=run.out, batch_size=run.batch_size, shard=run.shard, device="cpu"
    )
    pipe.send("ready")
    with contextlib.suppress(EOFError):  # another worker failed before the start
        pipe.recv()
        memory, wall, cpu = _peak_memory_mb(), time.perf_counter(), time.process_time()
        dissect(network, images, settings, run.out)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        pipe.send(Cost(cpu, wall, _peak_memory_mb() - memory))


def _peak_memory_mb() -> float:
    """Return the largest resident set of this process so far. Linux's getrusage would give the parent's, if larger."""
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
