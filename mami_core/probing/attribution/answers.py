"""One number a picture: a unit's peak or mean, or a class's logit, as a function of pixels that has gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from mami_core.probing.layer_probe import LayerProbe

Reading = Literal["peak", "mean"]


@dataclass(frozen=True, eq=False)
class Answer:
    """What is explained: the peak or mean of a unit's map over pixels (B, 3, H, W) in [0, 1]."""

    probe: LayerProbe
    unit: int
    reading: Reading = "peak"

    def __post_init__(self) -> None:
        self.probe.check_unit(self.unit)

    def __call__(self, pixels: Tensor) -> Tensor:
        """Return the answers (B,)."""
        maps = self.probe.maps(pixels.to(self.probe.device))[:, self.unit].flatten(1)  # (B, cells)
        return maps.amax(1) if self.reading == "peak" else maps.mean(1)


def plain(pixels: Tensor) -> Tensor:
    """Return what stands for "nothing there", (1, 3, H, W): the picture's own mean colour."""
    return pixels.mean((2, 3), keepdim=True).expand_as(pixels)
