"""Dissection on a GPU: images a second in bfloat16, beside the bare forward pass over the same batch in its memory."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mami_core.config import BenchDissectConfig, DissectConfig
from mami_core.device import mixed_precision
from mami_core.dissection.bench_images import ReadyImages
from mami_core.dissection.hooks import reading
from mami_core.dissection.parts import Part, part_folder
from mami_core.dissection.run import Work, prepare
from mami_core.inputs import open_network

NETWORKS = ("torchvision:resnet50", "torchvision:resnet152")
_BATCHES = 32  # a timed round
_ROUNDS = 5  # the median of these counts


def gpu_speeds(config: BenchDissectConfig, *, networks: tuple[str, ...] = NETWORKS) -> dict[str, Any]:
    """Return images a second of the bare forward pass and of dissection, network by network, on the first GPU."""
    return {
        "device": torch.cuda.get_device_name(0),
        "batch_size": config.gpu_batch_size,
        "networks": [_speeds(spec, config) for spec in networks],
    }


def _speeds(spec: str, config: BenchDissectConfig) -> dict[str, Any]:
    network = open_network(spec, crop=config.size, resize=config.size)
    size = config.gpu_batch_size
    images = ReadyImages(size * _BATCHES, config.size)
    with tempfile.TemporaryDirectory() as folder:
        settings = DissectConfig(spec, "random", Path(folder) / "out", batch_size=size, device="cuda:0")
        work = prepare(network, images, settings, settings.out)
        assert work is not None  # the folder is new
        few = torch.stack([images.inputs(number) for number in range(min(size, 16))])  # (≤ 16, 3, H, W)
        batch = few.repeat(-(-size // len(few)), 1, 1, 1)[:size].to(work.device, memory_format=torch.channels_last)
        bare, ours = _alternating(_forward(work, batch), _dissecting(work, batch))
    done = size * _BATCHES
    return {
        "name": network.name,
        "layers": [layer.name for layer in work.plan.layers],
        "images_per_second_forward": done / bare,
        "images_per_second": done / ours,
        "share_of_forward": bare / ours,
    }


def _alternating(*rounds: Callable[[], None]) -> tuple[float, ...]:
    """Return the median seconds of each kind of round, taken in turns after one that is not counted."""
    seconds = [[_timed(round_) for round_ in rounds] for _ in range(_ROUNDS + 1)][1:]
    return tuple(float(np.median(column)) for column in zip(*seconds, strict=True))


def _timed(work: Callable[[], None]) -> float:
    torch.cuda.synchronize()
    started = time.perf_counter()
    work()
    torch.cuda.synchronize()
    return time.perf_counter() - started


def _forward(work: Work, batch: Tensor) -> Callable[[], None]:
    @torch.inference_mode()
    def run() -> None:
        with mixed_precision(work.device):
            for _ in range(_BATCHES):
                work.network.module(batch)

    return run


def _dissecting(work: Work, batch: Tensor) -> Callable[[], None]:
    """Return a round of dissection from nothing, without saving: as many batches as the plan has images for."""
    layouts = {layer.name: layer.layout for layer in work.plan.layers}

    @torch.inference_mode()
    def run() -> None:
        part = Part.open(part_folder(work.out, 0, 1), work.plan, work.device)
        states = {state.layer.name: state for state in part.states}
        numbers = np.arange(len(batch))

        def consume(layer: str, maps: Tensor) -> None:
            states[layer].take(int(numbers[0]) // work.plan.block_size, numbers, maps)

        with reading(work.network.module, layouts, consume) as reader, mixed_precision(work.device):
            for start in range(0, work.plan.images, len(batch)):
                numbers = np.arange(start, start + len(batch))
                reader.run((batch,))

    return run
