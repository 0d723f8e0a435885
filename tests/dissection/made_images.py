"""Image sources for tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from mami_core.inputs import UnreadableImageError, sha256_of_names


class Noise:
    """Random images, each from its own seed; some of them broken on demand."""

    simulated = True

    def __init__(self, count: int, *, side: int = 16, broken: Sequence[int] = (), labels: Sequence[int] | None = None):
        self.name = f"noise-{count}"
        self.names = [f"noise-{number}" for number in range(count)]
        self.labels = labels
        self._side = side
        self._broken = set(broken)

    def __len__(self) -> int:
        return len(self.names)

    def load(self, index: int) -> Image.Image:
        if index in self._broken:
            raise UnreadableImageError(f"{self.names[index]}: cut short")
        generator = np.random.default_rng(index)
        coarse = generator.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        return Image.fromarray(coarse).resize((self._side, self._side), Image.Resampling.BICUBIC)

    def fingerprint(self) -> str:
        return sha256_of_names([self.name, *map(str, sorted(self._broken))])


class Given:
    """Ready activations as images: the network is the identity, so that tests choose every activation themselves."""

    simulated = True
    labels = None

    def __init__(self, maps: np.ndarray) -> None:
        self.maps = maps.astype(np.float32)  # (N, U, h, w)
        self.name = "given"
        self.names = [f"given-{number}" for number in range(len(maps))]

    def __len__(self) -> int:
        return len(self.maps)

    def inputs(self, index: int):
        import torch

        return torch.from_numpy(self.maps[index])

    def load(self, index: int) -> Image.Image:
        return Image.new("RGB", (8, 8), (index % 256, 0, 0))

    def fingerprint(self) -> str:
        return sha256_of_names(self.names)
