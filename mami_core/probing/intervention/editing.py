"""Editing (Hernandez et al. 2022, section 7): silence the units that name a spurious cue, and see what is won back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from mami_core.probing.intervention.judge import Judge, Told, device_of
from mami_core.probing.intervention.silencing import Method


def by_drop_alone(
    judge: Judge, layer: str, units: Sequence[int], method: Method = "zero", *, told: Told | None = None
) -> list[int]:
    """Return units in MILAN's order: those first that lower the accuracy most when each is silenced alone.

    Ties in the order given. One forward pass of the images a unit.
    """
    drops = []
    for done, unit in enumerate(units):
        drops.append(judge.whole.mean() - judge.correct({layer: [unit]}, method).mean())
        if told is not None:
            told(done + 1, len(units))
    return [units[place] for place in np.argsort(-np.array(drops), kind="stable")]


def random_orders(units: int, controls: int, seed: int) -> np.ndarray:
    """Return `controls` random orders of a layer's units, int64 (controls, units)."""
    return np.stack([np.random.default_rng([seed, number]).permutation(units) for number in range(controls)])


def recovered_share(before: float, after: float, without_cue: float) -> float:
    """Return how much of what the misleading cue costs is won back: 1 all of it; NaN where it costs nothing."""
    lost = without_cue - before
    return (after - before) / lost if lost > 0 else float("nan")


def finetune_last_layer(
    network: nn.Module, last: str, inputs: Sequence[Tensor], labels: np.ndarray, *, steps: int = 200, seed: int = 0
) -> None:
    """Train only the layer `last`, a Linear, in place on batches of `inputs`, with whatever hooks stand on the network.

    Its own inputs are gathered once, so a step costs one small matrix product. AdamW on cross-entropy.
    """
    layer = dict(network.named_modules()).get(last)
    if not isinstance(layer, nn.Linear):
        raise ValueError(f"{last!r} is not a fully connected layer of {type(network).__name__}; name its last one")
    seen = _inputs_of(network, layer, inputs)  # (N, D)
    wanted = torch.from_numpy(labels).to(seen.device)
    layer.requires_grad_(True)
    optimizer = torch.optim.AdamW(layer.parameters(), 1e-3)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        rows = torch.randint(len(seen), (min(128, len(seen)),), generator=generator)
        loss = nn.functional.cross_entropy(nn.functional.linear(seen[rows], layer.weight, layer.bias), wanted[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    layer.requires_grad_(False)


@torch.no_grad()
def _inputs_of(network: nn.Module, layer: nn.Module, inputs: Sequence[Tensor]) -> Tensor:
    kept: list[Tensor] = []
    hook = layer.register_forward_pre_hook(lambda _module, given: kept.append(given[0].detach().clone()))
    try:
        for batch in inputs:
            network(batch.to(device_of(network)))
    finally:
        hook.remove()
    return torch.cat(kept)
