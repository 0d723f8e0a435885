"""`mami reproduce table1` on what is bundled, and on a folder of references."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from mami_core.cli import main
from mami_core.pipeline.tables.table1 import PAPER
from mami_core.store import DEMO, Dissection


def test_a_dissections_references_are_counted_beside_the_papers(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    kept, page = tmp_path / "kept", tmp_path / "results.md"
    assert main(["reproduce", "table1", "--data", str(DEMO), "--keep", str(kept), "--out", str(page), "--json"]) == 0

    table = json.loads(capsys.readouterr().out)

    demo = Dissection.open(DEMO)
    for kind in ("short", "long"):
        row = table["ours"][f"{demo.name}, {kind}"]
        texts = demo.references[demo.references["set"] == kind]
        assert row["descriptions"] == len(texts)
        assert row["units"] == len(texts.groupby(["layer", "unit"]))
        assert row["longest"] == max(len(text.replace(",", " ").split()) for text in texts["text"])
    assert json.loads((kept / "table1.json").read_text()) == table
    rows = list(csv.DictReader((kept / "table1.csv").open()))
    assert [row["set"] for row in rows] == [*table["ours"], *PAPER]
    assert "paper: ResNet-152 | 3,904 | — | 47 | 5 | 4 | 2,577" in page.read_text()


def test_files_of_human_annotations_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "milannotations_net.csv").write_text(
        "layer,unit,position,summary\nconv1,0,0,red cars\nconv1,0,1,cars\nconv1,1,0,a bus\n"
    )
    assert main(["reproduce", "table1", "--data", str(tmp_path), "--json"]) == 0
    row = json.loads(capsys.readouterr().out)["ours"]["milannotations_net"]
    assert (row["units"], row["descriptions"], row["longest"]) == (2, 3, 2)


@pytest.mark.parametrize(("folder", "sentence"), [("", "holds no world"), ("none", "no .*none")])
def test_a_folder_without_descriptions_is_refused(tmp_path: Path, folder: str, sentence: str, capsys):
    assert main(["reproduce", "table1", "--data", str(tmp_path / folder)]) == 2
    assert re.search(sentence, capsys.readouterr().err)
