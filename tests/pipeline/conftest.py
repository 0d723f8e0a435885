"""What a user has: a network of their own in a Python file, and a folder of pictures."""

from __future__ import annotations

from pathlib import Path

import pytest

from mami_core.scenery.world import paint

NETWORK = """
import torch
from torch import nn

def small(channels: int = 6) -> nn.Module:
    torch.manual_seed(0)
    network = nn.Sequential()
    network.add_module("edges", nn.Conv2d(3, channels, 5, stride=4, padding=2))
    network.add_module("relu", nn.ReLU())
    network.add_module("shapes", nn.Conv2d(channels, 8, 3, stride=2, padding=1))
    network.preprocessing = {"resize": 112, "crop": 112}
    return network
"""


@pytest.fixture(scope="session")
def network_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network file of a user's own."""
    path = tmp_path_factory.mktemp("network") / "mine.py"
    path.write_text(NETWORK)
    return path


@pytest.fixture(scope="session")
def picture_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty painted scenes as PNG files, in two nested folders."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("pictures")
    for seed in range(40):
        place = folder / ("even" if seed % 2 == 0 else "odd")
        place.mkdir(exist_ok=True)
        Image.fromarray(paint(seed).image).save(place / f"scene-{seed:03}.png")
    return folder


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test touches the user's own data."""
    home = tmp_path / "home"
    monkeypatch.setenv("MAMI_HOME", str(home))
    return home
