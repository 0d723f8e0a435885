"""Train the painted world's generator to paint a scene from its layout; its units have a truth by construction."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from mami_core.scenery.networks import SceneryGenerator, to_input, to_layout
from mami_core.training.painted import Painted
from mami_core.training.vision import History, Progress, VisionRecipe, fit

RECIPE = VisionRecipe(epochs=3, batch_size=32, learning_rate=5e-3)


def layouts(painted: Painted, rows: slice | Tensor) -> Tensor:
    """Return the generator's inputs for some scenes, float (B, parts + 3, 28, 28)."""
    index = rows if isinstance(rows, slice) else rows.numpy()
    return to_layout(torch.from_numpy(painted.labels[index][:, 0]), torch.from_numpy(painted.images[index]))


def train_generator(
    train: Painted,
    *,
    held_out: Painted | None = None,
    recipe: VisionRecipe = RECIPE,
    progress: Progress | None = None,
) -> tuple[SceneryGenerator, History]:
    """Return a trained generator in eval mode, and its history; scores are mean absolute errors in [0, 2]."""
    torch.manual_seed(recipe.seed)
    network = SceneryGenerator()

    def loss_of(batch: Tensor, _: torch.Generator) -> Tensor:
        target = to_input(train.images[batch.numpy()])  # (B, 3, 112, 112)
        layout = layouts(train, batch).contiguous(memory_format=torch.channels_last)
        return F.l1_loss(network(layout).float(), target)

    score = None if held_out is None else lambda: painting_error(network, held_out)
    return network, fit(network, len(train), loss_of, recipe, score=score, progress=progress)


@torch.inference_mode()
def painting_error(network: SceneryGenerator, painted: Painted, *, batch_size: int = 50) -> float:
    """Return the mean absolute error per pixel, in units of the network's range of 2."""
    errors = []
    for start in range(0, len(painted), batch_size):
        rows = slice(start, start + batch_size)
        error = (network(layouts(painted, rows)) - to_input(painted.images[rows])).abs().mean((1, 2, 3))  # (B,)
        errors.append(error)
    return float(torch.cat(errors).mean())
