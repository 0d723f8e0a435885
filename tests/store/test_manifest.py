"""Damage is found and named: one flipped byte in any file, a file too few, a file too many, another schema."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from uneven_dissection import made_manifest

from mami_core.store import Dissection, DissectionWriter
from mami_core.store.layout import MANIFEST
from mami_core.store.manifest import from_json, manifest_is_intact, read_manifest, to_json


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def problems_of(folder: Path) -> list[str]:
    """What `mami inspect --verify` has to say: a folder that does not open is a problem too."""
    try:
        return Dissection.open(folder).verify()
    except ValueError as problem:
        return [str(problem)]


def test_a_manifest_reads_back_as_it_was() -> None:
    manifest = made_manifest({"conv1": (0, 1), "λ/2": (5,)}, 15, 7)

    assert from_json(to_json(manifest), Path("m")) == manifest


def test_what_was_just_written_is_intact(intact: Path) -> None:
    assert problems_of(intact) == []


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_one_flipped_byte_in_any_file_is_found_and_named(folder: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(files_of(folder)))
    before = path.read_bytes()
    offset = data.draw(st.integers(0, len(before) - 1))
    flip = data.draw(st.integers(1, 255))
    path.write_bytes(before[:offset] + bytes([before[offset] ^ flip]) + before[offset + 1 :])
    try:
        problems = problems_of(folder)
    finally:
        path.write_bytes(before)

    assert any(path.relative_to(folder).as_posix() in problem for problem in problems)


def test_every_bit_of_the_manifest_counts(folder: Path) -> None:
    path = folder / MANIFEST
    before = path.read_bytes()
    for offset in range(0, len(before), 7):
        path.write_bytes(before[:offset] + bytes([before[offset] ^ 1]) + before[offset + 1 :])
        assert any(MANIFEST in problem for problem in problems_of(folder)), offset


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "peaks" / "conv1.npy").unlink()

    assert problems_of(folder) == ["peaks/conv1.npy: missing"]


def test_a_truncated_file_is_named_and_does_not_read_as_data(folder: Path) -> None:
    path = folder / "units.parquet"
    path.write_bytes(path.read_bytes()[:-20])

    assert problems_of(folder) == ["units.parquet: its bytes are not the ones that were written"]
    with pytest.raises(ValueError, match=r"units\.parquet cannot be read"):
        _ = Dissection.open(folder).units


@pytest.mark.parametrize(
    "name", ["images.arrow", "maps/conv1.npy", "splits.json", "attention/mami@scenery/conv1.arrow"]
)
def test_a_broken_file_is_named_when_it_is_read(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"nonsense")
    dissection = Dissection.open(folder)
    reads = {
        "images.arrow": lambda: dissection.images,
        "maps/conv1.npy": lambda: dissection.maps("conv1"),
        "splits.json": lambda: dissection.splits,
        "attention/mami@scenery/conv1.arrow": lambda: dissection.attention("mami@scenery", "conv1", 0),
    }

    with pytest.raises(ValueError, match=f"{name} cannot be read"):
        reads[name]()


def test_a_stray_file_is_named(folder: Path) -> None:
    (folder / "maps" / "notes.txt").write_text("mine")

    assert problems_of(folder) == ["maps/notes.txt: not part of the dissection"]


def test_a_table_that_the_manifest_lists_but_is_gone_is_not_read_as_empty(folder: Path) -> None:
    (folder / "references.parquet").unlink()

    with pytest.raises(FileNotFoundError, match=r"references\.parquet is missing though the manifest lists it"):
        _ = Dissection.open(folder).references


def test_another_schema_is_refused(folder: Path) -> None:
    body = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**body, "schema": 99}))

    with pytest.raises(ValueError, match="has schema 99, this version reads 1"):
        Dissection.open(folder)


@pytest.mark.parametrize("text", ["", "[]", "{", '"x"', '{"schema": 1}', '{"schema": 1, "files": [], "layers": 3}'])
def test_what_is_no_manifest_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST).write_text(text)

    with pytest.raises(ValueError, match=MANIFEST):
        Dissection.open(tmp_path)
    assert not manifest_is_intact(tmp_path)


def test_a_folder_without_a_manifest_is_no_dissection(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="is not a dissection"):
        Dissection.open(tmp_path)


@pytest.mark.parametrize(("made", "says"), [("file", "is a file"), ("folder", "not a dissection")])
def test_what_is_not_ours_is_not_written_into(tmp_path: Path, made: str, says: str) -> None:
    target = tmp_path / "target"
    if made == "file":
        target.write_text("mine")
    else:
        target.mkdir()
        (target / "thesis.tex").write_text("mine")

    with pytest.raises(ValueError, match=says):
        DissectionWriter.create(target, made_manifest({}, 3, 1))


def test_dissecting_anew_leaves_nothing_of_the_old_one(folder: Path) -> None:
    DissectionWriter.create(folder, made_manifest({"fc": (0,)}, 3, 1))

    assert [path.name for path in files_of(folder)] == [MANIFEST]
    assert problems_of(folder) == []


def test_starting_anew_with_its_own_manifest_keeps_its_files(folder: Path) -> None:
    DissectionWriter.create(folder, read_manifest(folder))

    assert problems_of(folder) == []


def test_a_moved_dissection_is_intact(folder: Path, tmp_path: Path) -> None:
    shutil.move(folder, tmp_path / "elsewhere")

    assert problems_of(tmp_path / "elsewhere") == []
