"""A killed program leaves the old file or the new one."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from mami_core.store import Dissection, DissectionWriter
from mami_core.store.atomic import remove_partials, replacing, sha256_of
from mami_core.store.layout import peaks_file

PEAKS = peaks_file("conv1")


def test_the_new_file_takes_the_old_ones_place(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    for text in ("old", "new"):
        with replacing(path) as partial:
            partial.write_text(text)
        assert path.read_text() == text
    assert list(path.parent.iterdir()) == [path]


def test_an_error_leaves_the_old_file_and_no_rest(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    with pytest.raises(IsADirectoryError, match="directory"):
        half_written(path)

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_two_writers_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with replacing(path) as partial:
        partial.write_text("mine")
        path.write_text("theirs, in between")

    assert path.read_text() == "mine"


def half_written(path: Path) -> None:
    with replacing(path) as partial:
        partial.write_text("half")
        path.parent.read_text()  # an error amid the work


def die_while_writing(folder: Path) -> None:
    with replacing(folder / PEAKS) as partial:
        partial.write_bytes(b"half of a file")
        os.kill(os.getpid(), signal.SIGKILL)


def die_between_file_and_manifest(folder: Path) -> None:
    with replacing(folder / PEAKS) as partial, partial.open("wb") as file:
        np.save(file, np.zeros((12, 4), dtype=np.float16))
    os.kill(os.getpid(), signal.SIGKILL)


def die_between_two_files(folder: Path) -> None:
    writer = DissectionWriter.open(folder)
    writer.stage("dissect", "running")
    writer.write_peaks("conv1", np.ones((12, 4), dtype=np.float32))
    os.kill(os.getpid(), signal.SIGKILL)


def killed(work: object, folder: Path) -> None:
    worker = multiprocessing.get_context("fork").Process(target=work, args=(folder,))  # type: ignore[arg-type]
    worker.start()
    worker.join()
    assert worker.exitcode == -signal.SIGKILL


def test_killed_while_writing_leaves_the_old_file(folder: Path) -> None:
    before = sha256_of(folder / PEAKS)

    killed(die_while_writing, folder)

    assert sha256_of(folder / PEAKS) == before
    assert Dissection.open(folder).verify() == []


def test_the_next_writer_clears_what_a_killed_one_left(folder: Path) -> None:
    killed(die_while_writing, folder)
    assert list(folder.rglob("*.partial"))

    DissectionWriter.open(folder)

    assert not list(folder.rglob("*.partial"))


def test_killed_before_the_manifest_names_the_file_and_writing_again_mends_it(folder: Path) -> None:
    killed(die_between_file_and_manifest, folder)
    assert Dissection.open(folder).verify() == [f"{PEAKS}: its bytes are not the ones that were written"]

    DissectionWriter.open(folder).write_peaks("conv1", np.zeros((12, 4), dtype=np.float32))

    assert Dissection.open(folder).verify() == []


def test_killed_between_files_leaves_a_sound_dissection_that_says_it_is_unfinished(folder: Path) -> None:
    killed(die_between_two_files, folder)

    dissection = Dissection.open(folder)

    assert dissection.verify() == []
    assert dissection.manifest.stages["dissect"] == "running"
    assert (dissection.peaks("conv1") == 1).all()


def test_partials_are_cleared_wherever_they_lie(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.npy.1.partial").write_text("x")
    (tmp_path / "a" / "y.npy.4194999-0.partial").write_text("x")  # no process has so large a number
    (tmp_path / "keep").write_text("x")

    remove_partials(tmp_path)

    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["keep"]


def test_what_a_living_writer_is_writing_stays(tmp_path: Path) -> None:
    with replacing(tmp_path / "file") as partial:
        partial.write_text("new")
        remove_partials(tmp_path)

    assert (tmp_path / "file").read_text() == "new"
