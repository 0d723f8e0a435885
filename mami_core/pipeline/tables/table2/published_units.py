"""Units that people described, of published networks or of dissections of one's own: their truth is not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mami_core.captioning.encoders import AnyEncoder
from mami_core.pipeline.exchange.data import PREFIX, open_described
from mami_core.pipeline.progress import Report
from mami_core.pipeline.tables.table2.units import TableUnits, gather_units
from mami_core.pipeline.worlds.describe import split_units
from mami_core.pipeline.worlds.files import is_world
from mami_core.pipeline.worlds.world import SHARES
from mami_core.store import Dissection, DissectionWriter, UnitKey
from mami_core.store.layout import MANIFEST
from mami_core.store.splits import SplitFile, split_by_network, split_by_unit

GROUP_OF: Final[Mapping[str, str]] = {"resnet152": "resnet", "biggan": "generator"}  # network → the table's group
_SPLIT_SEED: Final = 0


@dataclass(frozen=True, eq=False)
class PublishedUnits(TableUnits):
    """Every described unit of some dissections; their networks are the sources."""

    own: Mapping[str, Mapping[str, Sequence[UnitKey]]]  # dissection → split → units
    settings: Mapping[str, Mapping[str, Any]]  # dissection → what it was made by

    @classmethod
    def read(cls, dissections: Sequence[Dissection], encoder: AnyEncoder, report: Report) -> PublishedUnits:
        """Make, or find, the regions of the described units; split what was never split.

        ValueError or FileNotFoundError names a dissection without references or pictures.
        """
        opened = {found.path.name: found for found in dissections}
        sets = [_sets(found) for found in opened.values()]
        if any(names != sets[0] for names in sets):
            raise ValueError(f"all of {', '.join(opened)} need the same sets of references, got {sets}")
        own = {name: _split(found) for name, found in opened.items()}
        for found in opened.values():
            _ = found.images  # says which dissection has none, before hours are spent on the others
        networks = {name: found.manifest.network for name, found in opened.items()}
        return cls(
            **gather_units(opened, sets[0], encoder, report)._asdict(),
            sources={name: GROUP_OF.get(network, network) for name, network in networks.items()},
            contents=None,
            own=own,
            settings={name: found.manifest.settings for name, found in opened.items()},
        )

    @property
    def title(self) -> str:
        """Say which dissections."""
        return f"{len(self.keys)} units of {', '.join(self.own)}"

    @property
    def facts(self) -> Mapping[str, Any]:
        """Return also the splits, and how pictures were cut: both may differ where keys and texts are the same."""
        return {**super().facts, "splits": self.own, "settings": self.settings}

    def split(self, source: str) -> SplitFile:
        """Return the split by unit, of one source or of all; `without-SOURCE`: the one that holds a source out."""
        if source.startswith("without-"):
            return split_by_network(self.own, self.sources, source.removeprefix("without-"), _SPLIT_SEED)
        return split_by_unit(self.own, _SPLIT_SEED)


def find_described(data: Path, report: Report) -> list[Dissection]:
    """Return the dissections that `milannotations:NAME`, a dissection, or a folder of some means; none for a world."""
    if str(data).startswith(PREFIX) or (data / MANIFEST).is_file():
        return open_described(data, report)
    if is_world(data) or not data.is_dir():
        return []
    return [Dissection.open(path.parent) for path in sorted(data.glob(f"*/{MANIFEST}"))]


def _sets(dissection: Dissection) -> list[str]:
    """Return a dissection's sets of references, `short` before `long`; ValueError where there is none."""
    found = sorted(set(dissection.references["set"]), reverse=True)
    if not found:
        raise ValueError(f"{dissection.name} has no references; captioners learn from units that people described")
    return found


def _split(dissection: Dissection) -> Mapping[str, Sequence[UnitKey]]:
    """Return a dissection's own split; one that was never split is split now, for all that follow."""
    splits: Mapping[str, Sequence[UnitKey]] = dissection.splits
    described = [key for key in dissection.unit_keys() if dissection.references_of(*key)]
    if not splits:
        splits = split_units(described, _SPLIT_SEED, SHARES)
        DissectionWriter.open(dissection.path).write_splits(splits)
    empty = [name for name in SHARES if not set(splits.get(name, ())).intersection(described)]
    if empty:
        raise ValueError(f"{dissection.name} has no described unit in split {empty[0]!r}: {len(described)} are too few")
    return splits
