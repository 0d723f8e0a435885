"""Train the parts encoder: part, colour and texture of every cell. Its features are what captioners look at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mami_core.scenery.networks import STRIDE, PartsEncoder, to_input
from mami_core.training.painted import LABEL_STEP, Painted
from mami_core.training.vision import History, Progress, VisionRecipe, fit

RECIPE = VisionRecipe(epochs=4, learning_rate=4e-3)
SHARPER = VisionRecipe(epochs=6, learning_rate=3e-3)
_WEIGHTS = (1.0, 0.4, 0.4)  # of the losses of part, colour, texture
_RARITY = 0.4  # power of a class's frequency that divides its loss where rare things are to be seen too
_RAREST = 1e-4  # frequency below which a class counts no more
_PICK = slice(STRIDE // LABEL_STEP // 2, None, STRIDE // LABEL_STEP)  # the label nearest to a cell's middle


def train_parts_encoder(
    train: Painted,
    *,
    held_out: Painted | None = None,
    recipe: VisionRecipe = RECIPE,
    progress: Progress | None = None,
) -> tuple[PartsEncoder, History]:
    """Return a trained parts encoder in eval mode, and its history; scores are part accuracies per cell."""
    torch.manual_seed(recipe.seed)
    network = PartsEncoder()

    def loss_of(batch: Tensor, generator: torch.Generator) -> Tensor:
        rows = batch.numpy()
        pixels, labels = _mirrored(train.images[rows], cell_labels(train, rows), generator)
        return segmentation_loss(network(pixels).float(), labels)

    score = None if held_out is None else lambda: part_accuracy(network, held_out)
    return network, fit(network, len(train), loss_of, recipe, score=score, progress=progress)


def sharpen_parts_encoder(
    network: PartsEncoder, train: Painted, *, recipe: VisionRecipe = SHARPER, progress: Progress | None = None
) -> History:
    """Train a parts encoder further, in place, on scenes that it has not seen; rare classes weigh more than they did.

    It then names rare and small things, which a captioner of concepts must see.
    """
    network.requires_grad_(True)
    weights = class_weights(train)

    def loss_of(batch: Tensor, generator: torch.Generator) -> Tensor:
        rows = batch.numpy()
        pixels, labels = _mirrored(train.images[rows], cell_labels(train, rows), generator)
        return segmentation_loss(network(pixels).float(), labels, class_weights=weights)

    history = fit(network, len(train), loss_of, recipe, progress=progress)
    network.requires_grad_(False)
    return history


def class_weights(painted: Painted) -> list[Tensor]:
    """Return the weight of each part, each colour and each texture; over all cells their mean is 1."""
    weights = []
    for group, classes in enumerate(PartsEncoder.groups):
        counts = np.bincount(painted.labels[:, group].ravel(), minlength=classes)
        frequency = counts / counts.sum()
        weight = np.maximum(frequency, _RAREST) ** -_RARITY
        weights.append(torch.from_numpy(weight / (weight @ frequency)).float())
    return weights


def cell_labels(painted: Painted, rows: np.ndarray | slice) -> Tensor:
    """Return part, colour and texture at the middle of each 4 x 4 pixel cell, int64 (B, 3, 28, 28)."""
    return torch.from_numpy(painted.labels[rows][:, :, _PICK, _PICK]).long()


def _mirrored(images: np.ndarray, labels: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    pixels = to_input(images)
    if torch.rand(1, generator=generator) < 0.5:  # the whole batch, so that labels stay beside their pixels cheaply
        pixels, labels = pixels.flip(3), labels.flip(3)
    return pixels.contiguous(memory_format=torch.channels_last), labels


def segmentation_loss(
    logits: Tensor, labels: Tensor, *, class_weights: Sequence[Tensor | None] = (None, None, None)
) -> Tensor:
    """Return the weighted sum of the three cross-entropies: logits (B, C, h, w), labels int64 (B, 3, h, w)."""
    groups = logits.split(PartsEncoder.groups, 1)
    losses = [
        weight * F.cross_entropy(group, labels[:, i], weight=rarity)
        for i, (weight, group, rarity) in enumerate(zip(_WEIGHTS, groups, class_weights, strict=True))
    ]
    return torch.stack(losses).sum()


@torch.inference_mode()
def part_accuracy(network: PartsEncoder, painted: Painted, *, batch_size: int = 100) -> float:
    """Return the share of cells whose part the network names."""
    right = total = 0
    for start in range(0, len(painted), batch_size):
        rows = slice(start, start + batch_size)
        found = network(to_input(painted.images[rows]))[:, : PartsEncoder.groups[0]].argmax(1)  # (B, 28, 28)
        truth = cell_labels(painted, rows)[:, 0]
        right, total = right + int((found == truth).sum()), total + truth.numel()
    return right / total
