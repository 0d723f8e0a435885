"""`mami evaluate`: files as people have them, and a dissection with its floors, its files and what it cannot know."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from made_dissection import make_dissection

from mami_core.cli import main
from mami_core.pipeline.evaluations.measuring import QUICK, evaluate_dissection
from mami_core.pipeline.evaluations.speakers import COMMONEST, CONSTANT
from mami_core.store import DEMO, Dissection, DissectionWriter
from mami_core.store.evaluations import kept_evaluation

UNITS = [("conv1", 0), ("conv1", 1), ("conv2", 0), ("conv2", 5)]
SAID = ["red roofs of houses", "the sky over trees", "Tiere mit Hörnern", "猫の耳と目"]
WRITTEN = [
    ["red roofs of small houses", "roofs"],
    ["the sky above trees"],
    ["Tiere mit Hörnern und Fell"],
    ["猫の耳と目"],
]


def captions_file(path: Path, rows: list[tuple[str, int, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("layer", "unit", "description"), *rows])
    return path


def references_file(path: Path) -> Path:
    rows = [(*key, text) for key, texts in zip(UNITS, WRITTEN, strict=True) for text in texts]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("layer", "unit", "summary"), *rows])
    return path


@pytest.fixture
def evaluated(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Evaluate rows of captions against the references, by the command."""

    def run(rows: list[tuple[str, int, str]], *more: str) -> dict[str, Any]:
        files = captions_file(tmp_path / "mine.csv", rows), references_file(tmp_path / "people.csv")
        assert main(["evaluate", "--captions", str(files[0]), "--references", str(files[1]), "--json", *more]) == 0
        return json.loads(capsys.readouterr().out)

    return run


ROWS = [(*key, text) for key, text in zip(UNITS, SAID, strict=True)]


def test_rows_in_any_order_and_rows_that_stand_twice_change_nothing(evaluated):
    mixed = [*ROWS, ROWS[2], ROWS[0]]
    random.Random(3).shuffle(mixed)
    straight, other = evaluated(ROWS), evaluated(mixed)
    assert other["bleu"]["milan"]["score"] == pytest.approx(straight["bleu"]["milan"]["score"])
    assert (other["units"], other["unmatched"]) == (4, 0)


def test_units_that_only_one_file_has_are_counted_and_left_out(evaluated):
    report = evaluated([*ROWS[1:], ("conv9", 7, "somewhere else")])
    assert report["units"] == 3
    assert (report["unmatched_captions"], report["unmatched_references"]) == (1, 1)


def test_empty_captions_are_scored_as_nothing(evaluated):
    whole, holed = evaluated(ROWS), evaluated([*ROWS[1:], (*UNITS[0], "")])
    assert holed["units"] == 4
    assert holed["text"]["empty"] == 1
    assert holed["bleu"]["milan"]["brevity_penalty"] < whole["bleu"]["milan"]["brevity_penalty"]


def test_other_languages_are_words_like_any(evaluated):
    german, japanese = (evaluated([row])["bleu"]["milan"] for row in (ROWS[2], ROWS[3]))
    assert german["orders"][0] == pytest.approx(100 * german["brevity_penalty"])
    assert japanese["orders"][0] == pytest.approx(100)


def test_weights_that_are_not_here_read_not_computed(evaluated, monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "empty cache"))
    report = evaluated(ROWS, "--bertscore-backbone", "roberta-large")
    assert "not on this machine" in report["bertscore"]["not_computed"]


def test_contradicting_captions_of_a_unit_are_refused_by_line(tmp_path, capsys):
    files = (
        captions_file(tmp_path / "mine.csv", [*ROWS, ("conv1", 0, "blue doors")]),
        references_file(tmp_path / "people.csv"),
    )
    assert main(["evaluate", "--captions", str(files[0]), "--references", str(files[1])]) != 0
    assert "conv1" in capsys.readouterr().err


def test_a_dissection_is_measured_with_floors_kept_for_the_page_and_written_as_tables(tmp_path, capsys):
    assert main(["evaluate", str(DEMO), "--scenes", "60", "--keep", str(tmp_path / "kept"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    ours, floor = report["truth"]["mami@scenery"], report["truth"]["mami@scenery, shuffled"]
    for measure in ("names_top", "attribute_f1", "precision", "auprc", "pearson", "iou"):
        assert ours[measure]["low"] <= ours[measure]["mean"] <= ours[measure]["high"]
        assert ours[measure]["mean"] > floor[measure]["mean"], measure
    assert {CONSTANT, COMMONEST, "annotator 1"} <= report["truth"].keys()
    assert {row["group"] for row in report["by"]["purity"]} == {"under 30%", "30%–50%", "50%–100%"}
    kept = kept_evaluation(DEMO, "test", "long")
    assert kept is not None
    assert kept[0]["truth"]["mami@scenery"] == ours
    units = pd.read_csv(tmp_path / "kept" / "units.csv")
    own = units[units["voice"] == "mami@scenery"]
    assert own["names_top"].mean() == pytest.approx(ours["names_top"]["mean"], abs=1e-6)
    figures = pd.read_csv(tmp_path / "kept" / "evaluation.csv")
    assert {"all", "layer", "purity"} == set(figures["by"])


def test_without_splits_all_units_are_measured_and_without_truth_only_text(tmp_path):
    dissection = Dissection.open(make_dissection(tmp_path / "squares"))
    found = evaluate_dissection(dissection, split="all", references="short", depth=QUICK)
    assert found.report["units"] == len(dissection.units)
    assert found.report["truth"] == {}
    assert "only text can be measured" in found.report["not_computed"]["truth"]
    assert found.report["text"]["milan@made"]["bleu"]["milan"]["orders"][0] > 50
    with pytest.raises(ValueError, match="no split 'test'; it has all"):
        evaluate_dissection(dissection, split="test", references="short")


def test_truth_of_another_kind_is_said_not_guessed(tmp_path):
    folder = make_dissection(tmp_path / "squares")
    DissectionWriter.open(folder).write_truth({("early", 0): {"rule": "mono", "concepts": ["dog"]}})
    found = evaluate_dissection(Dissection.open(folder), split="all", references="short", depth=QUICK)
    assert "a rule in words, not parts under masks" in found.report["not_computed"]["truth"]
    assert found.scores["names_top"].isna().all()
