"""`mami doctor`, `mami licences` and the log: what is said, and what is not."""

from __future__ import annotations

import getpass
import json
import logging
import socket
from pathlib import Path

import pytest

from mami_core.cli import main
from mami_core.pipeline.upkeep.doctor import examined, without_private
from mami_core.pipeline.upkeep.licences import licence_of, needed
from mami_core.store.labels import Label, LabelStore
from mami_core.store.log import LOG, log_event, log_problem, open_log


@pytest.fixture
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAMI_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MAMI_DATABASE_URL", raising=False)
    return tmp_path / "home"


@pytest.mark.usefixtures("own_home")
def test_the_doctor_looks_at_everything_and_finds_this_installation_sound(capsys):
    assert main(["doctor", "--json"]) == 0
    found = {entry["what"]: entry for entry in json.loads(capsys.readouterr().out)["findings"]}
    named = ("program", "libraries", "pair", "GPU", "extras", "settings", "demo", "MAMI_HOME", "database", "browser")
    assert tuple(found) == named
    assert "torch 2." in found["pair"]["text"]
    assert "problem" not in {entry["state"] for entry in found.values()}


def test_what_the_doctor_says_names_nobody_and_no_folder(own_home, capsys, monkeypatch):
    own_home.mkdir()
    monkeypatch.setenv("MAMI_DATABASE_URL", f"sqlite:///{own_home}")  # a folder
    main(["doctor"])
    said = capsys.readouterr().out
    assert "PROBLEM  database" in said
    assert not any(private in said for private in (str(own_home), str(Path.home()) + "/", str(own_home.parent)))


def test_private_words_are_taken_out():
    text = f"{Path.home()}/data of {getpass.getuser()} at {socket.gethostname()}"
    assert str(Path.home()) not in without_private(text)
    assert len(socket.gethostname()) < 3 or socket.gethostname() not in without_private(text)


def test_a_home_that_cannot_be_written_is_a_problem_and_the_rest_is_still_looked_at(own_home):
    own_home.write_text("a file, not a folder")
    states = {entry.what: entry.state for entry in examined()}
    assert states["home"] == "problem"
    assert states["browser"] in ("ok", "note")


def test_every_package_that_comes_along_says_its_licence():
    found = {entry.metadata["Name"].lower(): licence_of(entry) for entry in needed("mami")}
    assert {"torch", "streamlit", "sqlalchemy", "numpy", "mami"} <= {*found}
    assert [name for name, licence in found.items() if licence == "not said"] == []


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A fresh log; what it changed in Python's logging is put back."""
    monkeypatch.setenv(LOG, str(tmp_path / "logs" / "mami.jsonl"))
    open_log()
    yield tmp_path / "logs" / "mami.jsonl"
    handler = next(entry for entry in logging.getLogger("mami").handlers if isinstance(entry, logging.FileHandler))
    for name in ("mami", "mami_core", "streamlit", "uvicorn.error"):
        logging.getLogger(name).removeHandler(handler)
    handler.close()


def test_the_log_is_a_line_of_json_an_event(log, tmp_path):
    log_event("job started", job=3, command=["caption", 'say "hi"\n'])
    LabelStore(tmp_path / "l.sqlite").save(Label("made", "conv1", 0, "ada", "edit", "secret words"))
    try:
        raise OSError("disk")
    except OSError:
        log_problem("page failed", page="neuron")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["event"] for line in lines] == ["job started", "label saved", "page failed"]
    assert (lines[0]["job"], lines[1]["reviewer"], lines[2]["level"]) == (3, "ada", "error")
    assert "disk" in lines[2]["traceback"]
    assert "secret words" not in log.read_text()


def test_a_command_that_is_refused_stands_in_the_log_with_its_reason(log, tmp_path, capsys):
    assert main(["inspect", str(tmp_path / "nowhere")]) == 2
    assert "is not a dissection" in capsys.readouterr().err
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["event"] for line in lines] == ["command begins", "command refused"]


def test_without_mami_log_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.delenv(LOG, raising=False)
    monkeypatch.chdir(tmp_path)
    open_log()
    log_event("label saved")
    assert list(tmp_path.iterdir()) == []
