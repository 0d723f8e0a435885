"""`mami reproduce published` on small files made here, and on the real ones where they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mami_core.cli import main


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Captions of three units by two methods, with references, and a simulation's scores of one of them."""
    rows = {
        "milannotations_net.csv": "layer,unit,position,summary\nl1,0,0,red roofs\nl1,0,1,roofs\nl1,1,0,blue sky\n",
        "milan_on_net.csv": "layer,unit,description\nl1,1,blue sky\nl1,0,Red roofs\nl1,2,dogs\n",
        "simscore_milan_on_net.csv": "layer,unit,description,sim_correlation\nl1,0,red roofs,0.5\nl1,1,green sky,0.1\n",
        "simscore_other_on_net.csv": "layer,unit,description,sim_correlation\nl1,0,roof,0.3\nl1,1,sky,0.2\n",
    }
    for name, text in rows.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def figures(folder: Path, capsys: pytest.CaptureFixture[str]) -> dict:
    assert main(["reproduce", "published", "--data", str(folder), "--no-meteor", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_captions_are_held_against_the_references_of_their_network(folder, capsys):
    report = figures(folder, capsys)["against_references"]["milan_on_net.csv"]

    assert (report["units"], report["unmatched"]) == (2, 1)
    assert report["bleu"]["coco"]["orders"][0] == pytest.approx(100)


def test_methods_are_compared_on_the_units_that_both_describe(folder, capsys):
    (pair,) = figures(folder, capsys)["pairs"]

    assert (pair["first"], pair["second"], pair["units"]) == ("simscore_milan", "simscore_other", 2)
    assert pair["difference"] == pytest.approx((0.5 - 0.3 + 0.1 - 0.2) / 2)


def test_a_score_counts_for_another_files_caption_only_where_the_words_are_the_same(folder, capsys):
    (entry,) = figures(folder, capsys)["scores_of_captions"]

    assert (entry["file"], entry["shared"], entry["same"], entry["mean"]) == ("milan_on_net.csv", 2, 1, 0.5)


def test_an_empty_folder_is_refused_with_the_names_files_should_have(tmp_path, capsys):
    assert main(["reproduce", "published", "--data", str(tmp_path)]) == 2
    assert "METHOD_on_NETWORK.csv" in capsys.readouterr().err


@pytest.mark.data
@pytest.mark.slow
def test_the_published_captions_score_what_is_known_of_them(data_dir: Path, capsys):
    report = figures(data_dir / "descriptions", capsys)
    (held,) = report["against_references"].values()

    assert held["bleu"]["milan"]["score"] == pytest.approx(2.7939, abs=1e-4)
    assert held["floors"]["best_constant"]["bleu_milan"] == pytest.approx(4.7957, abs=1e-4)
    assert len(report["files"]) == 23  # 20 files with captions, one of them with four rival ones
