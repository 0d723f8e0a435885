"""Labels: nobody's word is overwritten unseen, nothing is lost."""

from __future__ import annotations

import multiprocessing
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect

from mami_core.store.database import MIGRATIONS, Database
from mami_core.store.labels import COLUMNS, Label, LabelConflict, LabelStore
from mami_core.store.tables import METADATA

DATA = Path(__file__).parents[1] / "data"
FIRST = Label("made", "conv1", 3, "ada", "accept", "red roofs", "mami@scenery")


@pytest.fixture
def store(database: str) -> LabelStore:
    return LabelStore(database)


def test_a_label_reads_back_as_it_was_saved(store: LabelStore) -> None:
    saved = store.save(FIRST)

    assert (saved.version, saved.text, saved.verdict) == (1, "red roofs", "accept")
    assert store.get("made", "conv1", 3, "ada") == saved
    assert store.get("made", "conv1", 3, "bo") is None


def test_the_second_of_two_writers_is_told_and_overwrites_nothing(store: LabelStore) -> None:
    seen = store.save(FIRST)
    first = store.save(replace(seen, verdict="edit", text="roofs of houses"))

    with pytest.raises(LabelConflict, match="read at version 1 and is now at version 2") as conflict:
        store.save(replace(seen, verdict="reject", text=""))

    assert conflict.value.current == first
    assert store.get("made", "conv1", 3, "ada") == first


def test_two_first_labels_of_one_reviewer_conflict(store: LabelStore) -> None:
    store.save(FIRST)

    with pytest.raises(LabelConflict, match="version 0"):
        store.save(replace(FIRST, text="windows"))


def test_updating_a_label_that_never_was_conflicts(store: LabelStore) -> None:
    with pytest.raises(LabelConflict, match="not there"):
        store.save(replace(FIRST, version=4))


def test_reviewers_do_not_disturb_each_other(store: LabelStore) -> None:
    store.save(FIRST)
    store.save(replace(FIRST, reviewer="bo", verdict="reject", text=""))

    table = store.frame("made")

    assert tuple(table.columns) == COLUMNS
    assert table[["reviewer", "verdict", "version"]].to_numpy().tolist() == [["ada", "accept", 1], ["bo", "reject", 1]]


def test_all_labels_or_none_are_saved(store: LabelStore) -> None:
    store.save(FIRST)

    with pytest.raises(LabelConflict):
        store.save_all([replace(FIRST, unit=4), FIRST])

    assert store.frame("made")["unit"].tolist() == [3]


def test_history_keeps_every_version(store: LabelStore) -> None:
    seen = store.save(FIRST)
    store.save(replace(seen, verdict="edit", text="roofs"))

    history = store.history("made", "conv1", 3)

    assert history[["version", "text"]].to_numpy().tolist() == [[1, "red roofs"], [2, "roofs"]]


def test_a_withdrawn_label_is_gone_from_view_but_not_from_history(store: LabelStore) -> None:
    seen = store.save(FIRST)
    store.withdraw(seen)

    assert store.get("made", "conv1", 3, "ada") is None
    assert store.frame("made").empty
    assert store.history("made")["verdict"].tolist() == ["accept", "withdrawn"]
    assert store.save(FIRST).version == 3
    with pytest.raises(LabelConflict):
        store.save(replace(seen, text="an old copy"))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"verdict": "maybe"}, "no verdict 'maybe'"),
        ({"reviewer": " "}, "needs a reviewer"),
        ({"text": ""}, "'accept' needs a text"),
    ],
)
def test_a_label_that_says_nothing_is_refused(changes: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        replace(FIRST, **changes)


def count_up(path: Path, reviewer: str, times: int, barrier: multiprocessing.Barrier) -> None:
    store = LabelStore(path)  # all open a new file at once: one of them makes the tables
    barrier.wait()
    for _ in range(times):
        while True:
            seen = store.get("made", "conv1", 0, "shared")
            try:
                text = f"{seen.text} {reviewer}" if seen else reviewer
                store.save(Label("made", "conv1", 0, "shared", "edit", text, version=seen.version if seen else 0))
                break
            except LabelConflict:
                continue
        store.save(Label("made", "conv1", len(store.history("made")), reviewer, "unsure"))


def test_writers_in_several_processes_lose_nothing(tmp_path: Path) -> None:
    context, path, names, times = multiprocessing.get_context("fork"), tmp_path / "l.sqlite", ("ada", "bo", "cy"), 8
    barrier = context.Barrier(len(names))
    workers = [context.Process(target=count_up, args=(path, name, times, barrier)) for name in names]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    label = LabelStore(path).get("made", "conv1", 0, "shared")

    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert label is not None
    assert label.version == len(names) * times
    assert sorted(label.text.split()) == sorted(names * times)


def save_and_die(path: Path) -> None:
    import os
    import signal

    LabelStore(path).save(FIRST)
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_saved_label_outlives_a_killed_process(tmp_path: Path) -> None:
    worker = multiprocessing.get_context("fork").Process(target=save_and_die, args=(tmp_path / "l.sqlite",))
    worker.start()
    worker.join()

    assert worker.exitcode == -9
    assert LabelStore(tmp_path / "l.sqlite").frame("made")["text"].tolist() == ["red roofs"]


def upgraded_only_to(path: Path, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with create_engine(f"sqlite:///{path}").begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def test_an_old_database_is_backed_up_before_its_schema_changes(tmp_path: Path) -> None:
    path = tmp_path / "labels.sqlite"
    upgraded_only_to(path, "0001")
    with sqlite3.connect(path) as connection:
        row = ("made", "conv1", 3, "ada", "accept", "red roofs", None, 1, "2026-01-01 00:00:00.000000")
        connection.execute(f"INSERT INTO labels VALUES ({','.join('?' * 9)})", row)

    labels = LabelStore(path).frame("made")

    backup = sqlite3.connect(tmp_path / "labels.sqlite.schema-0001.bak")
    assert labels["text"].tolist() == ["red roofs"]
    assert backup.execute("SELECT text FROM labels").fetchall() == [("red roofs",)]
    assert not backup.execute("SELECT name FROM sqlite_master WHERE name = 'jobs'").fetchall()


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    Database(tmp_path / "labels.sqlite").close()
    with sqlite3.connect(tmp_path / "labels.sqlite") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(ValueError, match="made by a newer version"):
        LabelStore(tmp_path / "labels.sqlite")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.sqlite").write_text("these are notes, not a database\n" * 100)

    with pytest.raises(ValueError, match="cannot be opened"):
        LabelStore(tmp_path / "labels.sqlite")


def test_migrations_end_where_the_tables_stand(tmp_path: Path) -> None:
    Database(tmp_path / "migrated.sqlite").close()
    plain = create_engine(f"sqlite:///{tmp_path / 'plain.sqlite'}")
    METADATA.create_all(plain)

    migrated = inspect(create_engine(f"sqlite:///{tmp_path / 'migrated.sqlite'}"))
    declared = inspect(plain)

    for table in METADATA.tables:
        assert repr(migrated.get_columns(table)) == repr(declared.get_columns(table))
        assert migrated.get_pk_constraint(table) == declared.get_pk_constraint(table)
        assert migrated.get_indexes(table) == declared.get_indexes(table)


def test_the_default_store_lies_in_mami_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAMI_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MAMI_DATABASE_URL", raising=False)

    LabelStore.default().save(FIRST)

    assert (tmp_path / "home" / "labels.sqlite").is_file()


def test_a_database_can_be_named_by_its_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAMI_DATABASE_URL", f"sqlite:///{tmp_path / 'group.sqlite'}")

    LabelStore.default().save(FIRST)

    assert LabelStore(tmp_path / "group.sqlite").frame("made")["reviewer"].tolist() == ["ada"]


@pytest.mark.parametrize("revision", ["0001", "0002"])
def test_a_file_of_each_earlier_version_is_backed_up_and_its_labels_are_all_there(
    tmp_path: Path, revision: str
) -> None:
    path = Path(shutil.copy(DATA / f"labels-{revision}.sqlite", tmp_path / "labels.sqlite"))
    newest = revision == "0002"

    store = LabelStore(path)

    assert store.frame("made")[["reviewer", "text", "version"]].values.tolist() == [
        ["ada", "rote Dächer, “quoted”", 2],
        ["bo", "=red roofs", 1],
    ]
    assert store.history("made", "conv1", 3)["text"].tolist()[:2] == ["roofs", "rote Dächer, “quoted”"]
    assert store.save(replace(FIRST, reviewer="cy")).version == 1
    assert (tmp_path / f"labels.sqlite.schema-{revision}.bak").exists() != newest


def test_every_earlier_versions_file_is_kept() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    revisions = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]

    assert {path.name for path in DATA.glob("labels-*.sqlite")} == {f"labels-{name}.sqlite" for name in revisions}


def test_labels_are_backed_up_before_an_import(store: LabelStore, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("MAMI_HOME", str(tmp_path))
    seen = store.save(FIRST)

    store.take_in([replace(seen, verdict="edit", text="worse")])

    (copy,) = tmp_path.rglob("*.import-*.bak")
    assert LabelStore(copy).frame("made")["text"].tolist() == ["red roofs"]
    assert store.frame("made")["text"].tolist() == ["worse"]
