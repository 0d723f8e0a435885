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
from mami_core.pipeline.sections import write_section

_REAL_TEXTS: Final = "descriptions/milannotations_resnet152_imagenet.csv"  # below MAMI_DATA_DIR
_COLUMNS: Final = ("summary", "description", "caption")


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
        f"Written by `mami bench dissect`: {figures['images']} images of {figures['size']} px.",
        "",
        "| network | forward, s | added, s | × forward | images/s | rank error, mean | worst | memory, MB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for found in figures["networks"]:
        lines.append(
            f"| {found['name']}, {len(found['layers'])} layers | {found['forward_cpu_s']:.2f} "
            f"| {found['added_cpu_s']:.2f} | {found['ratio_cpu']:.3f} | {found['images_per_second']:.1f} "
            f"| {found['rank_error_mean']:.5f} | {found['rank_error_max']:.5f} | {found['peak_memory_mb']:.0f} |"
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
    return lines
