"""Visualisations that were made before are not made again: kept by weights, layer, target and recipe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from mami_core.config import settings_sha256
from mami_core.inputs import Network
from mami_core.probing.layer_probe import LayerProbe, open_probe
from mami_core.probing.visualisation.optimise import Report, visualise_targets
from mami_core.probing.visualisation.recipe import VERSION, Recipe, Target
from mami_core.store.kept_results import VISUALISATIONS, KeptResult, KeptResults

PNG = "png"


def visualised(
    network: Network, layer: str, targets: Sequence[Target], recipe: Recipe, *, report: Report | None = None
) -> list[KeptResult]:
    """Return each target's pictures, in order; those that were never made are optimised now and kept.

    `layer` "" is the network's output. ValueError as `visualise_targets` and `open_probe` raise it.
    """
    probe = open_probe(network, layer, recipe.size)
    shelf = KeptResults(VISUALISATIONS, str(network.weights_sha256), probe.layer)
    names = {target: kept_name(probe, target, recipe) for target in targets}
    found = {target: shelf.find(name) for target, name in names.items()}
    missing = [target for target, kept in found.items() if kept is None]
    for made in visualise_targets(probe, missing, recipe, report=report):
        found[made.target] = shelf.keep(names[made.target], made.facts(), {PNG: made.png})
    return [kept for kept in map(found.get, targets) if kept is not None]


def kept_name(probe: LayerProbe, target: Target, recipe: Recipe) -> str:
    """Return the name of a target's pictures: what stands before `~` is the target, behind it all they depend on."""
    facts = {"recipe": asdict(recipe), "version": VERSION, "network": probe.identity, "size": probe.size}
    return f"{target.name}~{settings_sha256(facts)[:16]}"
