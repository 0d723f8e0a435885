"""A tiny world and units of four concepts, quick to make and easy to learn, for tests of training."""

from __future__ import annotations

import numpy as np

from mami_core.captioning.features import UnitFeatures
from mami_core.scenery.parts import COLOURS, PALETTE
from mami_core.training.batches import DescribedUnits
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


SAYINGS = (("red roofs", "roofs that are red"), ("green grass", "grass"), ("tall trees in a park",), ("the sea", "sea"))


def concept_units(count: int, seed: int) -> DescribedUnits:
    """Units with one of four concepts in their features, in 2 to 6 regions, and what people say of it."""
    rng = np.random.default_rng(seed)
    concepts = rng.integers(0, len(SAYINGS), count)
    sizes = rng.integers(2, 7, count)
    values = np.concatenate(
        [np.eye(4)[[c] * n] * 2 + rng.normal(size=(n, 4)) * 0.3 for c, n in zip(concepts, sizes, strict=True)]
    )
    features = UnitFeatures(
        keys=tuple(("layer", unit) for unit in range(count)),
        grid=(2, 2, 2),
        offsets=np.concatenate([[0], np.cumsum(sizes)]),
        cells=np.concatenate([np.arange(n) for n in sizes]).astype(np.int32),
        values=values.astype(np.float16),
        weights=np.concatenate([np.full(n, 1 / n) for n in sizes]).astype(np.float32),
    )
    return DescribedUnits(features, tuple(range(count)), tuple(SAYINGS[c] for c in concepts))
