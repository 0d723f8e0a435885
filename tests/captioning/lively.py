"""Weights and numbers for tests: drawn, seeded, and lively enough that a fault shows."""

from __future__ import annotations

import torch
from torch import nn

FEATURES, HIDDEN, EMBEDDING, WIDTH, REGIONS = 6, 7, 5, 4, 8


def enliven(module: nn.Module, *, seed: int, scale: float) -> nn.Module:
    """Draw every parameter from N(0, scale²): untrained heads attend uniformly and would hide faults."""
    chance = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=chance) * scale)
    return module


def draw(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    """Return numbers from N(0, 1), always the same for a seed."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def coverage(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    """Return weights of regions in [0, 1], about half of them 0."""
    chance = torch.Generator().manual_seed(seed)
    covered = torch.rand(*shape, generator=chance, dtype=torch.float64)
    return (covered * (torch.rand(*shape, generator=chance) < 0.5)).to(dtype)
