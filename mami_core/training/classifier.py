"""Train the painted world's classifiers to tell places apart; what their units then respond to is ours to find out."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mami_core.scenery.networks import build, to_input
from mami_core.training.painted import Painted
from mami_core.training.vision import History, Progress, VisionRecipe, fit

RECIPES = {
    "resnet": VisionRecipe(epochs=4, learning_rate=4e-3),
    "alexnet": VisionRecipe(epochs=5, learning_rate=2e-3),
}


def train_classifier(
    name: str,
    train: Painted,
    *,
    held_out: Painted | None = None,
    recipe: VisionRecipe | None = None,
    progress: Progress | None = None,
) -> tuple[nn.Module, History]:
    """Return a trained `resnet` or `alexnet` in eval mode, and its history; scores are accuracies on `held_out`."""
    recipe = recipe or RECIPES.get(name, VisionRecipe())
    torch.manual_seed(recipe.seed)
    network = build(name)
    places = torch.from_numpy(train.places)

    def loss_of(batch: Tensor, generator: torch.Generator) -> Tensor:
        pixels = varied(torch.from_numpy(train.images[batch.numpy()]), generator)  # (B, 3, 112, 112)
        return F.cross_entropy(network(pixels).float(), places[batch], label_smoothing=0.05)

    score = None if held_out is None else lambda: accuracy(network, held_out)
    return network, fit(network, len(train), loss_of, recipe, score=score, progress=progress)


def varied(images: Tensor, generator: torch.Generator) -> Tensor:
    """Return a batch as network input, half of them mirrored, each channel's strength changed by about 15 %."""
    pixels = to_input(images)  # (B, 3, H, W)
    mirrored = torch.rand(len(pixels), generator=generator) < 0.5
    pixels[mirrored] = pixels[mirrored].flip(3)
    strength = 1 + 0.15 * torch.randn(len(pixels), 3, 1, 1, generator=generator)
    return (pixels * strength).contiguous(memory_format=torch.channels_last)


@torch.inference_mode()
def accuracy(network: nn.Module, painted: Painted, *, batch_size: int = 100) -> float:
    """Return the share of scenes whose place the network names."""
    right = 0
    for start in range(0, len(painted), batch_size):
        rows = slice(start, start + batch_size)
        found = network(to_input(painted.images[rows])).argmax(1).numpy()
        right += int((found == painted.places[rows]).sum())
    return right / len(painted)
