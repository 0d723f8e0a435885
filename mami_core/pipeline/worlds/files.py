"""What a world's folder holds beside its dissections: `world.json`, which lists them, and the splits.

world.json            schema, seed, scale, a row per dissection, CPU seconds by stage
networks/<name>.safetensors
<source>-<copy>/      a dissection, with references, truth and splits.json
splits/unit.json      train, val and test units of all sources: the compound set
splits/network-<source>.json   train and val of the others, test of the one that is held out
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from mami_core.evaluation.difficulty import Difficulty, NeuronKey, difficulty
from mami_core.records import Reference
from mami_core.scenery.content import UnitContent
from mami_core.store import Dissection
from mami_core.store.atomic import replacing
from mami_core.store.splits import SplitFile, split_by_network, split_by_unit, write_split

WORLD_SCHEMA: Final = 1
WORLD: Final = "world.json"
SPLITS: Final = "splits"


@dataclass(eq=False)
class Ledger:
    """`world.json`, kept while the world is made."""

    path: Path
    body: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path, *, seed: int, scale: float, copies: int) -> Ledger:
        """Start a world's ledger or go on with it; ValueError when the folder holds another world."""
        ledger = cls(folder / WORLD)
        made_of = {"seed": seed, "scale": scale, "copies": copies}
        if not is_world(folder):
            if folder.is_dir() and any(folder.iterdir()):
                raise ValueError(f"{folder} holds files that are not a world; name an empty or a new folder")
            ledger.body = {"schema": WORLD_SCHEMA, **made_of, "dissections": {}, "cpu_seconds": {}}
            ledger._write()
            return ledger
        ledger.body = read_world(folder)
        found = {name: ledger.body[name] for name in made_of}
        if found != made_of:
            raise ValueError(f"{folder} holds another world, of {found}; name an empty or a new folder")
        return ledger

    @contextmanager
    def timing(self, stage: str) -> Iterator[None]:
        """Add the CPU seconds of the block to a stage's."""
        started = time.process_time()
        yield
        spent: dict[str, float] = self.body["cpu_seconds"]
        spent[stage] = round(spent.get(stage, 0.0) + time.process_time() - started, 1)
        self._write()

    def add(self, dissection: Dissection, *, kind: str, source: str) -> None:
        """List a finished dissection; `kind` is described, planted or extra."""
        described = {(layer, unit) for layer, unit in zip(
            dissection.references["layer"], dissection.references["unit"], strict=True
        )}  # fmt: skip
        self.body["dissections"][dissection.path.name] = {"kind": kind, "source": source, "units": len(described)}
        self._write()

    def judge(self) -> None:
        """Note how hard the units are, and what is easier than it should be."""
        found = world_difficulty(self.path.parent)
        self.body["difficulty"] = {**asdict(found), "complaints": found.complaints()}
        self._write()

    def text(self) -> str:
        """Return what the world holds, for people."""
        rows = self.body["dissections"]
        stages = "\n".join(f"  {seconds:8.1f} s  {stage}" for stage, seconds in self.body["cpu_seconds"].items())
        total = sum(self.body["cpu_seconds"].values()) / 60
        units = sum(row["units"] for row in rows.values())
        held = f"{units} described units of {len(rows)} dissections in {self.path.parent}"
        complaints = "".join(f"\neasier than it should be: {one}" for one in self.body["difficulty"]["complaints"])
        return f"{stages}\n{total:.1f} CPU-minutes; {held}{complaints}"

    def _write(self) -> None:
        with replacing(self.path) as partial:
            partial.write_text(json.dumps(self.body, indent=1) + "\n", encoding="utf-8")


def is_world(folder: Path) -> bool:
    """Tell whether `mami world` made this folder."""
    return (folder / WORLD).is_file()


def read_world(folder: Path) -> dict[str, Any]:
    """Return a world's `world.json`. FileNotFoundError or ValueError says why it cannot be read."""
    path = folder / WORLD
    if not path.is_file():
        raise FileNotFoundError(f"{folder} is not a world: it has no {WORLD}; make one with `mami world {folder}`")
    body: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if body.get("schema") != WORLD_SCHEMA:
        raise ValueError(f"{path} has schema {body.get('schema')}, this version reads {WORLD_SCHEMA}; make it again")
    return body


def described_names(folder: Path, kind: str) -> dict[str, str]:
    """Return the source of each of a world's dissections of one kind, by the dissection's folder name."""
    rows = read_world(folder)["dissections"]
    return {name: row["source"] for name, row in rows.items() if row["kind"] == kind}


def world_difficulty(folder: Path) -> Difficulty:
    """Return how hard a world's described units are."""
    sources = described_names(folder, "described")
    contents: dict[NeuronKey, UnitContent] = {}
    references: dict[NeuronKey, Sequence[Reference]] = {}
    for name in sources:
        dissection = Dissection.open(folder / name)
        for (layer, unit), saved in dissection.truth.items():
            contents[name, layer, unit] = UnitContent.from_dict(saved)
            references[name, layer, unit] = dissection.references_of(layer, unit)
    return difficulty(contents, references, sources)


def write_world_splits(folder: Path, seed: int) -> None:
    """Write the splits by unit and by network from the dissections' own; `extra` units are for training only."""
    sources, extras = described_names(folder, "described"), described_names(folder, "extra")
    own, more = ({name: Dissection.open(folder / name).splits for name in names} for names in (sources, extras))

    def write(name: str, split: SplitFile, extra: Iterable[str]) -> None:
        units = {**split.units, "extra": {name: more[name]["train"] for name in extra}}
        write_split(folder / SPLITS / f"{name}.json", replace(split, units=units))

    write("unit", split_by_unit(own, seed), extras)
    for held_out in dict.fromkeys(sources.values()):
        split = split_by_network(own, sources, held_out, seed)
        write(f"network-{held_out}", split, [name for name in extras if extras[name] != held_out])


def write_rule_split(folder: Path, seed: int) -> None:
    """Write the split by rule from the planted dissection's own."""
    for name in described_names(folder, "planted"):
        own = Dissection.open(folder / name).splits
        split = SplitFile("rule", seed, {part: {name: units} for part, units in own.items()})
        write_split(folder / SPLITS / "rule.json", split)
