"""Signed maps over a picture: red speaks for the answer, blue against it, what says nothing stays grey."""

from __future__ import annotations

from typing import Final

import numpy as np
from PIL import Image

_FOR: Final = np.array([214, 47, 39], dtype=np.float64)
_AGAINST: Final = np.array([33, 102, 192], dtype=np.float64)
_CLIP: Final = 99.0  # percentile of |map| that is drawn in full colour


def overlay(picture: np.ndarray, attribution: np.ndarray, *, full: float | None = None) -> np.ndarray:
    """Return a picture uint8 (H, W, 3) in grey under a signed map (H, W), uint8 (H, W, 3).

    `full` is what is drawn in full colour; None: the map's own 99th percentile.
    """
    limit = float(np.percentile(np.abs(attribution), _CLIP)) if full is None else full
    strength = np.clip(np.abs(attribution) / limit, 0, 1)[..., None] if limit > 0 else np.zeros((*picture.shape[:2], 1))
    grey = picture.astype(np.float64).mean(2, keepdims=True).repeat(3, 2) * 0.6 + 90
    colour = np.where(attribution[..., None] >= 0, _FOR, _AGAINST)
    share = 0.9 * strength**0.7
    return np.clip(grey * (1 - share) + colour * share, 0, 255).astype(np.uint8)


def masked(picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return a picture uint8 (H, W, 3) that is dim outside a mask bool (H, W)."""
    return np.where(mask[..., None], picture, picture // 4).astype(np.uint8)


def enlarged(cells: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return a map (h, w) at `size` (H, W), float32, half-pixel bilinear."""
    drawn = Image.fromarray(cells.astype(np.float32))
    return np.asarray(drawn.resize((size[1], size[0]), Image.Resampling.BILINEAR))
