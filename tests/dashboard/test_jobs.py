"""Commands started from a form: the same line a terminal would take, and the same refusals."""

from __future__ import annotations

import dataclasses
import shutil

import pytest

from dashboard import loaders
from dashboard.forms import arguments
from dashboard.security import ALLOWS_CODE
from mami_core.cli import COMMANDS
from mami_core.config import DissectConfig


def values(config: type, **given: object) -> dict[str, object]:
    """Return a record's defaults with some values given."""
    fields = dataclasses.fields(config)
    return {**{entry.name: entry.default for entry in fields if entry.default is not dataclasses.MISSING}, **given}


def test_only_what_differs_from_the_defaults_is_said():
    chosen = values(DissectConfig, network="torchvision:resnet18", images="photos", out="d", layers=("a", "b"), k=9)
    line = arguments("dissect", DissectConfig, COMMANDS["dissect"].positional, chosen)
    assert line == ["dissect", "torchvision:resnet18", "photos", "--out", "d", "--layers", "a", "b", "--k", "9"]


def test_switches_are_said_both_ways():
    chosen = values(DissectConfig, network="n", images="i", out="d", milan_parity=True, resume=False)
    line = arguments("dissect", DissectConfig, COMMANDS["dissect"].positional, chosen)
    assert line[-2:] == ["--milan-parity", "--no-resume"]


def test_a_job_started_on_the_page_runs_and_is_shown_with_its_output(squares, opened_at, tmp_path):
    test = opened_at("jobs")
    test.get("button_group")[0].set_value("export").run()
    fields = {field.label: field for field in test.text_input}
    fields["dissection"].set_value(str(shutil.copytree(squares.path, tmp_path / "squares")))
    fields["out"].set_value(str(tmp_path / "neurons.csv"))
    next(button for button in test.button if button.label == "Start").click().run()
    assert not test.exception
    assert not test.error
    (job,) = loaders.job_store().recent()
    ended = loaders.job_store().wait(job.id, timeout=60)
    assert (ended.state, (tmp_path / "neurons.csv").is_file()) == ("done", True)
    again = opened_at("jobs")
    assert any("mami export" in block.value for block in again.markdown)


@pytest.mark.usefixtures("squares")
def test_what_a_command_would_refuse_is_refused_before_it_starts(opened_at):
    test = opened_at("jobs")
    next(button for button in test.button if button.label == "Start").click().run()
    assert test.error
    assert loaders.job_store().recent() == []


@pytest.mark.usefixtures("squares")
def test_a_file_s_code_is_run_only_where_the_server_was_started_to(opened_at, monkeypatch, tmp_path):
    (tmp_path / "own.py").write_text("raise SystemExit('it ran')")

    def started() -> list:
        test = opened_at("jobs")
        fields = {field.label: field for field in test.text_input}
        for name, value in {"network": f"{tmp_path}/own.py:make", "images": "scenery:4", "out": "d"}.items():
            fields[name].set_value(value)
        next(button for button in test.button if button.label == "Start").click().run()
        assert ("--allow-code" in "".join(error.value for error in test.error)) == (not loaders.job_store().recent())
        return loaders.job_store().recent()

    monkeypatch.delenv(ALLOWS_CODE, raising=False)
    assert started() == []
    monkeypatch.setenv(ALLOWS_CODE, "1")
    (job,) = started()
    assert loaders.job_store().wait(job.id, timeout=120).state == "failed"
