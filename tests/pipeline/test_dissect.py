"""`mami dissect` as it is typed: generators, one's own normalisation, what could not be read, shares under torchrun."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mami_core.cli import main
from mami_core.store import Dissection

NETWORKS = """
import torch
from torch import nn

def small():
    module = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(4, 5, 3, stride=2))
    module.preprocessing = {"resize": 16, "crop": 16}
    return module

class Painter(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(3, 4)
        self.block = nn.ConvTranspose2d(8, 6, 4)
        self.to_image = nn.Conv2d(6, 3, 1)
    def forward(self, z, label):
        x = torch.cat([z, self.embed(label)], 1)[:, :, None, None]
        return torch.tanh(self.to_image(torch.relu(self.block(x))))

def painter():
    def sample(n, generator):
        return torch.randn(n, 4, generator=generator), torch.randint(0, 3, (n,), generator=generator)
    return Painter(), sample
"""


@pytest.fixture
def networks(tmp_path: Path) -> Path:
    path = tmp_path / "networks.py"
    path.write_text(NETWORKS)
    return path


@pytest.fixture
def pixels(tmp_path: Path) -> Path:
    images = np.random.default_rng(0).integers(0, 256, (70, 16, 16, 3), dtype=np.uint8)
    np.savez(tmp_path / "pixels.npz", images=images, labels=np.arange(70) % 2)
    return tmp_path / "pixels.npz"


def test_a_class_conditional_generator_is_dissected_over_latents(networks, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["dissect", f"{networks}:painter", "latents:12:3", "--layers", "block", "--out", str(out)]) == 0
    assert "6 units in 1 layers over 12 images" in capsys.readouterr().out
    assert len(Dissection.open(out).exemplars_of("block", 0)["top"]) == 12


def test_another_mean_and_deviation_change_what_the_network_sees(networks, pixels, tmp_path):
    found = []
    for name, more in (("own", []), ("other", ["--mean", "0.5", "0.5", "0.5", "--std", "0.25", "0.25", "0.25"])):
        out = tmp_path / name
        assert main(["dissect", f"{networks}:small", str(pixels), "--layers", "0", "--out", str(out), *more]) == 0
        found.append(Dissection.open(out).units["mean"].to_numpy())
    assert not np.allclose(*found)
    assert "std=(0.25, 0.25, 0.25)" in Dissection.open(out).manifest.settings["preprocess"]


def test_what_could_not_be_read_is_named_at_the_end(networks, tmp_path, capsys):
    from PIL import Image

    folder = tmp_path / "folder"
    folder.mkdir()
    Image.new("RGB", (20, 20), "red").save(folder / "red.png")
    (folder / "broken.png").write_bytes(b"no image")
    assert main(["dissect", f"{networks}:small", str(folder), "--out", str(tmp_path / "out")]) == 0
    assert "left out, not readable: broken.png: " in capsys.readouterr().out


@pytest.mark.slow
def test_torchrun_gives_the_bytes_of_one_worker(networks, pixels, tmp_path):
    one = {**os.environ, "OMP_NUM_THREADS": "1", "MAMI_HOME": str(tmp_path / "home")}
    ask = [f"{networks}:small", str(pixels), "--batch-size", "8", "--out"]
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "3", "-m", "mami_core", "dissect"]
    subprocess.run([sys.executable, "-m", "mami_core", "dissect", *ask, tmp_path / "alone"], check=True, env=one)
    subprocess.run([*launch, *ask, tmp_path / "three"], check=True, env=one)
    alone, three = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for folder in (tmp_path / "alone", tmp_path / "three")
    )
    assert alone == three
