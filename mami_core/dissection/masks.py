"""Masks and heatmaps from the kept maps: upsampled so that each cell lies where the network saw it, then thresholded.

Half-pixel bilinear: the target pixel t of T lies at (t + ½) · h / T - ½ in the map. Outside the map the default holds
the edge's value; the MILAN reference counts zeros there, so that its maps fade towards the border.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mami_core.store import Dissection

Outside = Literal["clamp", "zeros"]


def upsample(maps: Tensor, size: tuple[int, int], *, outside: Outside = "clamp") -> Tensor:
    """Return maps (…, h, w) at `size` (H, W), float32 (…, H, W)."""
    lead, (height, width) = maps.shape[:-2], maps.shape[-2:]
    flat = maps.reshape(-1, 1, height, width).float()  # (n, 1, h, w)
    if not len(flat):
        return flat.new_empty((*lead, *size))
    if outside == "clamp":
        large = F.interpolate(flat, size, mode="bilinear", align_corners=False)  # (n, 1, H, W)
    else:
        large = F.grid_sample(
            flat, _grid((height, width), size).expand(len(flat), -1, -1, -1), padding_mode="zeros", align_corners=True
        )
    return large.reshape(*lead, *size)


def _grid(source: tuple[int, int], target: tuple[int, int]) -> Tensor:
    """Return where each target pixel lies, (1, H, W, 2) as (x, y) from -1 to 1 between the outer cells' centres."""
    axes = []
    for cells, pixels in zip(source, target, strict=True):
        place = (torch.arange(pixels, dtype=torch.float32) + 0.5) * (cells / pixels) - 0.5
        axes.append(place * (2 / (cells - 1)) - 1 if cells > 1 else torch.zeros(pixels))  # one cell fills its axis
    y, x = torch.meshgrid(*axes, indexing="ij")
    return torch.stack([x, y], dim=-1).unsqueeze(0)


def masks(maps: Tensor, thresholds: Tensor, size: tuple[int, int], *, outside: Outside = "clamp") -> Tensor:
    """Return where upsampled maps (U, k, h, w) exceed their unit's threshold (U,): bool (U, k, H, W).

    Strictly above: a ReLU unit that fires on fewer positions than its quantile has threshold 0, and nothing that is
    silent belongs to its mask. An empty place (NaN) has an empty mask.
    """
    return upsample(maps, size, outside=outside) > thresholds.float().view(-1, *[1] * (maps.dim() - 1))


def unit_heatmaps(
    dissection: Dissection, layer: str, unit: int, size: tuple[int, int], *, exemplar_set: str = "top"
) -> np.ndarray:
    """Return a unit's upsampled maps over its exemplars, float32 (k, H, W), in activation units; NaN where empty."""
    maps = torch.from_numpy(np.array(dissection.maps(layer, exemplar_set)[dissection.row(layer, unit)]))
    return upsample(maps, size, outside=outside_of(dissection)).numpy()


def unit_masks(
    dissection: Dissection, layer: str, unit: int, size: tuple[int, int], *, exemplar_set: str = "top"
) -> np.ndarray:
    """Return where a unit fires above its threshold on its exemplars, bool (k, H, W)."""
    heat = unit_heatmaps(dissection, layer, unit, size, exemplar_set=exemplar_set)
    return heat > np.float32(dissection.statistics(layer, unit).threshold)


def outside_of(dissection: Dissection) -> Outside:
    """Return what a dissection counts outside its maps: `zeros` when it was made in MILAN's manner."""
    return "zeros" if dissection.manifest.settings.get("upsampling") == "zeros" else "clamp"
