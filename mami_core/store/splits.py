"""Which units are for training, validation and test, across dissections: small JSON files that can be versioned.

Units are listed as dissection → layer → numbers, so that a split of thousands of units stays readable.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from mami_core.store.atomic import replacing
from mami_core.store.dissection import UnitKey

SPLIT_SCHEMA: Final = 1


@dataclass(frozen=True)
class SplitFile:
    """A seeded split: `units[split][dissection]` are (layer, unit)."""

    kind: str  # by what it was drawn: unit, network, rule
    seed: int
    units: Mapping[str, Mapping[str, Sequence[UnitKey]]]
    facts: Mapping[str, Any] = field(default_factory=dict)  # e.g. the network that is held out

    def count(self, split: str) -> int:
        """Return how many units a split holds."""
        return sum(len(keys) for keys in self.units.get(split, {}).values())

    def keys(self, split: str, dissection: str) -> list[UnitKey]:
        """Return one dissection's units in a split; empty where it has none there."""
        return list(self.units.get(split, {}).get(dissection, ()))


def split_by_unit(own: Mapping[str, Mapping[str, Sequence[UnitKey]]], seed: int) -> SplitFile:
    """Return several dissections' own splits as one; `own[dissection][split]` are (layer, unit)."""
    return SplitFile("unit", seed, {split: _members(own, own, split) for split in ("train", "val", "test")})


def split_by_network(
    own: Mapping[str, Mapping[str, Sequence[UnitKey]]], sources: Mapping[str, str], held_out: str, seed: int
) -> SplitFile:
    """Return a split that tests on one source, on units that no training by unit saw, and trains on all others.

    `sources`: dissection → source.
    """
    inside = [name for name in own if sources[name] != held_out]
    outside = [name for name in own if sources[name] == held_out]
    units = {split: _members(own, inside, split) for split in ("train", "val")}
    units["test"] = _members(own, outside, "val", "test")
    return SplitFile("network", seed, units, {"held_out": held_out})


def _members(
    own: Mapping[str, Mapping[str, Sequence[UnitKey]]], names: Iterable[str], *splits: str
) -> dict[str, list[UnitKey]]:
    return {name: [key for split in splits for key in own[name][split]] for name in names}


def write_split(path: Path, split: SplitFile) -> None:
    """Write a split in one step; the same split gives the same bytes."""
    body = {
        "schema": SPLIT_SCHEMA,
        "kind": split.kind,
        "seed": split.seed,
        "facts": dict(split.facts),
        "splits": {
            name: {dissection: _by_layer(keys) for dissection, keys in members.items() if keys}
            for name, members in split.units.items()
        },
    }
    with replacing(path) as partial:
        partial.write_text(json.dumps(body) + "\n", encoding="utf-8")


def read_split(path: Path) -> SplitFile:
    """Read a split. FileNotFoundError or ValueError says why it cannot be read."""
    if not path.is_file():
        raise FileNotFoundError(f"no split file {path}; `mami world` writes them into the folder `splits`")
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        schema = body["schema"]
        if schema != SPLIT_SCHEMA:
            raise ValueError(f"schema {schema}, this version reads {SPLIT_SCHEMA}")
        units = {
            name: {
                dissection: [(layer, int(unit)) for layer, numbers in layers.items() for unit in numbers]
                for dissection, layers in members.items()
            }
            for name, members in body["splits"].items()
        }
        return SplitFile(body["kind"], int(body["seed"]), units, body["facts"])
    except (ValueError, TypeError, KeyError, AttributeError) as problem:
        raise ValueError(f"{path} is not a split file of ours, or it is damaged ({problem}); make it again") from None


def _by_layer(keys: Sequence[UnitKey]) -> dict[str, list[int]]:
    layers: dict[str, list[int]] = {}
    for layer, unit in keys:
        layers.setdefault(layer, []).append(unit)
    return layers
