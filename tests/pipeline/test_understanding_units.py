"""`mami visualise` and `mami attribute` on the bundled demo: its network is at hand."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mami_core.cli import main
from mami_core.config import VisualiseConfig
from mami_core.pipeline.understanding.networks import dissected_network
from mami_core.store import DEMO, Dissection
from mami_core.store.kept_results import VISUALISATIONS, KeptResults


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_pictures_of_a_dissections_units_stand_beside_what_its_images_reached(capsys, tmp_path):
    before = {path: hashlib.sha256(path.read_bytes()).digest() for path in DEMO.rglob("*") if path.is_file()}
    options = ("--layer", "layer4", "--units", "17", "3", "--steps", "24", "--out", str(tmp_path / "out"))
    rows = said(capsys, "visualise", str(DEMO), *options)["visualisations"]
    assert [(row["layer"], row["unit"]) for row in rows] == [("layer4", 17), ("layer4", 3)]
    demo = Dissection.open(DEMO)
    for row in rows:
        assert row["dataset"] == pytest.approx(demo.statistics("layer4", row["unit"]).maximum)
        assert row["share"] == pytest.approx(row["reached"][0] / row["dataset"])
        assert row["end"][0] > row["start"][0]
        assert Image.open(row["file"]).size == (112, 112)
    assert {path: hashlib.sha256(path.read_bytes()).digest() for path in before} == before, "the demo is only read"
    kept = KeptResults(VISUALISATIONS, str(demo.manifest.weights_sha256), "layer4")
    assert [result.facts["unit"] for result in kept.all("3~")] == [3]


def test_classes_and_networks_without_a_dissection_have_pictures_too(capsys, network_file):
    (row,) = said(capsys, "visualise", str(DEMO), "--classes", "2", "--steps", "8")["visualisations"]
    assert (row["layer"], row["unit"], row["dataset"]) == ("fc", 2, None)
    spec = f"{network_file}:small"
    rows = said(capsys, "visualise", spec, "--layer", "shapes", "--units", "1", "--steps", "4", "--diversity", "2")
    assert rows["visualisations"][0]["width"] == 112
    assert len(rows["visualisations"][0]["reached"]) == 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--layer", "layer9"], "no layer 'layer9'; near matches"),
        (["--layer", "layer4", "--units", "192"], "has units 0-191, not 192"),
        (["--weights", "nowhere.safetensors"], "nowhere.safetensors"),
        (["--network", "scenery:alexnet"], "was dissected with other weights than scenery:alexnet"),
    ],
    ids=str,
)
def test_what_cannot_be_done_is_said(capsys, arguments, sentence):
    assert main(["visualise", str(DEMO), "--steps", "1", *arguments]) == 2
    assert sentence in capsys.readouterr().err


def test_a_dissection_that_does_not_say_its_network_asks_for_it():
    demo = Dissection.open(DEMO)
    demo.manifest = replace(demo.manifest, settings={**demo.manifest.settings, "network": "module:Mine"})
    with pytest.raises(ValueError, match=r"does not say how to open .*; name it: --network path.py:factory"):
        dissected_network(demo)
    assert dissected_network(demo, network="scenery:resnet").weights_sha256 == demo.manifest.weights_sha256


def test_two_kinds_of_targets_at_once_are_refused():
    with pytest.raises(ValueError, match="name one of --units, --classes"):
        VisualiseConfig("D", units=(1,), classes=(2,))


def test_a_unit_is_attributed_over_its_exemplar_and_kept(capsys):
    pytest.importorskip("captum", reason="attribution needs Captum: pip install 'mami[attribution]'")
    options = ("--layer", "layer3", "--units", "5", "--method", "integrated-gradients", "lime", "--exemplar", "1")
    (row,) = said(capsys, "attribute", str(DEMO), *options)["attributions"]
    entry = Dissection.open(DEMO).exemplars_of("layer3", 5)["top"][1]
    assert row["image"] == entry.image_id
    assert row["answer"] == pytest.approx(entry.activation, rel=0.15)  # the kept picture is compressed
    found = row["methods"]["integrated-gradients"]
    assert found["sum"] == pytest.approx(row["answer"] - row["answer_plain"], rel=0.15)
    with np.load(row["file"]) as arrays:
        assert arrays["map:lime"].shape == arrays["mask"].shape == arrays["picture"].shape[:2] == (112, 112)
        assert arrays["random"].shape == (10, len(arrays["deleted"]))
    written = Path(row["file"]).stat().st_mtime_ns
    assert said(capsys, "attribute", str(DEMO), *options)["attributions"] == [row]
    assert Path(row["file"]).stat().st_mtime_ns == written


def test_words_are_attributed_to_regions(capsys):
    options = ("--layer", "layer4", "--units", "3", "--captioner", "mami@scenery")
    (row,) = said(capsys, "attribute", str(DEMO), *options)["attributions"]
    caption = Dissection.open(DEMO).caption("mami@scenery", "layer4", 3)
    assert caption is not None
    assert tuple(row["words"]) == caption.words
    assert sum(row["log_p"]) == pytest.approx(caption.log_p_given_exemplars, abs=2.0)  # without the end
    with np.load(row["file"]) as arrays:
        assert arrays["occlusion"].shape == (len(caption.words), np.prod(row["grid"]))
        assert arrays["gradients"].sum(1) == pytest.approx(np.array(row["log_p"]) - row["log_p_plain"], abs=0.02)


def test_an_exemplar_or_caption_that_is_not_there_is_said(capsys):
    assert main(["attribute", str(DEMO), "--layer", "layer4", "--units", "3", "--exemplar", "15"]) == 2
    assert "has 15 exemplars; there is no exemplar 15" in capsys.readouterr().err
