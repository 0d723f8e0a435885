"""Two servers on one `MAMI_HOME`, a worker that dies, a clock that is set back."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from made_dissection import unit_keys
from operations import Parrot

from mami_core.pipeline.captions.speaking import caption_by
from mami_core.store import Dissection
from mami_core.store.jobs import JobStore
from mami_core.store.labels import Label, LabelStore
from mami_core.store.preferences import Preferences
from mami_core.store.tables import LABELS

FORK = multiprocessing.get_context("fork")


def together(*works: Callable[[], None]) -> None:
    """Do all at once, each in a process of its own, released at one moment."""
    barrier = FORK.Barrier(len(works))

    def do(work: Callable[[], None]) -> None:
        barrier.wait()
        work()

    processes = [FORK.Process(target=do, args=(work,)) for work in works]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * len(works)


def test_two_servers_that_begin_at_once_make_one_database_and_lose_no_label(tmp_path, tally):
    def serve(reviewer: str) -> None:
        store = LabelStore(tmp_path / "labels.sqlite")
        for unit in range(10):
            store.save(Label("made", "conv1", unit, reviewer, "unsure"))
        JobStore(tmp_path / "labels.sqlite", logs=tmp_path / "jobs").start(["pass"], program=(sys.executable, "-c"))

    together(*(lambda who=who: serve(who) for who in ("ada", "bo")))
    assert len(LabelStore(tmp_path / "labels.sqlite").frame("made")) == 20
    assert len(JobStore(tmp_path / "labels.sqlite", logs=tmp_path / "jobs").recent()) == 2
    tally("two servers on one home", "label", "done")


def test_two_captioners_of_one_dissection_at_once_are_both_kept(prepared, tmp_path, tally):
    folder = Path(shutil.copytree(prepared("caption").template / "d", tmp_path / "d"))

    def speak(name: str) -> None:
        parrot = Parrot()
        parrot.name = name  # type: ignore[misc]
        caption_by(Dissection.open(folder), parrot, unit_keys(), batch_size=1, report=lambda *_: None)

    together(*(lambda name=name: speak(name) for name in ("polly", "kea", "ara")))
    dissection = Dissection.open(folder)
    assert {"polly", "kea", "ara"} <= {*dissection.captioners}
    assert dissection.verify() == []
    assert {dissection.manifest.stages[f"caption:{name}"] for name in ("polly", "kea", "ara")} == {"done"}
    tally("two writers of one dissection", "caption", "done")


def test_settings_saved_by_two_servers_at_once_are_those_of_one(tmp_path, monkeypatch, tally):
    monkeypatch.setenv("MAMI_HOME", str(tmp_path))

    def save(name: str) -> None:
        for _ in range(20):
            Preferences(reviewer=name).save()

    together(*(lambda name=name: save(name) for name in ("ada", "bo")))
    assert Preferences.load().reviewer in ("ada", "bo")
    assert [path.name for path in tmp_path.iterdir()] == ["settings.json"]
    tally("two servers on one home", "settings", "done")


def test_a_worker_that_is_killed_is_said_to_be_lost_and_another_can_start(tmp_path, tally):
    os.mkfifo(gate := tmp_path / "gate")
    jobs = JobStore(tmp_path / "labels.sqlite", logs=tmp_path / "jobs")
    job = jobs.start([f"open({str(gate)!r}).read()"], program=(sys.executable, "-c"))
    assert job.pid is not None
    os.killpg(job.pid, signal.SIGKILL)
    assert jobs.wait(job.id, timeout=60).state == "lost"
    again = jobs.start(["print(1)"], program=(sys.executable, "-c"))
    assert jobs.wait(again.id, timeout=60).state == "done"
    tally("worker killed", "job", "lost")


@pytest.mark.parametrize("step", [timedelta(days=-400), timedelta(hours=-1), timedelta(days=400)], ids=str)
def test_a_clock_that_was_set_leaves_versions_in_their_order(tmp_path, tally, step):
    store = LabelStore(tmp_path / "labels.sqlite")
    first = store.save(Label("made", "conv1", 0, "ada", "edit", "first"))
    with store._database.writing() as connection:  # as if it had been saved by a clock that was wrong by `step`
        connection.execute(sa.update(LABELS).values(updated=datetime.now(UTC) - step))
    second = store.save(Label(**first.key, verdict="edit", text="second", version=1))
    assert store.frame("made")["text"].tolist() == ["second"]
    assert second.updated is not None
    assert second.updated >= datetime.now(UTC) - step - timedelta(hours=1)
    third = store.save(Label(**first.key, verdict="edit", text="third", version=2))
    assert third.updated is not None
    assert third.updated >= second.updated
    assert store.history("made")["version"].tolist()[-2:] == [2, 3]
    tally("clock set", "label", "done")
