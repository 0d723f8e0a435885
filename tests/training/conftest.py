"""A tiny world that is quick to make and easy to learn, for tests of training."""

from __future__ import annotations

import numpy as np
import pytest

from mami_core.scenery.parts import COLOURS, PALETTE
from mami_core.training.painted import Painted


def blocks(count: int, seed: int) -> Painted:
    """Scenes of four flat quarters; part and colour of a quarter are the same number, the place is the first one."""
    rng = np.random.default_rng(seed)
    quarters = rng.integers(0, 4, (count, 2, 2))
    labels = quarters.repeat(28, 1).repeat(28, 2)  # (n, 56, 56)
    palette = np.array([PALETTE[name] for name in COLOURS], dtype=np.uint8)
    pixels = palette[labels.repeat(2, 1).repeat(2, 2)].transpose(0, 3, 1, 2)  # (n, 3, 112, 112)
    return Painted(
        images=np.ascontiguousarray(pixels),
        places=quarters[:, 0, 0].astype(np.int64),
        labels=np.stack([labels, labels, np.zeros_like(labels)], 1).astype(np.uint8),
    )


@pytest.fixture(scope="session")
def small_world() -> Painted:
    return blocks(48, seed=1)
