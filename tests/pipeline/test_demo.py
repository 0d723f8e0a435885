"""The embedded world from nothing, in small."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mami_core.cli import main
from mami_core.store import Dissection

pytestmark = pytest.mark.slow


def test_the_demo_is_made_from_nothing_and_made_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, models = tmp_path / "demo", tmp_path / "models"
    command = ["demo", str(out), "--models", str(models), "--scale", "0.03", "--seed", "5", "--json"]
    assert main(command) == 0
    capsys.readouterr()
    assert main(["inspect", str(out), "--verify", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["units"] >= 300
    assert summary["captioners"] == ["milan@scenery", "mami@scenery"]
    names = {path.name for path in models.iterdir()}
    assert {"milan@scenery", "mami@scenery", "parts@scenery", "scenery-resnet.safetensors"} <= names
    log = (models / "mami@scenery" / "log.jsonl").read_text().splitlines()  # what its training curves are drawn from
    assert [json.loads(line)["epoch"] for line in log] == list(range(len(log)))
    assert len(log) >= 2
    before = Dissection.open(out).captions("mami@scenery")["caption"].tolist()
    assert main(command) == 0  # goes on where nothing is left to do
    assert Dissection.open(out).captions("mami@scenery")["caption"].tolist() == before
