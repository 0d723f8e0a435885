"""What all trainings said of the test units, gathered with the floors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mami_core.evaluation.floors import best_constant
from mami_core.pipeline.tables.table2.names import COMPOUND, CONSENSUS, NeuronKey
from mami_core.pipeline.tables.table2.said import CONSTANT, NEAREST, Row, Said, TestUnit
from mami_core.pipeline.tables.table2.trainings import Training, nearest_references
from mami_core.pipeline.tables.table2.units import TableUnits, TrainingUnits
from mami_core.training.batches import reference_texts


def gather_said(world: TableUnits, runs: Mapping[Training, Mapping[str, Any]]) -> Said:
    """Return what all trainings said, with the floors: the best constant caption and the nearest unit's."""
    captions: dict[Row, dict[int, dict[NeuronKey, str]]] = {}
    tested: dict[NeuronKey, TestUnit] = {}
    for training, result in runs.items():
        keys = [world.keys[row] for row in world.rows(training.source, "test")]
        tested.update({key: _tested(world, key) for key in keys})
        for variant, said in _variants(training, result):
            row = Row(training.references, training.source, training.captioner, variant)
            captions.setdefault(row, {})[training.seed] = dict(zip(keys, said, strict=True))
    for references, source in sorted({(run.references, run.source) for run in runs}):
        captions.update({row: {0: said} for row, said in _floors(world, source, references)})
    return Said(tested, captions)


def _variants(training: Training, result: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[str]]]:
    yield "best", result["best"]["captions"]
    if training.captioner == CONSENSUS:
        yield from ((f"with {name}", said) for name, said in result["parts"].items())
        return
    if training.source == COMPOUND:
        yield "last", result["last"]["captions"]
    yield from ((f"by {name}", said) for name, said in result.get("decodings", {}).items())


def _floors(world: TableUnits, source: str, references: str) -> Iterator[tuple[Row, dict[NeuronKey, str]]]:
    units = TrainingUnits.of(world, source, references)
    keys = [world.keys[row] for row in units.splits["test"].rows]
    yield Row(references, source, NEAREST), dict(zip(keys, nearest_references(units), strict=True))
    constant = best_constant(reference_texts(units.splits["train"]), units.splits["test"].texts).caption
    yield Row(references, source, CONSTANT), dict.fromkeys(keys, constant)


def _tested(world: TableUnits, key: NeuronKey) -> TestUnit:
    row = world.row_of[key]
    texts = {set_: given[row] for set_, given in world.texts.items()}
    return TestUnit(key, world.sources[key[0]], texts, world.contents[row] if world.contents else None)
