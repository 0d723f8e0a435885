"""`mami inspect`: what a dissection holds, and whether every byte of it is what was written."""

from __future__ import annotations

import sys
from typing import Any

from mami_core.config import InspectConfig
from mami_core.pipeline.progress import print_result
from mami_core.store import Dissection


def summarise(dissection: Dissection) -> dict[str, Any]:
    """Return what `mami inspect --json` prints of a dissection."""
    units = dissection.units
    layers = []
    for layer in dissection.manifest.layers:
        states = units.loc[units["layer"] == layer.name, "state"]
        alive = int((states == "alive").sum())
        layers.append({"name": layer.name, "units": len(states), "alive": alive, "dead": int((states == "dead").sum())})
    manifest = dissection.manifest
    size = sum(entry.bytes for entry in manifest.files.values())
    return {
        "name": manifest.name,
        "network": manifest.network,
        "weights_sha256": manifest.weights_sha256,
        "dataset": manifest.dataset,
        "simulated": manifest.simulated,
        "layers": layers,
        "units": len(units),
        "images": manifest.images,
        "captioners": list(dissection.captioners),
        "stages": dict(manifest.stages),
        "bytes": size,
        "bytes_per_unit": round(size / len(units)) if len(units) else None,
        "settings": dict(manifest.settings),
    }


def run_inspection(config: InspectConfig) -> int:
    """Print what a dissection holds; exit status 1 when --verify finds a file that was changed, lost or added."""
    try:
        dissection = Dissection.open(config.dissection)
    except ValueError as problem:  # a damaged manifest: it names itself
        if not config.verify:
            raise
        print(f"mami: {problem}", file=sys.stderr)
        return 1
    problems = dissection.verify() if config.verify else []
    for found in problems:
        print(f"mami: {config.dissection}: {found}", file=sys.stderr)
    try:
        summary = summarise(dissection)
    except (ValueError, FileNotFoundError):
        if not problems:
            raise
        return 1  # a damaged file was already named
    verified = {"verified": not problems, "problems": problems} if config.verify else {}
    print_result({**summary, **verified}, as_json=config.json, text=_as_text(summary, config, problems))
    return 1 if problems else 0


def _as_text(summary: dict[str, Any], config: InspectConfig, problems: list[str]) -> str:
    kind = "simulated" if summary["simulated"] else "real images"
    each = f", {summary['bytes_per_unit'] / 1e3:.1f} KB a unit" if summary["units"] else ""
    lines = [
        f"{summary['name']}: {summary['network']} over {summary['images']} images of {summary['dataset']} ({kind})",
        f"{summary['units']} units, {summary['bytes'] / 1e6:.1f} MB{each}",
        *(f"  {x['name']}: {x['units']} units, {x['alive']} alive, {x['dead']} dead" for x in summary["layers"]),
        "captioners: " + (", ".join(summary["captioners"]) or "not captioned"),
        "stages: " + ", ".join(f"{stage} {state}" for stage, state in summary["stages"].items()),
    ]
    if config.verify:
        damaged = f"{len(problems)} files are not intact; `mami repair {config.dissection}` mends what it can"
        lines.append(damaged if problems else "every file is what was written")
    return "\n".join(lines)
