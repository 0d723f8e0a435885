"""Pictures as what is optimised: coefficients of a Fourier basis in decorrelated colours.

Olah, Mordvintsev and Schubert 2017, "Feature Visualization" (Distill), "Preconditioning and parameterization".
Constants are those of Lucid (Apache-2.0): start deviation, 1/f scale, colour correlation of ImageNet.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

_DEVIATION = 0.01  # of the coefficients at the start
_CONTRAST = 0.25  # Lucid divides by 4 before the sigmoid
_COLOURS = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))  # square root of ImageNet's covariance


class FourierPictures:
    """B pictures (3, H, W); `spectrum` is the leaf that an optimiser changes."""

    def __init__(self, starts: np.ndarray, size: tuple[int, int], device: torch.device) -> None:
        """Begin at `starts` (B, 3, H, W // 2 + 1, 2), as `start_noise` draws them."""
        self.size = size
        self.spectrum = torch.from_numpy(starts).to(device).requires_grad_(True)
        self._scale = frequency_scale(size).to(device)  # (H, W // 2 + 1)
        self._mixing = colour_mixing().to(device)  # (3, 3)

    def pixels(self) -> Tensor:
        """Return the pictures (B, 3, H, W) in (0, 1)."""
        waves = torch.view_as_complex(self.spectrum) * self._scale  # (B, 3, H, W // 2 + 1)
        plain = torch.fft.irfft2(waves, s=self.size, norm="ortho") * _CONTRAST  # (B, 3, H, W)
        return torch.einsum("rc,bchw->brhw", self._mixing, plain).sigmoid()


def start_noise(seeds: Sequence[tuple[int, ...]], size: tuple[int, int]) -> np.ndarray:
    """Return a start for each seed, float32 (B, 3, H, W // 2 + 1, 2): equal seeds start equal."""
    shape = (3, size[0], size[1] // 2 + 1, 2)
    drawn = [np.random.default_rng(seed).standard_normal(shape, dtype=np.float32) for seed in seeds]
    return np.stack(drawn) * np.float32(_DEVIATION)


def frequency_scale(size: tuple[int, int]) -> Tensor:
    """Return 1 / f for every coefficient (H, W // 2 + 1), f in cycles a pixel: natural pictures fall off so.

    The constant part counts as the lowest frequency there is.
    """
    height, width = size
    y, x = torch.fft.fftfreq(height), torch.fft.rfftfreq(width)
    frequency = torch.hypot(y[:, None], x[None, :])
    return 1 / frequency.clamp_min(1 / max(size))


def colour_mixing() -> Tensor:
    """Return what turns decorrelated colours into RGB, (3, 3); the strongest axis, brightness, has length 1."""
    mixing = torch.tensor(_COLOURS)
    return mixing / mixing.norm(dim=0).max()
