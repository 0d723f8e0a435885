"""`mami bench dissect`, `mami bench caption`: what the two costly stages cost on this machine."""

from __future__ import annotations

import csv
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from mami_core.captioning.bench import BenchSizes, bench_captioning
from mami_core.config import BenchCaptionConfig, BenchDissectConfig
from mami_core.dissection.bench import bench_dissection
from mami_core.pipeline.progress import print_result
from mami_core.pipeline.tables.sections import write_section

_REAL_TEXTS: Final = "descriptions/milannotations_resnet152_imagenet.csv"  # below MAMI_DATA_DIR
_COLUMNS: Final = ("summary", "description", "caption")
_USUAL_SIZE: Final = 224  # pixels
_SMALLER: Final = (
    "These images are smaller than the usual 224 px: every image's peaks take the same room at any size; a batch's "
    "maps and the kept pictures take less than they would."
)


def run_bench_dissect(config: BenchDissectConfig) -> None:
    """Print what dissecting costs beside the bare forward pass, network by network."""
    figures = bench_dissection(config)
    _tell(figures, _dissect_lines(figures), name="bench-dissect", out=config.out, as_json=config.json)


def run_bench_caption(config: BenchCaptionConfig) -> None:
    """Print how many units a second are captioned, beside the plain arithmetic in the same process."""
    sizes = BenchSizes(
        regions=config.regions,
        feature_size=config.feature_size,
        hidden_size=config.hidden_size,
        vocabulary_size=config.vocabulary_size,
        length=config.length,
        beam_size=config.beam_size,
        units=config.units,
    )
    texts = real_texts(config.texts)
    figures = {**bench_captioning(texts, sizes=sizes, repeats=config.repeats), "texts": len(texts)}
    _tell(figures, _caption_lines(figures, sizes), name="bench-caption", out=config.out, as_json=config.json)


def real_texts(named: Path | None) -> list[str]:
    """Return descriptions that people wrote, for the trained part: of a CSV, or of MAMI_DATA_DIR; else none."""
    folder = os.environ.get("MAMI_DATA_DIR")
    path = named or (Path(folder) / _REAL_TEXTS if folder else None)
    if path is None or (named is None and not path.is_file()):
        return []
    if not path.is_file():
        raise FileNotFoundError(f"no file of descriptions {path}; name a CSV with a column {' or '.join(_COLUMNS)}")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        column = next((name for name in _COLUMNS if name in (rows.fieldnames or [])), None)
        if column is None:
            raise ValueError(f"{path}, line 1: has no column {' or '.join(_COLUMNS)}")
        return [text for row in rows if (text := (row[column] or "").strip())]


def _tell(figures: Mapping[str, Any], lines: Sequence[str], *, name: str, out: Path | None, as_json: bool) -> None:
    text = "\n".join([*lines, "", _machine()])
    if out is not None:
        write_section(out, name, text, title="Benchmarks")
    print_result(figures, as_json=as_json, text=text)


def _machine() -> str:
    load = ", ".join(f"{part:.1f}" for part in os.getloadavg()) if hasattr(os, "getloadavg") else "not known"
    return f"CPU seconds of one process, {platform.machine()}, {os.cpu_count()} cores, load {load}."


def _dissect_lines(figures: Mapping[str, Any]) -> list[str]:
    lines = [
        "## Dissection",
        "",
        f"Written by `mami bench dissect`: {figures['images']} images of {figures['size']} px, batches of "
        f"{figures['batch_size']}, {figures['threads']} thread(s), torch {figures['torch']}.",
        "",
        "| network | forward, s | added, s | × forward: top-k, threshold, maps | × forward: everything "
        "| with --exact-statistics | rank error, mean | worst | memory, MB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for found in figures["networks"]:
        lines.append(
            f"| {found['name']}, {len(found['layers'])} layers | {found['forward_cpu_s']:.2f} "
            f"| {found['added_cpu_s']:.2f} | {found['ratio_core']:.3f} | {found['ratio_cpu']:.3f} "
            f"| {found['ratio_exact']:.2f} "
            f"| {found['rank_error_mean']:.5f} | {found['rank_error_max']:.5f} | {found['peak_memory_mb']:.0f} |"
        )
    beside = [*_worker_lines(figures["workers"]), *_memory_lines(figures["memory"])]
    return [*lines, *_speed_lines(figures), *beside, *_gpu_dissection_lines(figures["gpu"])]


def _speed_lines(figures: Mapping[str, Any]) -> list[str]:
    """Say how many images a second go through, and what a unit takes on disk."""
    lines = [
        "",
        "| network | bare forward, images/CPU-s | dissecting JPEG files, images/CPU-s | whole run, images/s "
        "| KB a unit | its images, KB | every image's peaks, KB |",
        "|---|---|---|---|---|---|---|",
    ]
    for found in figures["networks"]:
        lines.append(
            f"| {found['name']} | {found['images_per_second_forward']:.1f} "
            f"| {found['images_per_second_decoding']:.1f} | {found['images_per_second']:.1f} "
            f"| {found['bytes_per_unit'] / 1024:.1f} | {found['image_bytes_per_unit'] / 1024:.1f} "
            f"| {found['peak_bytes_per_unit'] / 1024:.1f} |"
        )
    return lines


def _worker_lines(workers: Mapping[str, Any] | None) -> list[str]:
    if workers is None:
        return []
    load = ", ".join(f"{part:.1f}" for part in workers["load"]) or "not known"
    return [
        "",
        f"{workers['count']} workers at once, {workers['network']}, {workers['images']} images, joining included: "
        f"{workers['cpu_ratio']:.3f} × the CPU seconds an image of one worker, {workers['wall_speed_up']:.2f} × as "
        f"fast by wall time ({workers['cores']} cores; load right after them, themselves in it: {load}).",
    ]


def _memory_lines(memory: Mapping[str, Any] | None) -> list[str]:
    if memory is None:
        return []
    grown = ", ".join(f"{run['images']:,} images {run['peak_memory_mb']:.0f} MB" for run in memory["runs"])
    return [
        "",
        f"Peak resident growth beyond network and one batch, {memory['network']}, whole runs over images of "
        f"{memory['size']} px: {grown}.",
        *([_SMALLER] if memory["size"] < _USUAL_SIZE else []),
    ]


def _gpu_dissection_lines(gpu: Mapping[str, Any] | None) -> list[str]:
    if gpu is None:
        return ["", "On a GPU: not measured, as this machine has none."]
    lines = [
        "",
        f"{gpu['device']}, bfloat16, channels last, batches of {gpu['batch_size']} in its memory:",
        "",
        "| network | bare forward, images/s | dissecting, images/s | share |",
        "|---|---|---|---|",
    ]
    for found in gpu["networks"]:
        lines.append(
            f"| {found['name']}, {len(found['layers'])} layers | {found['images_per_second_forward']:.0f} "
            f"| {found['images_per_second']:.0f} | {found['share_of_forward']:.1%} |"
        )
    return lines


def _caption_lines(figures: Mapping[str, Any], sizes: BenchSizes) -> list[str]:
    lines = [
        "## Captioning",
        "",
        f"Written by `mami bench caption`: beam {sizes.beam_size} and PMI, {sizes.regions} regions of "
        f"{sizes.feature_size}, hidden {sizes.hidden_size}, vocabulary {sizes.vocabulary_size}, {sizes.length} words.",
        f"Matrix product on this machine: {figures['matmul_gflops']:.1f} GFLOP/s; a unit's plain arithmetic: "
        f"{figures['gflop_a_unit']:.1f} GFLOP.",
        "",
        "| weights | units/CPU-s | plain arithmetic | times plain | share of the matrix product | same captions |",
        "|---|---|---|---|---|---|",
    ]
    for name in ("random_weights", "trained"):
        found = figures.get(name)
        if found is None:
            lines.append(f"| {name} | not computed: no real descriptions at hand (--texts FILE.csv) | | | | |")
            continue
        lines.append(
            f"| {name} | {found['neurons_per_cpu_second']:.2f} | {found['plain_neurons_per_cpu_second']:.2f} "
            f"| {found['times_plain']:.2f} | {found['matmul_share']:.0%} | {found['same_captions']:.0%} |"
        )
    return [*lines, *_gpu_lines(figures.get("gpu"))]


def _gpu_lines(found: Mapping[str, Any] | None) -> list[str]:
    if found is None:
        return ["", "No CUDA GPU on this machine: batch sizes 1 to 256 in bfloat16 not computed."]
    speeds = ", ".join(f"{units}: {speed:.1f}" for units, speed in found["units_per_second"].items())
    return [
        "",
        f"On the GPU, bfloat16, units a second of wall time by batch size: {speeds}. "
        f"The same captions as float32: {found['same_in_bfloat16']:.1%} of units.",
    ]
