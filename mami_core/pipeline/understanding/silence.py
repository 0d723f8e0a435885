"""`mami silence`: accuracy against the fraction of units silenced, for units chosen by their captions or at random."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from mami_core.config import SilenceConfig
from mami_core.evaluation.intervals import Interval
from mami_core.evaluation.seeds import OverSeeds
from mami_core.pipeline.progress import Report, print_result, progress
from mami_core.pipeline.tables.sections import write_section
from mami_core.pipeline.understanding.labelled import labelled_judge, source_of
from mami_core.pipeline.understanding.networks import dissected_network
from mami_core.pipeline.understanding.shown import cell, typed
from mami_core.probing.intervention.choosing import Order, at_random, by_property, by_query, living_units
from mami_core.probing.intervention.curve import Point, accuracy_curve, class_accuracies
from mami_core.probing.intervention.judge import Judge
from mami_core.probing.intervention.naming import a_captioner
from mami_core.probing.intervention.results import SILENCE, keep_result
from mami_core.probing.intervention.tagging import open_tagger
from mami_core.store import Dissection

SHOWN_CLASSES: Final = 8


def run_silencing(config: SilenceConfig) -> None:
    """Silence, print the curves, and keep them for the page."""
    with progress(quiet=config.json) as report:
        figures = silence(Dissection.open(config.dissection), config, report)
    text = as_markdown(figures, command=command_of(config))
    if config.out is not None:
        write_section(config.out, "silence", text, title="Results")
    print_result(figures, as_json=config.json, text=text)


def silence(dissection: Dissection, config: SilenceConfig, report: Report) -> dict[str, Any]:
    """Return the curves of one choice of units, by what stands in for a silenced unit; keep them."""
    order = chosen_order(dissection, config)
    network = dissected_network(dissection, network=config.network, weights=config.weights)
    judge, names = labelled_judge(
        dissection,
        network,
        source_of(dissection, config.images),
        labels=config.labels,
        limit=config.limit,
        layers=config.layers,
        batch_size=config.batch_size,
        seed=config.seed,
        device=config.device,
    )
    curves = {method: _curve(judge, order, method, config, report) for method in config.methods}
    figures = {
        "dissection": dissection.name,
        "simulated": dissection.manifest.simulated,
        "chosen": order.said,
        "choosable": len(order.keys),
        "units": len(order.among),
        "layers": list(judge.layers),
        "images": judge.count,
        "controls": config.controls,
        "first": [[layer, unit] for layer, unit in order.first(24)],
        "curves": {method: [_point(point, config.seed) for point in points] for method, points in curves.items()},
        "classes": {method: class_accuracies(judge, points[-1].chosen, names) for method, points in curves.items()},
    }
    keep_result(SILENCE, dissection.manifest.weights_sha256 or dissection.name, asdict(config), figures)
    return figures


def chosen_order(dissection: Dissection, config: SilenceConfig) -> Order:
    """Return the units to silence in their order; ValueError says what is missing to choose them."""
    if config.query is None and config.property is None:
        return at_random(living_units(dissection, config.layers), config.seed)
    captioner = a_captioner(dissection, config.captioner)
    if config.query is not None:
        return by_query(dissection, captioner, config.query, config.mode, config.layers, config.seed)
    return by_property(
        dissection,
        captioner,
        str(config.property),
        config.layers,
        tagger=None if config.tagger is None else open_tagger(config.tagger),
        least=config.least,
        seed=config.seed,
    )


def _curve(judge: Judge, order: Order, method: Any, config: SilenceConfig, report: Report) -> list[Point]:
    return accuracy_curve(
        judge, order, method, config.fractions, controls=config.controls, seed=config.seed,
        told=lambda done, total: report(f"silence: {method}", done, total),
    )  # fmt: skip


def _point(point: Point, seed: int) -> dict[str, Any]:
    return {
        "fraction": point.fraction,
        "silenced": point.silenced,
        "accuracy": plain(point.accuracy(seed)),
        "random": plain(point.random(seed)),
        "random_each": point.controls.mean(axis=1).tolist(),
        "worse_than_random": plain(point.worse_than_random(seed)),
    }


def plain(figure: Interval | OverSeeds) -> dict[str, float]:
    """Return a figure with its interval, ready for JSON."""
    value = figure.mean if isinstance(figure, Interval) else figure.value
    return {"value": value, "low": figure.low, "high": figure.high}


def command_of(config: SilenceConfig) -> str:
    """Return the command line that gives these figures, as far as it differs from the defaults."""
    parts = [f"mami silence {typed(config.dissection)}"]
    parts += [f"--query {config.query!r} --mode {config.mode}"] if config.query is not None else []
    parts += [f"--property {config.property}{' --least' * config.least}"] if config.property is not None else []
    parts += [f"--layers {' '.join(config.layers)}"] if config.layers else []
    parts += [f"--images {config.images}"] if config.images is not None else []
    return " ".join([*parts, f"--methods {' '.join(config.methods)}"])


def as_markdown(figures: dict[str, Any], *, command: str) -> str:
    """Return the curves and the classes that lose most as Markdown."""
    simulated = " Simulated: painted scenes." if figures["simulated"] else ""
    lines = [
        f"## {figures['dissection']}: {figures['chosen']}, silenced",
        "",
        f"Written by `{command}`.{simulated} {figures['choosable']} of {figures['units']} living units of",
        f"{', '.join(figures['layers'])}; {figures['images']} images; {figures['controls']} random choices of as many",
        "units. In brackets: 95 % interval, bootstrap over images (and over random choices).",
    ]
    for method, points in figures["curves"].items():
        lines += [
            "",
            f"### {method}",
            "",
            "| silenced | accuracy | random units | random − chosen |",
            "|---|---|---|---|",
        ]
        lines += [_row(point) for point in points]
        lost = [f"{row['class']} {row['before']:.2f} → {row['after']:.2f}" for row in figures["classes"][method]]
        lines += ["", f"Classes that lose most, all silenced: {'; '.join(lost[:SHOWN_CLASSES])}."]
    return "\n".join(lines)


def _row(point: dict[str, Any]) -> str:
    cells = [cell(point["accuracy"]), cell(point["random"]), cell(point["worse_than_random"], "+")]
    return f"| {point['silenced']} ({point['fraction']:.0%}) | {' | '.join(cells)} |"
