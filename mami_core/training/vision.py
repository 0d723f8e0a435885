"""The loop that trains the painted world's own networks: plain, seeded, the same weights for a seed on one thread."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

Progress = Callable[[int, int, float], None]  # steps done, steps in all, mean loss so far this epoch
BatchLoss = Callable[[Tensor, torch.Generator], Tensor]  # indices (B,) → loss


@dataclass(frozen=True)
class VisionRecipe:
    """How a network of the painted world is trained: one cycle of the learning rate (Smith 2018) with AdamW."""

    epochs: int = 4
    batch_size: int = 48
    learning_rate: float = 4e-3
    weight_decay: float = 0.01
    warm_up: float = 0.2  # share of the steps in which the learning rate rises
    seed: int = 0

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 2:
            raise ValueError(f"needs at least 1 epoch and 2 images a batch, got {self.epochs} and {self.batch_size}")


@dataclass
class History:
    """What a training run went through: one entry an epoch, and the CPU time of it all."""

    losses: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)  # on held-out images; empty where none were given
    cpu_seconds: float = 0.0


def bfloat16_pays(device: torch.device) -> bool:
    """Tell whether bfloat16 is faster: on CUDA, and on CPUs that have instructions for it (others emulate it)."""
    if device.type == "cuda":
        return True
    return device.type == "cpu" and any(
        bool(getattr(torch.cpu, name, lambda: False)())
        for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    )


@contextmanager
def fast_precision(device: torch.device, *, enabled: bool | None = None) -> Iterator[None]:
    """Run the block in bfloat16 where that pays (measured: 1.7 to 2 times as fast), or as `enabled` says."""
    with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16_pays(device) if enabled is None else enabled):
        yield


def shuffled_batches(count: int, size: int, generator: torch.Generator) -> list[Tensor]:
    """Return index batches of exactly `size` (the rest waits for the next epoch), or one of all when fewer."""
    order = torch.randperm(count, generator=generator)
    return [batch for batch in order.split(min(size, count)) if len(batch) == min(size, count)]


def fit(
    network: nn.Module,
    count: int,
    loss_of: BatchLoss,
    recipe: VisionRecipe,
    *,
    score: Callable[[], float] | None = None,
    progress: Progress | None = None,
) -> History:
    """Train `network` in place on `count` images and leave it in eval mode.

    `loss_of(indices, generator)` gives the loss of a batch; every random draw in it must come from the generator.
    `score()` is called after each epoch with the network in eval mode.
    """
    generator = torch.Generator().manual_seed(recipe.seed)
    device = next(network.parameters()).device
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    steps = recipe.epochs * max(1, count // recipe.batch_size)
    optimizer = torch.optim.AdamW(network.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay)
    cycle = max(steps + 1, math.ceil(2 / recipe.warm_up))  # a cycle whose warm-up lasts no step divides by zero
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.learning_rate, total_steps=cycle, pct_start=recipe.warm_up
    )
    history, started, done = History(), time.process_time(), 0
    for _ in range(recipe.epochs):
        network.train()
        total = 0.0
        for number, batch in enumerate(shuffled_batches(count, recipe.batch_size, generator), start=1):
            with fast_precision(device):
                loss = loss_of(batch, generator)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            done, total = done + 1, total + loss.item()
            if progress is not None:
                progress(done, steps, total / number)
        history.losses.append(total / number)
        network.eval()
        if score is not None:
            history.scores.append(score())
    history.cpu_seconds = time.process_time() - started
    return history
