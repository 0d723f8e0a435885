"""Train a small classifier of places on scenes with a planted cue, so that how far it trusts the cue can be studied."""

from __future__ import annotations

from copy import deepcopy
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mami_core.scenery.cues import CUED_PLACES
from mami_core.scenery.networks import SceneryAlexNet, to_input
from mami_core.training.vision import Progress, VisionRecipe, fit

START: Final = VisionRecipe(epochs=6, learning_rate=3e-3)  # without a cue
RECIPE: Final = VisionRecipe(epochs=8, learning_rate=3e-3)
WIDTHS: Final = (24, 48, 64, 64, 96)
LAYER: Final = "conv5"  # the last convolution: what a unit sees there is largest


def cued_network() -> SceneryAlexNet:
    """Return the untrained network: the painted world's AlexNet at half its width, but for the last convolution."""
    return SceneryAlexNet(len(CUED_PLACES), widths=WIDTHS, hidden=128)


class AfterLayer(nn.Module):
    """What follows `LAYER`, fed with what the layer puts out: whatever is silenced in it, all before stays the same."""

    def __init__(self, network: SceneryAlexNet) -> None:
        super().__init__()
        self.conv5, self.fc6, self.fc7 = nn.Identity(), network.fc6, network.fc7
        self.answer = network.answer

    def forward(self, maps: Tensor) -> Tensor:
        return self.answer(self.conv5(maps))  # (B, classes)


@torch.inference_mode()
def maps_of(network: SceneryAlexNet, images: np.ndarray) -> Tensor:
    """Return what `LAYER` puts out for images uint8 (N, 3, H, W): (N, 96, 14, 14)."""
    kept: list[Tensor] = []
    hook = network.conv5.register_forward_hook(lambda _module, _inputs, output: kept.append(output.clone()))
    try:
        for start in range(0, len(images), 100):
            network(to_input(images[start : start + 100]))
    finally:
        hook.remove()
    return torch.cat(kept)


def train_cued(
    images: np.ndarray,
    places: np.ndarray,
    *,
    recipe: VisionRecipe = RECIPE,
    start: SceneryAlexNet | None = None,
    progress: Progress | None = None,
) -> SceneryAlexNet:
    """Return a network trained on images uint8 (N, 3, H, W) of places (N,), indices into `CUED_PLACES`, in eval mode.

    `start` is copied and trained further. Images are not mirrored: where the cue stands is what it tells.
    """
    torch.manual_seed(recipe.seed)
    network = cued_network() if start is None else deepcopy(start)
    wanted = torch.from_numpy(places)

    def loss_of(batch: Tensor, generator: torch.Generator) -> Tensor:
        pixels = to_input(images[batch.numpy()])  # (B, 3, H, W)
        strength = 1 + 0.15 * torch.randn(len(pixels), 3, 1, 1, generator=generator)
        seen = (pixels * strength).contiguous(memory_format=torch.channels_last)
        return F.cross_entropy(network(seen).float(), wanted[batch], label_smoothing=0.05)

    fit(network, len(images), loss_of, recipe, progress=progress)
    return network
