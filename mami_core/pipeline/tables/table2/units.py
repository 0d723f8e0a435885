"""Described units with their regions and references, and the truth where it is known, cut as a table needs them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from mami_core.captioning.encoders import AnyEncoder
from mami_core.captioning.features import UnitFeatures, join_features, unit_features
from mami_core.captioning.vocabulary import Vocabulary
from mami_core.pipeline.progress import Report
from mami_core.pipeline.tables.table2.names import COMPOUND, NeuronKey
from mami_core.pipeline.worlds.files import SPLITS, described_names, read_world
from mami_core.scenery.content import UnitContent
from mami_core.store import Dissection, UnitKey
from mami_core.store.splits import SplitFile, read_split
from mami_core.training.batches import DescribedUnits, caption_length, reference_texts

PLANTED: Final = "planted"  # trained on the compound set and planted neurons, tested on planted neurons of other rules
SETS: Final = ("short", "long")


class Gathered(NamedTuple):
    """What is read of all units alike; the fields are those of `TableUnits`."""

    keys: tuple[NeuronKey, ...]
    features: UnitFeatures
    texts: Mapping[str, tuple[tuple[str, ...], ...]]
    encoder: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class TableUnits(ABC):
    """Every unit that captioners of the table learn from or are tested on. Rows of `features` are `keys`."""

    keys: tuple[NeuronKey, ...]
    features: UnitFeatures
    texts: Mapping[str, tuple[tuple[str, ...], ...]]  # set → references per unit; the paper's rows are of the first
    encoder: Mapping[str, str]  # name and sha256
    sources: Mapping[str, str]  # dissection → source
    contents: tuple[UnitContent, ...] | None  # None: what their masks hold is not known

    @property
    @abstractmethod
    def title(self) -> str:
        """Say which units these are."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """Return what a captioner trained on these units depends on, beside the encoder."""
        return {"keys": self.keys, "texts": self.texts}

    @abstractmethod
    def split(self, source: str) -> SplitFile:
        """Return the split by unit, of one source or of all; `without-SOURCE`: the one that holds a source out."""

    @property
    def source_names(self) -> list[str]:
        """Return the sources, in the table's order."""
        return list(dict.fromkeys(self.sources.values()))

    @cached_property
    def row_of(self) -> Mapping[NeuronKey, int]:
        """Return each unit's row."""
        return {key: row for row, key in enumerate(self.keys)}

    def rows(self, source: str, split: str) -> list[int]:
        """Return the rows of a split, those with fewest regions first: batches of like units need little padding."""
        of_all = source in (COMPOUND, PLANTED) or source.startswith("without-")
        found = [
            self.row_of[name, layer, unit]
            for name, members in self.split(source).units[split].items()
            if of_all or self.sources[name] == source
            for layer, unit in members
            if (name, layer, unit) in self.row_of
        ]
        counts = np.diff(self.features.offsets)
        return sorted(found, key=lambda row: (int(counts[row]), row))

    def described(self, source: str, split: str, references: str) -> DescribedUnits:
        """Return the units of a split with references of a set; `short+long`: of both."""
        rows = self.rows(source, split)
        sets = references.split("+")
        texts = tuple(tuple(text for name in sets for text in self.texts[name][row]) for row in rows)
        return DescribedUnits(self.features, tuple(rows), texts)


@dataclass(frozen=True, eq=False)
class WorldUnits(TableUnits):
    """Every described unit of a world, whose truth is known."""

    folder: Path

    @classmethod
    def read(
        cls, folder: Path, encoder: AnyEncoder, report: Report, kinds: Sequence[str] = ("described",)
    ) -> WorldUnits:
        """Open a world's dissections of some kinds and make, or find, their regions."""
        sources = {name: source for kind in kinds for name, source in described_names(folder, kind).items()}
        if not sources:
            raise ValueError(f"{folder} holds no dissection of kind {kinds[0]!r}; make it with `mami world {folder}`")
        opened = {name: Dissection.open(folder / name) for name in sources}
        found = gather_units(opened, SETS, encoder, report)
        contents = tuple(UnitContent.from_dict(opened[name].truth[layer, unit]) for name, layer, unit in found.keys)
        return cls(**found._asdict(), sources=sources, contents=contents, folder=folder)

    @property
    def title(self) -> str:
        """Say which world."""
        return f"seed {read_world(self.folder)['seed']} of the painted world"

    def split(self, source: str) -> SplitFile:
        """Return the split by unit, of one source or of all.

        `without-SOURCE`: the one that holds a source out; `planted`: that of rules, with the compound set's training
        units beside its own.
        """
        if source == PLANTED:
            by_unit, by_rule = (read_split(self.folder / SPLITS / f"{name}.json") for name in ("unit", "rule"))
            train = {**by_unit.units["train"], **by_rule.units["train"]}
            return SplitFile("rule", by_rule.seed, {**by_rule.units, "train": train})
        name = f"network-{source.removeprefix('without-')}" if source.startswith("without-") else "unit"
        return read_split(self.folder / SPLITS / f"{name}.json")


@dataclass(frozen=True, eq=False)
class TrainingUnits:
    """What captioners of one source and one set of references are trained and tested on."""

    source: str
    references: str
    splits: Mapping[str, DescribedUnits]
    vocabulary: Vocabulary
    length: int

    @classmethod
    def of(cls, world: TableUnits, source: str, references: str) -> TrainingUnits:
        """Return the splits, with the words of the training units."""
        splits = {split: world.described(source, split, references) for split in ("train", "val", "test")}
        words = Vocabulary.from_texts(reference_texts(splits["train"]), min_count=2)
        return cls(source, references, splits, words, caption_length(splits["train"]))


def gather_units(
    opened: Mapping[str, Dissection], sets: Sequence[str], encoder: AnyEncoder, report: Report
) -> Gathered:
    """Make, or find, the regions of all described units, and gather their references of some sets."""
    parts = []
    for name, dissection in opened.items():
        described = [key for key in dissection.unit_keys() if dissection.references_of(*key)]
        parts.append(unit_features(dissection, encoder, described, progress=_told(report, f"{name}: regions")))
    keys = tuple((name, *key) for name, part in zip(opened, parts, strict=True) for key in part.keys)
    return Gathered(
        keys=keys,
        features=join_features(parts),
        texts={set_: tuple(_texts(opened[name], (layer, unit), set_) for name, layer, unit in keys) for set_ in sets},
        encoder={"name": encoder.name, "sha256": encoder.sha256},
    )


def _texts(dissection: Dissection, key: UnitKey, references: str) -> tuple[str, ...]:
    return tuple(entry.text for entry in dissection.references_of(*key) if entry.set == references)


def _told(report: Report, what: str) -> Callable[[int, int], None]:
    return lambda done, total: report(what, done, total)
