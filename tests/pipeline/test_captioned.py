"""Training on captioned images, and a small edition of Show, Attend and Tell's table."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from mami_core.captioning.captioner import Captioner
from mami_core.captioning.encoder import fit_encoder, save_encoder
from mami_core.captioning.features import UnitFeatures
from mami_core.captioning.image_encoder import parts_grid
from mami_core.cli import main
from mami_core.inputs.source import sha256_of_names
from mami_core.pipeline.captions.caption_images import open_image_captioner
from mami_core.scenery.images import SceneryImages
from mami_core.scenery.networks import PartsEncoder
from mami_core.training.images import captioned_units, image_features, pooled_images
from mami_core.training.painted import paint_many
from mami_core.training.segmentation import train_parts_encoder
from mami_core.training.vision import VisionRecipe


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("MAMI_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="session")
def untrained(tmp_path_factory):
    torch.manual_seed(1)
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 112, 112), dtype=np.uint8)
    folder = tmp_path_factory.mktemp("untrained") / "parts"
    save_encoder(fit_encoder(PartsEncoder(), images), folder)
    return folder


class Counted(SceneryImages):
    """Scenes that count how often they are painted."""

    painted = 0

    def load(self, index):
        type(self).painted += 1
        return super().load(index)

    def fingerprint(self):
        return sha256_of_names(self.names)


@pytest.fixture
def encoder(untrained):
    from mami_core.captioning.encoder import load_encoder

    scenes = SceneryImages(4, 3)
    return parts_grid(load_encoder(untrained)).fitted([scenes.load(row) for row in range(4)])


def test_images_are_encoded_once_and_pooled_to_their_mean(encoder):
    source = Counted(5, 2)
    features = image_features(source, encoder)
    again = image_features(source, encoder)
    assert Counted.painted == 5
    assert isinstance(features, UnitFeatures)
    assert features.grid == (1, 14, 14)
    assert np.array_equal(features.values, again.values)
    one = encoder.encode([source.load(3)])[0].float()
    assert np.allclose(features.dense(3)[0], one.numpy(), atol=2e-3)
    pooled = pooled_images(features)
    assert pooled.grid == (1, 1, 1)
    assert np.allclose(pooled.dense(3)[0][0], one.mean(0).numpy(), atol=2e-3)
    units = captioned_units(features, [("a",), ("b",), ("c",), ("d", "e"), ("f",)], [3, 0])
    assert units.texts == (("d", "e"), ("a",))
    assert np.allclose(units.regions([0]).features[0].numpy(), one.numpy(), atol=2e-3)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sat-hard", "merge"])
def test_train_takes_captioned_scenes_and_writes_a_captioner(name, untrained, tmp_path, capsys):
    out = tmp_path / name
    few = ["--epochs", "1", "--hidden-size", "16", "--embedding-size", "8", "--attention-size", "8", "--json"]
    command = ["train", "scenery:captions:40", "--captioner", name, "--out", str(out), "--encoder", str(untrained)]
    assert main([*command, *few]) == 0
    capsys.readouterr()
    captioner = Captioner.load(out)
    assert captioner.simulated
    assert captioner.provenance["trained_on"] == "scenery:captions:40"
    assert (out / "encoder" / "encoder.json").is_file()
    said = captioner.caption(torch.randn(2, 196, 96), torch.full((2, 196), 1 / 196))
    assert {caption.state for caption in said} == {"ok"}


@pytest.mark.slow
def test_torchrun_trains_in_two_processes_and_writes_one_captioner(untrained, tmp_path):
    few = ["--epochs", "1", "--hidden-size", "16", "--embedding-size", "8", "--attention-size", "8", "--no-listeners"]
    command = ["train", "scenery:captions:24", "--captioner", "sat-soft", "--out", str(tmp_path / "sat")]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*torchrun, "-m", "mami_core", *command, *few, "--encoder", str(untrained), "--json"],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["out"] == str(tmp_path / "sat")  # one process speaks
    captioner = open_image_captioner(tmp_path / "sat")
    assert captioner.captioner.checkpoint.language_model is None


def test_a_network_without_weights_is_refused_as_encoder(capsys, tmp_path):
    command = ["train", "scenery:captions:24", "--captioner", "merge", "--out", str(tmp_path / "x")]
    assert main([*command, "--encoder", "torchvision:alexnet"]) == 2
    assert "needs --encoder-weights" in capsys.readouterr().err


@pytest.mark.slow
def test_the_table_is_written_resumed_and_above_its_floor(tmp_path, capsys):
    world = paint_many(500, 41)
    backbone, _ = train_parts_encoder(world, recipe=VisionRecipe(epochs=3, learning_rate=4e-3))
    folder = tmp_path / "parts"
    save_encoder(fit_encoder(backbone, world.images[:100]), folder)
    results = tmp_path / "results.md"
    command = ["reproduce", "sat-table1", "--scenes", "600", "--captioners", "sat-soft", "merge", "--no-meteor",
               "--encoder", str(folder), "--out", str(results), "--json"]  # fmt: skip

    assert main(command) == 0
    first = json.loads(capsys.readouterr().out)
    assert main(command) == 0  # nothing is trained or tested again
    assert json.loads(capsys.readouterr().out) == first

    for row in first["captioners"].values():
        assert len(row["sat"]["orders"]) == 4
        low, high = row["coco"]["interval"]
        assert low <= row["coco"]["orders"][-1] <= high
        assert row["meteor"] == {"not_computed": "not asked for"}
    assert first["images"] == {"train": 450, "val": 75, "test": 75}
    assert first["captioners"]["merge"]["coco"]["minus_constant"]["difference"] > 0
    written = results.read_text()
    assert written.count("## Show, Attend and Tell, table 1") == 1
    assert "Hard-Attention (Xu et al. 2015) | 67 | 45.7 | 31.4 | 21.3" in written


@pytest.mark.slow
@pytest.mark.data
def test_captioned_photographs_can_be_trained_on(data_dir: Path, untrained, tmp_path, capsys):
    captions = data_dir / "captions" / "photo_captions.csv"
    if not captions.is_file():
        pytest.skip("this folder of real data has no captioned photographs")
    few = ["--epochs", "2", "--hidden-size", "32", "--embedding-size", "16", "--json", "--images"]
    command = ["train", str(captions), "--captioner", "sat-soft", "--out", str(tmp_path / "sat")]
    assert main([*command, "--encoder", str(untrained), *few, str(data_dir / "photos")]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["validation"]
    captioner = Captioner.load(tmp_path / "sat")
    assert not captioner.simulated
