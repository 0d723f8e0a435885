"""What a picture is optimised for: a unit's or direction's answer, and pictures of one target that differ.

B pictures, U units of the layer, maps (B, U, h, w).
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

Place = Literal["mean", "centre"]


def answers(maps: Tensor, directions: Tensor) -> Tensor:
    """Return the answer (B, h, w) of each picture's direction (B, U): a unit's is one at its place, its map itself."""
    return torch.einsum("buhw,bu->bhw", maps, directions)


def response(answer: Tensor, place: Place) -> Tensor:
    """Return what is to grow, (B,), of answers (B, h, w): their mean, or the middle cell."""
    if place == "mean":
        return answer.mean((1, 2))
    return answer[:, answer.shape[1] // 2, answer.shape[2] // 2]


def likeness(maps: Tensor, copies: int) -> Tensor:
    """Return how alike each picture is to the other copies of its target, (B,): the mean cosine of Gram matrices.

    Style as in Gatys et al. 2016, cosine as in Olah et al. 2017, "Diversity". With A_i (U, cells) the inner product of
    two Gram matrices is the squared norm of A_iᵀ A_j or of A_i A_iᵀ · A_j A_jᵀ: whichever is smaller is computed.
    """
    grouped = maps.flatten(2).unflatten(0, (-1, copies))  # (T, copies, U, cells)
    products = _by_cells(grouped) if grouped.shape[2] >= grouped.shape[3] else _by_units(grouped)  # (T, copies, copies)
    length = products.diagonal(dim1=1, dim2=2).clamp_min(1e-12).sqrt()  # (T, copies)
    cosine = products / (length.unsqueeze(1) * length.unsqueeze(2))
    others = cosine - torch.diag_embed(cosine.diagonal(dim1=1, dim2=2))
    return others.sum(2).flatten() / (copies - 1)


def _by_cells(grouped: Tensor) -> Tensor:
    crossed = torch.einsum("tiux,tjuy->tijxy", grouped, grouped)
    return crossed.square().sum((3, 4))


def _by_units(grouped: Tensor) -> Tensor:
    gram = torch.einsum("tiux,tivx->tiuv", grouped, grouped).flatten(2)
    return torch.einsum("tin,tjn->tij", gram, gram)
