"""An encoder that learns together with its captioner: regions are made anew at every step, with their gradient."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from mami_core.captioning.encoder import RegionEncoder
from mami_core.captioning.features import RegionBatch, exemplar_places, square_pixels
from mami_core.captioning.image_encoder import ImageEncoder
from mami_core.inputs.source import ImageSource
from mami_core.store import Dissection, UnitKey
from mami_core.training.batches import DescribedUnits


class Eyes(nn.Module, ABC):
    """What a trained encoder is to the loop: a module with parameters, which shows rows of described units.

    It stays in eval mode: running statistics of few images would make its features drift.
    """

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        backbone.requires_grad_(True)
        self.train(False)

    def train(self, mode: bool = True) -> Eyes:  # noqa: ARG002  # see the class
        """Stay in eval mode."""
        return super().train(False)

    @abstractmethod
    def dense(self, rows: Sequence[int]) -> Tensor:
        """Return the whole grids (B, cells, D) of rows of the features, with their gradient."""

    def _keep_what_learns(self, grids: Tensor) -> None:
        """Freeze the parameters that `grids` do not depend on, such as a classifier's last layers."""
        held = list(self.backbone.parameters())
        for parameter, found in zip(held, torch.autograd.grad(grids.sum(), held, allow_unused=True), strict=True):
            parameter.requires_grad_(found is not None)


class ImageEyes(Eyes):
    """An encoder of whole images, of the images that a captioner learns from."""

    def __init__(self, encoder: ImageEncoder, source: ImageSource) -> None:
        if encoder.backbone is None:
            raise ValueError(f"encoder {encoder.name} has no backbone at hand that could be trained")
        super().__init__(encoder.backbone)
        self.encoder, self.source = encoder, source
        self._keep_what_learns(self.dense([0]))

    def dense(self, rows: Sequence[int]) -> Tensor:
        """Return the regions (B, 196, D) of images."""
        return self.encoder.live([self.source.load(row) for row in rows])


class UnitEyes(Eyes):
    """A parts encoder, of the exemplars of units of some dissections, one after the other as features are joined."""

    def __init__(self, encoder: RegionEncoder, units: Sequence[tuple[Dissection, UnitKey]]) -> None:
        super().__init__(encoder.backbone)
        self.encoder, self.units = encoder, tuple(units)
        self._keep_what_learns(self.dense([0]))

    def dense(self, rows: Sequence[int]) -> Tensor:
        """Return the grids (B, k*49, D) of units."""
        return torch.cat([self._unit(*self.units[row]) for row in rows])

    def _unit(self, dissection: Dissection, key: UnitKey) -> Tensor:
        maps = np.array(dissection.maps(key[0])[dissection.row(*key)], dtype=np.float32)[None]  # (1, k, h, w)
        rank_of = {rank: image for image, places in exemplar_places(dissection, [key]).items() for _, rank in places}
        pixels = np.stack([square_pixels(dissection.images.image(rank_of[rank])) for rank in sorted(rank_of)])
        image_of = torch.zeros(1, maps.shape[1], dtype=torch.long)
        image_of[0, sorted(rank_of)] = torch.arange(len(rank_of))
        threshold = torch.tensor([dissection.statistics(*key).threshold])
        return self.encoder.live_dense(pixels, image_of, maps, threshold)


@dataclass(frozen=True, eq=False)
class LiveUnits(DescribedUnits):
    """Described units whose regions are looked at again by eyes that learn; which regions there are does not change."""

    eyes: Eyes

    def regions(self, places: Sequence[int] | Tensor, *, drawn: np.ndarray | None = None) -> RegionBatch:
        """Return the regions of some of these units, with their gradient in the eyes."""
        frozen = super().regions(places, drawn=drawn)
        grids = self.eyes.dense([self.rows[int(place)] for place in places])  # (B, cells, D)
        cells = frozen.cells.clamp_min(0).to(grids.device).unsqueeze(-1)  # (B, N, 1)
        features = grids.gather(1, cells.expand(-1, -1, grids.shape[-1]))  # (B, N, D)
        return RegionBatch(features * (frozen.cells >= 0).unsqueeze(-1).to(features), frozen.weight, frozen.cells)


def live(units: DescribedUnits, eyes: Eyes) -> LiveUnits:
    """Return described units as seen by `eyes`."""
    return LiveUnits(units.features, units.rows, units.texts, eyes)
