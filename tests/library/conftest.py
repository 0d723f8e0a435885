"""A small network of a user's own and sixteen pictures in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test touches the user's own data."""
    monkeypatch.setenv("MAMI_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def module() -> nn.Module:
    """A network that takes pictures as they are, scaled to [-1, 1]."""
    torch.manual_seed(3)
    module = nn.Sequential(nn.Conv2d(3, 5, 3, padding=1), nn.ReLU(), nn.Dropout(0.5), nn.Conv2d(5, 4, 3, stride=2))
    module.preprocessing = {"resize": None, "crop": None, "mean": [0.5] * 3, "std": [0.5] * 3}  # type: ignore[assignment]
    return module


@pytest.fixture(scope="session")
def pixels() -> np.ndarray:
    """Sixteen pictures, uint8 (16, 24, 24, 3): a bright square somewhere on noise."""
    rng = np.random.default_rng(5)
    made = rng.integers(0, 90, (16, 24, 24, 3), dtype=np.uint8)
    for number in range(16):
        row, column = divmod(number, 4)
        made[number, row * 6 : row * 6 + 6, column * 6 : column * 6 + 6] = rng.integers(120, 255, 3)
    return made


@pytest.fixture(scope="session")
def pictures(pixels: np.ndarray) -> list[Image.Image]:
    """The same as PIL images."""
    return [Image.fromarray(values) for values in pixels]
