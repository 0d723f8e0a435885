"""`mami merge`: join the shares that a job array left in one folder."""

from __future__ import annotations

from mami_core.config import MergeConfig
from mami_core.dissection import merge
from mami_core.pipeline.progress import print_result, progress
from mami_core.pipeline.upkeep.inspect import summarise


def run_merge(config: MergeConfig) -> None:
    """Join the shares; neither network nor images are needed."""
    with progress(quiet=config.json) as report:
        summary = summarise(merge(config.out, report=report))
    print_result(summary, as_json=config.json, text=f"joined {summary['units']} units in {config.out}")
