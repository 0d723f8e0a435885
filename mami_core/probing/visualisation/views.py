"""A picture seen a little shifted, scaled and turned each time: what survives that is no adversarial noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

GREY = 0.5  # beyond the picture's edge


@dataclass(frozen=True)
class Jostle:
    """How far views may differ from the picture: Lucid's standard transforms in one affine map."""

    shift: float = 1 / 16  # of the size, each way: 8 pixels of 128
    scale: float = 0.1  # of the size, each way
    turn: float = 10.0  # degrees, each way

    def draw(self, steps: int, copies: int, size: tuple[int, int], seed: int) -> np.ndarray:
        """Return affine maps from view to picture, float32 (steps, copies, 2, 3), for `F.affine_grid`."""
        dice = np.random.default_rng([seed, 0x71E3]).uniform(-1, 1, (4, steps, copies))
        angle, scale = np.deg2rad(self.turn * dice[0]), 1 + self.scale * dice[1]
        height, width = size
        shift_x, shift_y = 2 * self.shift * dice[2], 2 * self.shift * dice[3]  # from -1 to 1 is the whole picture
        cosine, sine = np.cos(angle) / scale, np.sin(angle) / scale
        rows = [[cosine, -sine * height / width, shift_x], [sine * width / height, cosine, shift_y]]
        return np.moveaxis(np.array(rows, dtype=np.float32), (0, 1), (-2, -1))


STILL = Jostle(0.0, 0.0, 0.0)


def seen(pixels: Tensor, maps: np.ndarray) -> Tensor:
    """Return one view of each picture, (B, 3, H, W), for pixels (B, 3, H, W) and maps (copies, 2, 3), B = T · copies.

    Pictures of all T targets are seen alike, so that what differs between them is theirs. Outside is grey.
    """
    theta = torch.from_numpy(maps).to(pixels).repeat(len(pixels) // len(maps), 1, 1)  # (B, 2, 3)
    grid = F.affine_grid(theta, list(pixels.shape), align_corners=False)  # (B, H, W, 2)
    return F.grid_sample(pixels - GREY, grid, mode="bilinear", padding_mode="zeros", align_corners=False) + GREY
