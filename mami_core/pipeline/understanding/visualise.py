"""`mami visualise`: pictures made for units, directions and classes, beside what a dissection knows of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mami_core.config import VisualiseConfig
from mami_core.device import choose_device
from mami_core.inputs import Network
from mami_core.pipeline.progress import Report, print_result, progress
from mami_core.pipeline.sources import open_any_network
from mami_core.pipeline.understanding.networks import dissected_network, is_dissection
from mami_core.probing.visualisation.keeping import PNG, visualised
from mami_core.probing.visualisation.reached import against_dataset
from mami_core.probing.visualisation.recipe import Recipe, Target
from mami_core.store import Dissection
from mami_core.store.atomic import replacing
from mami_core.store.kept_results import KeptResult
from mami_core.store.layout import file_name


def run_visualisation(config: VisualiseConfig) -> None:
    """Make and keep the pictures, and say how far each got."""
    dissection = Dissection.open(config.of) if is_dissection(config.of) else None
    network = _opened(config, dissection)
    network.module.to(choose_device(config.device))
    rows: list[dict[str, Any]] = []
    with progress(quiet=config.json) as report:
        for layer in _layers(config, dissection):
            rows += _layer_rows(config, dissection, network, layer, report)
    text = "\n".join(map(_line, rows))
    print_result({"visualisations": rows}, as_json=config.json, text=text)


def recipe_of(config: VisualiseConfig) -> Recipe:
    """Return how the pictures of a command are made."""
    names = ("steps", "size", "place", "negative", "diversity", "robust", "seed")
    return Recipe(**{name: getattr(config, name) for name in names})


def _opened(config: VisualiseConfig, dissection: Dissection | None) -> Network:
    if dissection is not None:
        return dissected_network(dissection, network=config.network, weights=config.weights)
    if config.network is not None:
        raise ValueError("--network belongs to a dissection; name the network itself instead of a folder")
    return open_any_network(config.of, weights=config.weights, arguments=config.arguments)


def _layers(config: VisualiseConfig, dissection: Dissection | None) -> Sequence[str]:
    if config.classes:
        return ("",)
    if config.layer:
        return config.layer
    if dissection is None:
        raise ValueError(f"name a layer of {config.of}: --layer; `mami layers {config.of}` lists them")
    return dissection.layers


def _targets(config: VisualiseConfig, dissection: Dissection | None, layer: str) -> list[Target]:
    if config.direction:
        return [Target(direction=config.direction)]
    named = config.units or config.classes
    if not named and dissection is not None and layer in dissection.layers:
        table = dissection.units[(dissection.units["layer"] == layer) & (dissection.units["state"] == "alive")]
        named = tuple(int(unit) for unit in table["unit"].head(config.count))
    return [Target(unit) for unit in dict.fromkeys(named or range(config.count))]


def _layer_rows(
    config: VisualiseConfig, dissection: Dissection | None, network: Network, layer: str, report: Report
) -> list[dict[str, Any]]:
    made = visualised(network, layer, _targets(config, dissection, layer), recipe_of(config), report=report)
    rows = []
    for result in made:
        row = {**result.facts, **against_dataset(dissection, result.facts), "file": str(result.files[PNG])}
        rows.append(row if config.out is None else {**row, "file": str(_copied(config.out, result))})
    return rows


def _copied(folder: Path, result: KeptResult) -> Path:
    path = folder / f"{file_name(result.facts['layer'])}-{result.facts['target']}.png"
    with replacing(path) as partial:
        partial.write_bytes(result.read(PNG))
    return path


def _line(row: dict[str, Any]) -> str:
    name = f"{row['layer']} {row['target']}"
    if row["state"] == "silent":
        return f"{name}: {row['said']}"
    side = "smallest" if row["recipe"]["negative"] else "largest"
    known = row["dataset"]
    beside = "" if known is None else f"; {side} over the dissected images {known:.3g}"
    ends = ", ".join(f"{end:.3g}" for end in row["reached"])
    return (
        f"{name}: {row['start'][0]:.3g} → {row['end'][0]:.3g}; {side} cell of the picture {ends}{beside}  {row['file']}"
    )
