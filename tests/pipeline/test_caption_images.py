"""A captioner of images speaks from the command line, as a library, and of units."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
from made_image_captioner import make_captioner, make_encoder
from PIL import Image

from mami_core.captioning.encoder import fit_encoder, grid_cover, save_encoder
from mami_core.captioning.features import unit_features
from mami_core.captioning.image_captions import caption_image, caption_images
from mami_core.cli import main
from mami_core.pipeline.captions.caption_images import open_image_captioner
from mami_core.pipeline.trainings.captioned import IMAGE_ENCODER, backbone_encoder
from mami_core.scenery.networks import PartsEncoder
from mami_core.scenery.world import paint
from mami_core.store import Dissection
from mami_core.store.attention import AttentionFile


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_encoder(tmp_path_factory.mktemp("models") / "parts")


@pytest.fixture
def captioner(parts: Path, tmp_path: Path) -> Path:
    return make_captioner("sat-soft", str(parts), tmp_path / "sat")


def test_one_image_is_said_with_gate_and_attention_over_its_14_by_14_regions(captioner: Path) -> None:
    opened = open_image_captioner(captioner)
    picture = Image.fromarray(paint(7).image).resize((200, 150))

    said = caption_image(opened, picture)

    assert said.words
    assert len(said.gate) == len(said.words)
    (head,) = said.heads
    assert head.grid == (1, 14, 14)
    assert np.allclose(head.weights.sum(1), 1, atol=1e-5)
    others = [Image.fromarray(paint(seed).image) for seed in range(3)]
    assert caption_images(opened, [*others, picture])[3].words == said.words


def test_a_folder_is_captioned_from_the_command_line(captioner: Path, picture_folder: Path, tmp_path: Path) -> None:
    broken = picture_folder / "even" / "zz-broken.png"
    broken.write_bytes(b"no picture")
    out, table, maps = tmp_path / "said.json", tmp_path / "said.csv", tmp_path / "attention.arrow"
    try:
        assert main(["caption-images", str(picture_folder), str(captioner), "--out", str(out), "--include", "*0*.png",
                     "--attention", str(maps)]) == 0  # fmt: skip
        assert main(["caption-images", str(picture_folder), str(captioner), "--out", str(table)]) == 0
    finally:
        broken.unlink()

    said = json.loads(out.read_text())
    rows = {row["image"]: row for row in csv.DictReader(table.open())}
    assert said["simulated"] is True
    assert rows["even/zz-broken.png"]["state"] == "failed"
    assert len(rows) == 41
    for place, entry in enumerate(said["captions"]):
        (head,) = entry["heads"]
        weights = np.array(head["weights"])
        assert weights.shape == (len(entry["words"]), 196)
        row = rows[entry["image"]]
        assert row["caption"] == entry["caption"]
        assert [float(value) for value in row["gate"].split(";")] == pytest.approx(entry["gate"], abs=1e-4)
        cells = [14 * int(y) + int(x) for y, _, x in (cell.partition(":") for cell in row["looked_at"].split(";"))]
        assert weights[range(len(weights)), cells] == pytest.approx(weights.max(1), abs=2e-5)  # rounded: ties
        assert [float(value) for value in row["entropy"].split(";")] == pytest.approx(head["entropy"], abs=1e-3)
        (kept,) = AttentionFile(maps).heads(place)
        assert np.abs(kept.weights - weights).max() <= weights.max() / 255 + 1e-4


def test_a_captioner_without_attention_reads_the_mean_region(parts: Path, tmp_path: Path) -> None:
    opened = open_image_captioner(make_captioner("merge", str(parts), tmp_path / "merge"))

    said = caption_image(opened, Image.fromarray(paint(7).image))

    assert said.state == "ok"
    assert (said.heads, said.gate) == ((), ())


def test_any_network_can_be_the_backbone_and_is_opened_again(network_file: Path, tmp_path: Path) -> None:
    folder = make_captioner("sat-soft", f"{network_file}:small", tmp_path / "own")

    said = caption_image(open_image_captioner(folder), Image.fromarray(paint(1).image))

    assert said.heads[0].grid == (1, 14, 14)


def test_a_backbone_that_has_changed_is_refused(captioner: Path, tmp_path: Path, capsys) -> None:
    description = captioner / IMAGE_ENCODER / "encoder.json"
    body = json.loads(description.read_text())
    other = tmp_path / "other"
    images = np.zeros((2, 3, 112, 112), np.uint8)
    save_encoder(fit_encoder(PartsEncoder(), images), other)
    description.write_text(json.dumps({**body, "opened_by": {"encoder": str(other)}}))

    assert main(["caption-images", str(tmp_path), str(captioner)]) == 2
    assert "was fitted to another backbone" in capsys.readouterr().err


def test_a_captioner_of_units_is_refused_for_images(capsys, tmp_path: Path) -> None:
    assert main(["caption-images", str(tmp_path), "milan@scenery"]) == 2
    assert "describes units" in capsys.readouterr().err


def test_units_are_captioned_by_a_captioner_of_images(
    captioner: Path, network_file: Path, picture_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "dissected"
    few = ["--layers", "shapes", "--k", "3", "--spectrum", "0"]
    assert main(["dissect", f"{network_file}:small", str(picture_folder), "--out", str(out), *few]) == 0
    assert main(["caption", str(out), "--captioner", str(captioner)]) == 0

    dissection = Dissection.open(out)
    name = dissection.captioners[0]
    for key in dissection.unit_keys():
        said = dissection.caption(name, *key)
        if said.state != "ok":
            continue
        (head,) = said.heads
        assert head.grid == (3, 14, 14)
        cover = grid_cover(dissection, key, (14, 14)).ravel()
        assert (head.weights[:, cover == 0] == 0).all()
        assert head.mask_overlap == pytest.approx(head.weights @ cover, abs=0.02)  # stored in bytes


def test_regions_of_units_are_the_masked_cells_of_whole_images(
    parts: Path, network_file: Path, picture_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "dissected"
    few = ["--layers", "shapes", "--k", "3", "--spectrum", "0"]
    assert main(["dissect", f"{network_file}:small", str(picture_folder), "--out", str(out), *few]) == 0
    dissection = Dissection.open(out)
    encoder = backbone_encoder(str(parts)).fitted([Image.fromarray(paint(0).image)])

    features = unit_features(dissection, encoder)

    for row, key in enumerate(features.keys):
        values, weights = features.dense(row)
        cover = grid_cover(dissection, key, (14, 14))  # (3, 14, 14)
        assert ((weights > 0) == (cover.ravel() > 0)).all()
        assert math.isclose(weights.sum(), 1, abs_tol=1e-5)
        shown = [rank for rank in range(3) if cover[rank].any()]
        for rank in shown:
            image = dissection.images.image(dissection.exemplars_of(*key)["top"][rank].image_id)
            expected = encoder.encode([image])[0].float().numpy() * (cover[rank].ravel() > 0)[:, None]
            here = slice(196 * rank, 196 * (rank + 1))
            np.testing.assert_allclose(values[here], expected, atol=5e-3)
            assert math.isclose(weights[here].sum(), 1 / len(shown), abs_tol=1e-5)
