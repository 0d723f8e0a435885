"""Simulated annotators describe the units of a dissection of painted scenes, from what their masks truly hold."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from mami_core.dissection.masks import unit_masks
from mami_core.pipeline.progress import Report
from mami_core.records import Reference
from mami_core.scenery.annotators import annotate
from mami_core.scenery.content import BaseRates, LabelMaps, UnitContent, describe_content
from mami_core.scenery.images import SceneryImages
from mami_core.store import Dissection, DissectionWriter, UnitKey

SETS: tuple[Literal["short", "long"], ...] = ("short", "long")
BASE_IMAGES = 1000  # images that say how common a part is; more change no share by a visible amount
SPLITS: Mapping[str, float] = {"train": 0.77, "val": 0.08, "test": 0.15}


def describe_dissection(
    dissection: Dissection,
    scenes: SceneryImages,
    *,
    seed: int,
    report: Report,
    splits: Mapping[str, Sequence[UnitKey]] | None = None,
) -> Dissection:
    """Write references (two sets, three annotators each), the truth they saw, and a split by unit; return it reopened.

    Units that are not alive are left out: nothing can be said of a mask that is empty. `splits` is a split that was
    drawn before; without one it is drawn here.
    """
    writer = DissectionWriter.open(dissection.path)
    writer.stage("describe", "running")
    contents = true_contents(dissection, scenes, report=report)
    writer.write_truth({key: content.to_dict() for key, content in contents.items()})
    writer.write_references({key: references_for(key, content, seed) for key, content in contents.items()})
    drawn = splits or split_units(list(contents), seed)
    writer.write_splits({name: [key for key in keys if key in contents] for name, keys in drawn.items()})
    writer.stage("describe", "done")
    return Dissection.open(dissection.path)


def true_contents(dissection: Dissection, scenes: SceneryImages, *, report: Report) -> dict[UnitKey, UnitContent]:
    """Return what each living unit's masks hold, by the scenes' exact part maps."""
    top = dissection.exemplars[dissection.exemplars["set"] == "top"]
    shown = np.unique(top["image_id"].to_numpy())
    base = np.arange(0, len(scenes), max(1, len(scenes) // BASE_IMAGES))
    needed = np.union1d(shown, base)
    maps = LabelMaps.from_scenes([scenes.scene(int(index)) for index in needed])
    row_of = {int(index): row for row, index in enumerate(needed)}
    rates = BaseRates.of(maps.take([row_of[int(index)] for index in base]))
    size = maps.parts.shape[1]
    contents: dict[UnitKey, UnitContent] = {}
    states = dissection.units.set_index(["layer", "unit"])["state"]
    ids = {key: rows.sort_values("rank")["image_id"].tolist() for key, rows in top.groupby(["layer", "unit"])}
    for done, layer in enumerate(dissection.layers):
        for key in dissection.unit_keys(layer):
            masks = unit_masks(dissection, *key, (size, size))  # (k, size, size) bool
            if states[key] == "alive" and masks.any():
                contents[key] = describe_content(maps.take([row_of[index] for index in ids[key]]), masks, rates)
        report("describe layers", done + 1, len(dissection.layers))
    return contents


def references_for(key: UnitKey, content: UnitContent, seed: int) -> list[Reference]:
    """Return what three simulated annotators say of a unit, in each set; the same for a seed and a unit for ever."""
    own_seed = zlib.crc32(f"{seed}/{key[0]}/{key[1]}".encode())
    return [
        Reference(style, position, text)
        for style in SETS
        for position, text in enumerate(annotate(content, style=style, seed=own_seed))
    ]


def split_units(keys: Sequence[UnitKey], seed: int, shares: Mapping[str, float] = SPLITS) -> dict[str, list[UnitKey]]:
    """Return a seeded split by unit, in the same shares in every layer."""
    splits: dict[str, list[UnitKey]] = {name: [] for name in shares}
    for layer in dict.fromkeys(layer for layer, _ in keys):
        members = [key for key in keys if key[0] == layer]
        order = np.random.default_rng([seed, zlib.crc32(layer.encode())]).permutation(len(members))
        ends = np.rint(np.cumsum(list(shares.values())) * len(members)).astype(int)
        for name, start, end in zip(shares, [0, *ends[:-1]], ends, strict=True):
            splits[name] += [members[i] for i in sorted(order[start:end])]
    return splits
