"""What every training said of the test units, as one table that can be kept, and what it is held against."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mami_core.pipeline.tables.table2.names import NeuronKey
from mami_core.scenery.content import UnitContent
from mami_core.store.atomic import replacing

NEAREST, CONSTANT = "nearest", "constant"
CAPTIONS: Final = "captions-{}.csv.gz"  # one a set of references
UNITS: Final = "units.jsonl.gz"
_COLUMNS: Final = ("source", "captioner", "variant", "seed", "unit", "caption")


@dataclass(frozen=True, order=True)
class Row:
    """One row of figures: a captioner trained on a source, by which weights or in which variant it spoke."""

    references: str
    source: str
    captioner: str
    variant: str = "best"

    @property
    def name(self) -> str:
        """Return its name in JSON."""
        return "/".join((self.references, self.source, self.captioner, self.variant))

    @classmethod
    def named(cls, name: str) -> Row:
        """Return the row of a name."""
        return cls(*name.split("/"))


@dataclass(frozen=True, eq=False)
class TestUnit:
    """A unit that captions are tested on."""

    key: NeuronKey
    source: str
    texts: Mapping[str, tuple[str, ...]]  # set → references
    content: UnitContent | None  # None: what its masks hold is not known

    __test__ = False  # no test, whatever pytest thinks of its name


@dataclass(frozen=True, eq=False)
class Said:
    """Captions of test units by row and seed: `captions[row][seed][unit]`."""

    units: Mapping[NeuronKey, TestUnit]
    captions: Mapping[Row, Mapping[int, Mapping[NeuronKey, str]]]

    @property
    def painted(self) -> bool:
        """Tell whether the truth of all units is known."""
        return all(unit.content is not None for unit in self.units.values())

    @property
    def sets(self) -> list[str]:
        """Return the sets of references; the paper's rows are of the first."""
        return sorted({row.references for row in self.captions}, reverse=True)

    def save(self, folder: Path) -> None:
        """Write the captions, one compressed CSV a set, and the units with their references and truth."""
        keys = sorted(self.units)
        number = {key: place for place, key in enumerate(keys)}
        _write(folder / UNITS, "".join(f"{json.dumps(_plain(self.units[key]))}\n" for key in keys))
        for set_ in sorted({row.references for row in self.captions}):
            out = io.StringIO()
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(_COLUMNS)
            for row in sorted(row for row in self.captions if row.references == set_):
                for seed, said in sorted(self.captions[row].items()):
                    lead = (row.source, row.captioner, row.variant, seed)
                    writer.writerows((*lead, number[key], said[key]) for key in sorted(said))
            _write(folder / CAPTIONS.format(set_), out.getvalue())

    @classmethod
    def load(cls, folder: Path) -> Said:
        """Read what `save` wrote."""
        units = [_unit(json.loads(line)) for line in _read(folder / UNITS).splitlines()]
        captions: dict[Row, dict[int, dict[NeuronKey, str]]] = {}
        for path in sorted(folder.glob(CAPTIONS.format("*"))):
            set_ = path.name.removeprefix("captions-").removesuffix(".csv.gz")
            for line in csv.DictReader(io.StringIO(_read(path))):
                row = Row(set_, line["source"], line["captioner"], line["variant"])
                said = captions.setdefault(row, {}).setdefault(int(line["seed"]), {})
                said[units[int(line["unit"])].key] = line["caption"]
        return cls({unit.key: unit for unit in units}, captions)


def _plain(unit: TestUnit) -> dict[str, Any]:
    texts = {set_: list(given) for set_, given in unit.texts.items()}
    content = unit.content.to_dict() if unit.content else None
    return {"key": list(unit.key), "source": unit.source, "texts": texts, "content": content}


def _unit(stored: Mapping[str, Any]) -> TestUnit:
    dissection, layer, unit = stored["key"]
    texts = {set_: tuple(given) for set_, given in stored["texts"].items()}
    content = UnitContent.from_dict(stored["content"]) if stored["content"] else None
    return TestUnit((dissection, layer, unit), stored["source"], texts, content)


def _write(path: Path, text: str) -> None:
    with replacing(path) as partial:
        partial.write_bytes(gzip.compress(text.encode(), mtime=0))  # the same text gives the same bytes


def _read(path: Path) -> str:
    return gzip.decompress(path.read_bytes()).decode()
