"""`mami reproduce analysis`: units that name a part, silenced, on fresh painted scenes; and MILAN's word properties.

For every part that enough units name: does silencing them cost scenes of places that need the part more accuracy than
all other scenes? Each part is one pair, needing scenes and others under the same silencing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np
import torch

from mami_core.config import AnalysisConfig
from mami_core.evaluation.intervals import bootstrap_mean
from mami_core.pipeline.progress import Report, print_result, progress
from mami_core.pipeline.tables.sections import write_section
from mami_core.pipeline.understanding.labelled import labelled_judge
from mami_core.pipeline.understanding.networks import dissected_network
from mami_core.pipeline.understanding.shown import cell, typed
from mami_core.pipeline.understanding.silence import plain
from mami_core.probing.intervention.choosing import at_random, by_property, living_units
from mami_core.probing.intervention.curve import accuracy_curve, by_layer
from mami_core.probing.intervention.judge import Judge
from mami_core.probing.intervention.naming import a_captioner
from mami_core.probing.intervention.need import FEW, MOST, SAMPLED, SEEN, need_of_part, needing_places, units_by_part
from mami_core.probing.intervention.results import ANALYSIS, keep_result
from mami_core.probing.intervention.silencing import Method
from mami_core.scenery.images import SceneryImages
from mami_core.scenery.parts import PLACES
from mami_core.store import Dissection, UnitKey
from mami_core.store.home import ASSETS

STREAM: Final = 91  # of scenes that nothing else uses
PROPERTIES: Final = ("part", "colour", "texture", "position", "length", "specificity")
FRACTION: Final = 0.1  # at which the properties are compared


def run_analysis(config: AnalysisConfig) -> None:
    """Silence part by part and property by property, print the figures and keep them."""
    torch.set_num_threads(1)
    with progress(quiet=config.json) as report:
        paths = config.dissections or (ASSETS / "demo",)
        networks = [analysed(Dissection.open(path), config, report) for path in paths]
    table = {"networks": networks, "overall": overall(networks, config), "scenes": config.scenes,
             "controls": config.controls, "least": config.least}  # fmt: skip
    text = as_markdown(table, command=command_of(config))
    keep_result(ANALYSIS, "networks", asdict(config), table)
    if config.out is not None:
        write_section(config.out, "analysis", text, title="Results")
    print_result(table, as_json=config.json, text=text)


def command_of(config: AnalysisConfig) -> str:
    """Return the command line that gives these figures."""
    return " ".join(["mami reproduce analysis", *map(typed, config.dissections)])


def analysed(dissection: Dissection, config: AnalysisConfig, report: Report) -> dict[str, Any]:
    """Return one network's figures."""
    captioner = a_captioner(dissection, config.captioner)
    scenes = SceneryImages(config.scenes, STREAM)
    judge, _ = labelled_judge(dissection, dissected_network(dissection), scenes, limit=config.scenes, seed=config.seed)
    parts = named_parts(dissection, captioner, config.least)
    places = np.array([PLACES[label] for label in scenes.labels])
    rows = [
        row
        for method in config.methods
        for done, (part, units) in enumerate(parts.items())
        if (row := _part_row(judge, part, units, places, method, config, report, (done, len(parts)))) is not None
    ]
    return {
        "dissection": dissection.name,
        "captioner": captioner,
        "units": len(living_units(dissection, ())),
        "accuracy": plain(bootstrap_mean(judge.whole, config.seed)),
        "parts": rows,
        "properties": [_property_row(dissection, judge, captioner, name, config, report) for name in PROPERTIES],
    }


def named_parts(dissection: Dissection, captioner: str, least: int) -> dict[str, list[UnitKey]]:
    """Return the living units that name each part, for parts that enough units name and that some place needs."""
    captions = {key: dissection.said(captioner, *key) for key in living_units(dissection, ())}
    found = units_by_part(captions)
    return {part: units for part, units in found.items() if len(units) >= least and needing_places(part)}


def _part_row(
    judge: Judge,
    part: str,
    units: Sequence[UnitKey],
    places: np.ndarray,
    method: Method,
    config: AnalysisConfig,
    report: Report,
    done: tuple[int, int],
) -> dict[str, Any] | None:
    report(f"{judge.network.name}, {method}: parts", *done)

    def silence(chosen: Sequence[UnitKey]) -> np.ndarray:
        return judge.correct(by_layer(chosen), method)

    found = need_of_part(part, units, places, judge.whole, silence, seed=config.seed)
    if found is None:
        return None
    among = [(layer, unit) for layer, layout in judge.layouts.items() for unit in range(layout.units)]
    controls = [
        need_of_part(
            part, at_random(among, 1000 * config.seed + number).first(len(units)), places, judge.whole, silence
        )
        for number in range(config.controls)
    ]
    random = float(np.mean([one.more.mean for one in controls if one is not None]))
    return {"method": method, "part": part, "places": list(found.places), "silenced": found.silenced,
            "needing": found.needing, "others": found.others, "more": plain(found.more), "random": random}  # fmt: skip


def _property_row(
    dissection: Dissection, judge: Judge, captioner: str, name: str, config: AnalysisConfig, report: Report
) -> dict[str, Any]:
    order = by_property(dissection, captioner, name, (), seed=config.seed)
    point = accuracy_curve(
        judge, order, "zero", (FRACTION,), controls=config.controls, seed=config.seed,
        told=lambda done, total: report(f"{dissection.name}: most {name}", done, total),
    )[0]  # fmt: skip
    return {"property": name, "silenced": point.silenced, "accuracy": plain(point.accuracy(config.seed)),
            "random": plain(point.random(config.seed)),
            "worse_than_random": plain(point.worse_than_random(config.seed))}  # fmt: skip


def overall(networks: Sequence[dict[str, Any]], config: AnalysisConfig) -> dict[str, Any]:
    """Return, by method, how much more needing scenes lose, mean over parts and networks, parts resampled; and the
    same less what random units cost.
    """
    found: dict[str, Any] = {}
    for method in config.methods:
        rows = [row for network in networks for row in network["parts"] if row["method"] == method]
        if not rows:
            raise ValueError(f"no part is named by {config.least} units and needed by a place; lower --least")
        more = np.array([row["more"]["value"] for row in rows])
        random = np.array([row["random"] for row in rows])
        found[method] = {"parts": len(rows), "more": plain(bootstrap_mean(more, config.seed)),
                         "over_random": plain(bootstrap_mean(more - random, config.seed))}  # fmt: skip
    return found


def as_markdown(table: dict[str, Any], *, command: str) -> str:
    """Return all figures as Markdown, with the command that made them."""
    lines = [
        "## Analysis: units that name a part, silenced",
        "",
        f"Written by `{command}`. Simulated: {table['scenes']} fresh painted scenes. All units whose captions name the",
        f"part are silenced at once (parts named by {table['least']} units or more). A place needs a part that covers",
        f"{SEEN:.0%} of the picture in at least {MOST:.0%} of its scenes and in at most {FEW:.0%} of all scenes, as",
        f"{SAMPLED} painted scenes a place show: the painter's places are programs. In brackets: 95 % interval.",
        "",
        "| silenced by | pairs (parts × networks) | needing − others, drop of accuracy | less that of random units |",
        "|---|---|---|---|",
        *(f"| {method} | {row['parts']} | **{cell(row['more'], '+')}** | {cell(row['over_random'], '+')} |"
          for method, row in table["overall"].items()),
    ]  # fmt: skip
    for network in table["networks"]:
        lines += _network(network)
    return "\n".join(lines)


def _network(network: dict[str, Any]) -> list[str]:
    method = network["parts"][0]["method"] if network["parts"] else ""
    lines = [
        "",
        f"### {network['dissection']}, captions of {network['captioner']}",
        "",
        f"Accuracy {cell(network['accuracy'])}; {network['units']} living units; by {method}, scenes resampled:",
        "",
        "| part | places that need it | units | drop, needing | drop, others | difference | random units |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['part']} | {', '.join(row['places'])} | {row['silenced']} | {row['needing']:.3f} | "
        f"{row['others']:.3f} | {cell(row['more'], '+')} | {row['random']:+.3f} |"
        for row in network["parts"]
        if row["method"] == method
    ]
    lines += ["", f"The {FRACTION:.0%} of units with most of a property of their caption, zeroed:", "",
              "| most | units | accuracy | random units | random − chosen |", "|---|---|---|---|---|"]  # fmt: skip
    return lines + [
        f"| {row['property']} | {row['silenced']} | {cell(row['accuracy'])} | {cell(row['random'])} | "
        f"{cell(row['worse_than_random'], '+')} |"
        for row in network["properties"]
    ]
