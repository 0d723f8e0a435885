"""`mami bench visualise`: what a picture costs, and how much of that is not the network's own forward and backward."""

from __future__ import annotations

import time
from typing import Any

import torch

from mami_core.config import BenchVisualiseConfig
from mami_core.pipeline.progress import print_result
from mami_core.pipeline.sources import open_any_network
from mami_core.pipeline.tables.sections import write_section
from mami_core.probing.layer_probe import LayerProbe
from mami_core.probing.visualisation import Recipe, Target, visualise_targets

NAME = "bench-visualise"
_PART = 8  # as many bare passes before and after as this part of the steps


def run_bench_visualise(config: BenchVisualiseConfig) -> None:
    """Measure each network, print a table, and write it where asked."""
    before = torch.get_num_threads()
    torch.set_num_threads(config.threads)
    try:
        rows = [_measured(config, *name.rsplit("/", 1)) for name in config.networks]
    finally:
        torch.set_num_threads(before)
    text = _table(config, rows)
    if config.out is not None:
        write_section(config.out, NAME, text, title="Benchmarks")
    print_result({"networks": rows}, as_json=config.json, text=text)


def _measured(config: BenchVisualiseConfig, spec: str, layer: str) -> dict[str, Any]:
    """Time whole pictures, with bare passes before and after, so that what else the machine does meets both alike."""
    probe = LayerProbe(open_any_network(spec), layer, (config.size, config.size))
    passes = max(4, config.steps // _PART)
    _bare(probe, config.units, 2)
    before = _bare(probe, config.units, passes)
    whole = _optimised(probe, config)
    bare = (before + _bare(probe, config.units, passes)) / 2
    return {
        "network": spec,
        "layer": layer,
        "units": probe.layout.units,
        "seconds_a_unit": whole / config.units,
        "ratio": whole / config.steps / bare,
    }


def _bare(probe: LayerProbe, pictures: int, steps: int) -> float:
    """Return the CPU seconds of one forward and backward to the layer, of that many pictures."""
    pixels = torch.rand(pictures, 3, *probe.size, requires_grad=True)
    start = time.process_time()
    for _ in range(steps):
        pixels.grad = None
        probe.maps(pixels)[:, 0].mean().backward()
    return (time.process_time() - start) / steps


def _optimised(probe: LayerProbe, config: BenchVisualiseConfig) -> float:
    """Return the CPU seconds of all pictures, from noise to the finished pixels."""
    targets = [Target(unit) for unit in range(config.units)]
    start = time.process_time()
    list(visualise_targets(probe, targets, Recipe(steps=config.steps)))
    return time.process_time() - start


def _table(config: BenchVisualiseConfig, rows: list[dict[str, Any]]) -> str:
    lines = [
        "## Feature visualisation",
        "",
        f"`mami bench visualise`: {config.size} px, {config.steps} steps, {config.units} units at once, CPU seconds of "
        f"{config.threads} thread{'s' if config.threads > 1 else ''}; random weights cost what trained ones do. The "
        "ratio is a whole step over the bare forward and backward to that layer, timed before and after.",
        "",
        "| network | layer | CPU s a unit | ÷ bare forward and backward |",
        "|---|---|---:|---:|",
    ]
    lines += [
        f"| {row['network']} | {row['layer']} | {row['seconds_a_unit']:.1f} | {row['ratio']:.2f} |" for row in rows
    ]
    return "\n".join(lines)
