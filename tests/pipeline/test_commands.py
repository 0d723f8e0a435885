"""The commands as a user types them: what works, and the one sentence that says why something does not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from mami_core.cli import main
from mami_core.inputs.networks import open_network
from mami_core.store import Dissection


def dissect(network_file: Path, pictures: Path, out: Path, *more: str) -> int:
    return main(["dissect", f"{network_file}:small", str(pictures), "--out", str(out), "--k", "5", "--json", *more])


@pytest.fixture
def dissected(network_file: Path, picture_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    out = tmp_path / "dissection"
    assert dissect(network_file, picture_folder, out, "--layers", "edges", "shapes") == 0
    capsys.readouterr()
    return out


def test_dissect_inspect_and_export_work_on_a_users_own_network(
    dissected: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", str(dissected), "--verify", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert [(layer["name"], layer["units"]) for layer in summary["layers"]] == [("edges", 6), ("shapes", 8)]
    assert summary["images"] == 40
    assert summary["simulated"] is False
    assert main(["export", str(dissected), str(tmp_path / "neurons.csv")]) == 0
    table = pd.read_csv(tmp_path / "neurons.csv")
    assert len(table) == 14
    assert table["exemplar_ids"].str.split(";").map(len).eq(5).all()


def test_a_wrong_layer_is_refused_with_near_matches(
    network_file: Path, picture_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dissect(network_file, picture_folder, tmp_path / "out", "--layers", "edge") == 2
    problem = capsys.readouterr().err
    assert "'edge'" in problem
    assert "edges" in problem
    assert "Traceback" not in problem


def test_an_empty_folder_is_refused(network_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert dissect(network_file, tmp_path / "empty", tmp_path / "out", "--layers", "edges") == 2
    assert str(tmp_path / "empty") in capsys.readouterr().err


def test_an_output_folder_that_is_not_ours_is_left_as_it_is(
    network_file: Path, picture_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "thesis"
    out.mkdir()
    (out / "chapter.txt").write_text("years of work")
    assert dissect(network_file, picture_folder, out, "--layers", "edges") == 2
    assert "not a dissection" in capsys.readouterr().err
    assert [path.name for path in out.iterdir()] == ["chapter.txt"]


def test_an_unreadable_image_is_named_skipped_and_counted(
    network_file: Path, picture_folder: Path, tmp_path: Path
) -> None:
    pictures = tmp_path / "pictures"
    shutil.copytree(picture_folder, pictures)
    (pictures / "even" / "scene-000.png").write_bytes(b"not a picture")
    assert dissect(network_file, pictures, tmp_path / "out", "--layers", "edges") == 0
    manifest = Dissection.open(tmp_path / "out").manifest
    assert "scene-000.png" in json.dumps(dict(manifest.settings))


def test_weights_that_do_not_fit_are_refused_with_their_keys(
    network_file: Path, picture_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_file({"edges.weight": torch.zeros(6, 3, 5, 5), "stranger": torch.zeros(1)}, tmp_path / "other.safetensors")
    weights = ("--weights", str(tmp_path / "other.safetensors"))
    assert dissect(network_file, picture_folder, tmp_path / "out", "--layers", "edges", *weights) == 2
    problem = capsys.readouterr().err
    assert "stranger" in problem or "shapes.weight" in problem


def test_half_precision_weights_are_cast(network_file: Path, picture_folder: Path, tmp_path: Path) -> None:
    module = open_network(f"{network_file}:small").module
    half = {name: value.half() for name, value in module.state_dict().items()}
    save_file(half, tmp_path / "half.safetensors")
    weights = ("--weights", str(tmp_path / "half.safetensors"))
    assert dissect(network_file, picture_folder, tmp_path / "out", "--layers", "edges", *weights) == 0


def test_one_flipped_byte_is_found_and_named(dissected: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = dissected / "units.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert main(["inspect", str(dissected), "--verify", "--json"]) == 1
    assert "units.parquet" in capsys.readouterr().err


def test_a_folder_that_is_no_dissection_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["inspect", str(tmp_path)], ["caption", str(tmp_path)], ["export", str(tmp_path), "out.csv"]):
        assert main(command) == 2
        assert "dissection.json" in capsys.readouterr().err


def test_a_captioner_that_is_not_there_is_refused_with_the_known_ones(
    dissected: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["caption", str(dissected), "--captioner", "oracle"]) == 2
    problem = capsys.readouterr().err
    assert "'oracle'" in problem
    assert "known:" in problem


def test_units_that_are_not_there_are_refused(dissected: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(dissected), "out.csv", "--units", "0-99"]) == 2
    assert "no unit 8" in capsys.readouterr().err
    assert main(["export", str(dissected), "out.csv", "--units", "7-3"]) == 2
    assert "backwards" in capsys.readouterr().err
