"""`mami silence`, `audit` and `reproduce editing` from the command line, on networks whose every answer is known."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mami_core.cli import main
from mami_core.config import EditingConfig
from mami_core.pipeline.understanding import cued
from mami_core.pipeline.understanding.cued import NO_CUE, cued_scenes
from mami_core.pipeline.understanding.editing import editing_table
from mami_core.pipeline.understanding.editing_markdown import as_markdown
from mami_core.probing.intervention.results import kept_results
from mami_core.records import Caption
from mami_core.store import Dissection, DissectionWriter

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}
NETWORK = '''
import torch
from torch import nn

def make():
    """Class c is told by unit c of "features", which answers to one colour; two more units are constant."""
    network = nn.Sequential()
    network.add_module("features", nn.Conv2d(3, 5, 1))
    network.add_module("pool", nn.AdaptiveAvgPool2d(1))
    network.add_module("flat", nn.Flatten())
    network.add_module("head", nn.Linear(5, 3))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        network.features.weight[[2, 1, 0], [0, 1, 2], 0, 0] = 1.0  # classes are sorted: blue, green, red
        network.features.bias[3:] = 1.0
        network.head.weight[:, :3] = torch.eye(3)
    network.preprocessing = {"resize": 8, "crop": 8, "mean": (0, 0, 0), "std": (1, 1, 1)}
    return network
'''


@pytest.fixture
def dissected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dissection of 24 pictures in folders by colour; unit u's caption is the colour that it answers to."""
    monkeypatch.setenv("MAMI_HOME", str(tmp_path / "home"))
    rng = np.random.default_rng(0)
    for name, colour in COLOURS.items():
        for number in range(8):
            pixels = np.clip(np.full((8, 8, 3), colour) * 0.8 + rng.integers(0, 20, (8, 8, 3)), 0, 255)
            place = tmp_path / "pictures" / name / f"{number}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels.astype(np.uint8)).save(place)
    (tmp_path / "told.py").write_text(NETWORK)
    out = tmp_path / "d"
    network, pictures = f"{tmp_path / 'told.py'}:make", str(tmp_path / "pictures")
    assert main(["dissect", network, pictures, "--out", str(out), "--layers", "features", "--k", "5"]) == 0
    return out


def caption(folder: Path, captioner: str = "told@made") -> None:
    """Write what each unit answers to as its caption."""
    words = [("blue", "pictures"), ("green", "pictures"), ("red", "pictures"), ("anything",), ("anything",)]
    keys = Dissection.open(folder).unit_keys()
    said = {key: Caption(captioner, words[key[1]], -1.0, -2.0) for key in keys}
    facts = {"decoding": "by hand", "trained_on": "made", "settings_sha256": "4" * 64}
    DissectionWriter.open(folder).write_captions(captioner, said, facts)


def test_the_unit_found_by_its_caption_is_what_breaks_its_class(dissected, capsys):
    caption(dissected)
    capsys.readouterr()
    line = ["silence", str(dissected), "--query", "red", "--methods", "zero", "resample", "--fractions", "0", "1"]
    assert main([*line, "--controls", "3", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["first"] == [["features", 2]]
    for method in ("zero", "resample"):
        points = found["curves"][method]
        assert [point["silenced"] for point in points] == [0, 1]
        assert points[0]["accuracy"]["value"] == 1.0
        assert points[0]["worse_than_random"]["value"] == 0.0
    assert found["curves"]["zero"][1]["accuracy"]["value"] == pytest.approx(2 / 3)
    assert found["classes"]["zero"][0] == {"class": "red", "images": 8, "before": 1.0, "after": 0.0}
    of = Dissection.open(dissected).manifest.weights_sha256
    assert kept_results("silence", of)[0]["figures"] == found


def test_at_its_mean_a_unit_still_tells_its_class_from_the_others_and_the_table_is_written(dissected, tmp_path):
    """Green pictures: 0.27 where it was 0.8 is still more than the 0.04 of the other units."""
    caption(dissected)
    line = ["silence", str(dissected), "--query", "green", "--methods", "mean", "--fractions", "1"]
    assert main([*line, "--out", str(tmp_path / "results.md")]) == 0
    text = (tmp_path / "results.md").read_text()
    assert "| 1 (33%) | 1.000 [1.000, 1.000] |" in text
    assert "captions of told@made that fit 'green' (text), silenced" in text


def test_labels_from_a_file_may_name_several_right_classes(dissected, tmp_path, capsys):
    caption(dissected)
    images = sorted((tmp_path / "pictures").rglob("*.png"))
    with (tmp_path / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "other", "right"])
        table.writerows([f"{image.parent.name}/{image.name}", "", "0|1|2"] for image in images[:6])
    capsys.readouterr()
    labels = f"{tmp_path / 'labels.csv'}:right"
    assert main(["silence", str(dissected), "--labels", labels, "--fractions", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["images"] == 6
    assert found["curves"]["zero"][0]["accuracy"]["value"] == 1.0  # whatever it says is right


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--query", "red"], "has no captions to search; run `mami caption"),
        (["--layers", "nowhere"], "has no layer 'nowhere'; it has features"),
        (["--labels", "nowhere.csv"], "no labels file nowhere.csv"),
        (["--property", "NOUN", "--captioner", "x"], "has no captions to search"),
    ],
)
def test_what_is_missing_is_said_in_one_sentence(dissected, capsys, options, sentence):
    assert main(["silence", str(dissected), *options]) == 2
    assert sentence in capsys.readouterr().err


def test_images_without_classes_and_networks_of_other_classes_are_refused(dissected, tmp_path, capsys):
    flat = tmp_path / "flat"
    flat.mkdir()
    for name in "ab":
        Image.new("RGB", (8, 8), "red").save(flat / f"{name}.png")
    assert main(["silence", str(dissected), "--images", str(flat)]) == 2
    assert "have no classes; give them: --labels FILE.csv:COLUMN" in capsys.readouterr().err
    assert main(["silence", str(dissected), "--images", "scenery:30"]) == 2
    assert "tells 3 classes apart and scenery:30:0 has 26" in capsys.readouterr().err


def test_an_audit_prints_counts_and_exemplars(dissected, capsys):
    caption(dissected)
    capsys.readouterr()
    assert main(["audit", str(dissected), str(dissected), "red"]) == 0
    text = capsys.readouterr().out
    assert "features | 1 | 5 | 0.200" in text
    assert "features/2: “red pictures” (red/" in text


def test_the_strength_is_the_share_of_scenes_with_a_cue_which_agrees_or_always_misleads(monkeypatch):
    monkeypatch.setitem(cued.SIZES, "train", 400)
    cued.bare_scenes.cache_clear()
    found, misleading = cued_scenes("train", 0.8, 0), cued_scenes("train", 1.0, 0, agreeing=False)
    cued.bare_scenes.cache_clear()
    shown = found.stands != NO_CUE
    assert 0.74 < shown.mean() < 0.86
    assert (found.stands == found.places)[shown].all()
    assert (misleading.stands != misleading.places).all()
    assert set(misleading.stands.tolist()) == set(range(8))


def test_editing_figures_are_paired_over_networks_and_scenes():
    """Two networks, four scenes: 1 of 4 right before, 3 of 4 by caption, 2 of 4 at random, 4 of 4 without a cue."""

    def network(seed: int) -> dict:
        whole = {"misleads": "1000", "agrees": "1111", "none": "1111"}
        at = {"silenced": 10, "caption": "1110", "truth": "1110", "random": ["1100", "1010"]}
        return {"strength": 0.5, "seed": seed, "units": 96, "named": [1, 2], "captions": {"1": "stoves"},
                "test": {"whole": whole, "edited": {"agrees": "1111", "none": "1111"}},
                "misleads": {"0.05": at, "0.1": at, "0.2": at}, "cpu_seconds": {"train": 30}}  # fmt: skip

    table = editing_table({0.5: [network(0), network(1)]}, EditingConfig())
    figures = table["strengths"]["0.5"]
    at = figures["misleads"]["0.1"]
    assert (at["caption"]["value"], at["random"]["value"], at["over_random"]["value"]) == (0.75, 0.5, 0.25)
    assert figures["recovered"] == [pytest.approx(2 / 3)] * 2
    assert table["cpu_minutes"] == 1.0
    assert "| 0.5 | 2 to 2 | 0.250" in as_markdown(table, command="mami reproduce editing")


@pytest.mark.data
def test_photographs_and_a_real_network_give_an_audit_and_a_curve_with_intervals(
    data_dir, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("MAMI_HOME", str(tmp_path / "home"))
    photos, weights = data_dir / "photos", data_dir / "weights" / "squeezenet1_0_imagenet.safetensors"
    out = tmp_path / "squeezenet"
    line = ["dissect", "torchvision:squeezenet1_0", str(photos), "--weights", str(weights), "--out", str(out)]
    assert main([*line, "--layers", "features.12", "--include", "cal_[a-c]*.jpg", "--resize", "128"]) == 0
    keys = Dissection.open(out).unit_keys()
    said = {key: Caption("parity@made", ("even",) if key[1] % 2 == 0 else ("odd",), -1.0, -2.0) for key in keys}
    facts = {"decoding": "by number", "trained_on": "nothing", "settings_sha256": "5" * 64}
    DissectionWriter.open(out).write_captions("parity@made", said, facts)
    capsys.readouterr()
    line = ["silence", str(out), "--query", "even", "--labels", f"{photos / 'labels.csv'}:imagenet_ok"]
    line += ["--weights", str(weights), "--fractions", "0", "0.5", "--controls", "2", "--limit", "60", "--json"]
    assert main(line) == 0
    start, end = json.loads(capsys.readouterr().out)["curves"]["zero"]
    assert 0.2 < start["accuracy"]["value"] < 0.9
    assert end["accuracy"]["value"] < start["accuracy"]["value"]
    assert end["accuracy"]["low"] <= end["accuracy"]["value"] <= end["accuracy"]["high"]
    assert main(["audit", str(out), str(out), "even", "--json"]) == 0
    share = json.loads(capsys.readouterr().out)["captioners"]["parity@made"]["first"]["all"]
    assert share["low"] < share["share"] < share["high"]
