"""Leave out regions that the mask hides: a mask covers few cells, and what is hidden costs as much as what is seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class VisibleRegions:
    """The regions of U units without the hidden ones; units with fewer are filled up with regions of weight 0."""

    features: Tensor  # (U, M, D)
    weight: Tensor  # (U, M)
    index: Tensor  # (U, M): place of each among the N regions
    regions: int  # N

    def scatter(self, weights: Tensor) -> Tensor:
        """Return attention (U, W, M) over all N regions, (U, W, N): hidden ones received 0."""
        index = self.index.unsqueeze(1).expand_as(weights)
        return weights.new_zeros(*weights.shape[:-1], self.regions).scatter(-1, index, weights)

    def scatter_unit(self, weights: np.ndarray, unit: int) -> np.ndarray:
        """Return one unit's attention (W, M) over all N regions, (W, N)."""
        full = np.zeros((len(weights), self.regions), dtype=weights.dtype)
        full[:, self.index[unit].cpu().numpy()] = weights
        return full


def visible_regions(features: Tensor, weight: Tensor) -> VisibleRegions:
    """Keep the regions (U, N, D) whose weight (U, N) is not 0, as many as the unit with the most has.

    A unit whose weights are all 0 says nothing about where to look: it keeps all of them, as decoders expect.
    """
    if weight.shape != features.shape[:2]:
        raise ValueError(f"weight {tuple(weight.shape)} does not fit features {tuple(features.shape)}")
    seen = torch.where(weight.sum(1, keepdim=True) > 0, weight > 0, True)  # (U, N)
    most = int(seen.sum(1).max()) if len(weight) else weight.shape[1]
    index = seen.to(torch.int8).sort(dim=1, descending=True, stable=True).indices[:, :most]  # in order
    kept = features.gather(1, index.unsqueeze(-1).expand(-1, -1, features.shape[-1]))
    return VisibleRegions(kept, weight.gather(1, index), index, weight.shape[1])
