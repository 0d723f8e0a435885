"""Split files: what is written is read, and what is not ours is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mami_core.store.splits import SplitFile, read_split, write_split

SPLIT = SplitFile(
    kind="network",
    seed=3,
    units={
        "train": {"resnet-0": [("layer1", 0), ("layer1", 4), ("layer2", 1)], "alexnet-0": [("conv1", 2)]},
        "val": {"resnet-0": [("layer1", 3)]},
        "test": {},
    },
    facts={"held_out": "generator"},
)


def test_a_split_reads_back_as_it_was_written(tmp_path: Path):
    write_split(tmp_path / "unit.json", SPLIT)

    assert read_split(tmp_path / "unit.json") == SPLIT


def test_units_are_counted_and_listed_by_dissection():
    assert [SPLIT.count(name) for name in ("train", "val", "test", "none")] == [4, 1, 0, 0]
    assert SPLIT.keys("train", "alexnet-0") == [("conv1", 2)]
    assert SPLIT.keys("val", "alexnet-0") == []


def test_a_split_of_another_schema_is_refused(tmp_path: Path):
    write_split(tmp_path / "unit.json", SPLIT)
    body = json.loads((tmp_path / "unit.json").read_text())
    (tmp_path / "unit.json").write_text(json.dumps({**body, "schema": 99}))

    with pytest.raises(ValueError, match="schema 99, this version reads 1"):
        read_split(tmp_path / "unit.json")


@pytest.mark.parametrize("text", ["", "[]", '{"schema": 1}', '{"schema": 1, "splits": [1]}'])
def test_a_damaged_split_is_refused_by_name(tmp_path: Path, text: str):
    (tmp_path / "unit.json").write_text(text)

    with pytest.raises(ValueError, match=r"unit\.json is not a split file"):
        read_split(tmp_path / "unit.json")


def test_an_absent_split_says_what_makes_it(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match="mami world"):
        read_split(tmp_path / "none.json")
