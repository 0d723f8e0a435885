"""Deletion: take away what a map says matters most, first, and see how fast the answer falls.

Petsiuk et al. 2018 (RISE), section 4.1, by cells instead of pixels so that coarse and fine methods compare.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mami_core.probing.attribution.answers import plain
from mami_core.probing.attribution.methods import Function, cell_numbers

CELLS = 14
_STEPS = 28
_BATCH = 16


@dataclass(frozen=True, eq=False)
class Deletion:
    """How the answer falls; `curve` begins at the whole picture and ends at the plain one."""

    deleted: np.ndarray  # (S + 1,): share of the picture taken away
    curve: np.ndarray  # (S + 1,): the answer
    auc: float  # area under the curve, where 1 is the whole picture's answer and 0 the plain one's

    @classmethod
    def of(cls, deleted: np.ndarray, curve: np.ndarray) -> Deletion:
        """Make a deletion of its curve; its area is NaN where whole and plain picture answer alike."""
        span = float(curve[0] - curve[-1])
        area = float(np.trapezoid((curve - curve[-1]) / span, deleted)) if span else float("nan")
        return cls(deleted, curve, area)


def deletion(answer: Function, pixels: Tensor, attribution: Tensor, *, cells: int = CELLS) -> Deletion:
    """Take away the cells of a picture (1, 3, H, W) in the order of a map (H, W)'s mean inside them."""
    means = F.adaptive_avg_pool2d(attribution[None, None], cells).flatten()  # (cells²,)
    return _deleted(answer, pixels, means.argsort(descending=True, stable=True), cells)


def random_deletions(
    answer: Function, pixels: Tensor, *, count: int = 10, cells: int = CELLS, seed: int = 0
) -> list[Deletion]:
    """Take cells away in random orders: what a map must beat."""
    dice = np.random.default_rng(seed)
    orders = (torch.from_numpy(dice.permutation(cells * cells)) for _ in range(count))
    return [_deleted(answer, pixels, order, cells) for order in orders]


@torch.no_grad()
def _deleted(answer: Callable[[Tensor], Tensor], pixels: Tensor, order: Tensor, cells: int) -> Deletion:
    place = torch.empty_like(order)
    place[order] = torch.arange(len(order))
    rank = place[cell_numbers((pixels.shape[2], pixels.shape[3]), cells)]  # (H, W): when each pixel goes
    gone = torch.linspace(0, len(order), _STEPS + 1).round().long()  # (S + 1,) cells
    answers = []
    for some in gone.split(_BATCH):
        left = (rank[None] >= some[:, None, None]).unsqueeze(1)  # (B, 1, H, W)
        answers.append(answer(torch.where(left, pixels, plain(pixels))))
    curve = torch.cat(answers).double().cpu().numpy()
    return Deletion.of((gone / len(order)).double().numpy(), curve)
