"""Integrated gradients, gradient SHAP, occlusion and LIME of one number over one picture, by Captum.

Each gives a signed map (H, W): how much the pixels there add to the answer, against the picture's mean colour.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from mami_core.probing.attribution.answers import plain

Function = Callable[[Tensor], Tensor]  # pixels (B, 3, H, W) → (B,)
_BATCH = 16


@dataclass(frozen=True)
class Effort:
    """How finely the methods look."""

    steps: int = 50  # of integrated gradients, Gauss-Legendre
    samples: int = 20  # of gradient SHAP
    noise: float = 0.09  # of gradient SHAP: deviation added to pixels
    window: int = 8  # occlusion: the window is this part of the picture's side, moved by half of itself
    cells: int = 7  # LIME: the picture is cut into cells x cells squares
    drawn: int = 256  # LIME: pictures with squares left out
    seed: int = 0


def integrated_gradients(answer: Function, pixels: Tensor, effort: Effort) -> Tensor:
    """Sundararajan et al. 2017, equation 1: the map sums to answer(picture) - answer(plain), up to the steps' error."""
    method = _captum("IntegratedGradients")(answer)
    found = method.attribute(pixels, plain(pixels), n_steps=effort.steps, internal_batch_size=_BATCH)
    return found.sum(1)[0].detach()


def gradient_shap(answer: Function, pixels: Tensor, effort: Effort) -> Tensor:
    """Lundberg and Lee 2017, as SHAP's gradient explainer: expected gradients between noisy pictures and plain ones."""
    method = _captum("GradientShap")(answer)
    with _seeded(effort.seed):
        found = method.attribute(pixels, plain(pixels), n_samples=effort.samples, stdevs=effort.noise)
    return found.sum(1)[0].detach()


def occlusion(answer: Function, pixels: Tensor, effort: Effort) -> Tensor:
    """Zeiler and Fergus 2014: what the answer loses where a window is plain, mean over the windows on a pixel."""
    side = max(2, min(pixels.shape[2:]) // effort.window)
    options = {"sliding_window_shapes": (3, side, side), "strides": (3, max(1, side // 2), max(1, side // 2))}
    with torch.no_grad():
        found = _captum("Occlusion")(answer).attribute(
            pixels, baselines=plain(pixels), perturbations_per_eval=_BATCH, **options
        )
    return found.mean(1)[0]


def lime(answer: Function, pixels: Tensor, effort: Effort) -> Tensor:
    """Ribeiro et al. 2016: the weights of a linear model of which squares are left; a square's is shared by its pixels.

    Squares stand for LIME's superpixels, so that all methods can be held against each other cell by cell.
    """
    from captum._utils.models.linear_model import SkLearnRidge

    squares = cell_numbers((pixels.shape[2], pixels.shape[3]), effort.cells)  # (H, W)
    method = _captum("Lime")(answer, interpretable_model=SkLearnRidge(alpha=1e-3))
    with _seeded(effort.seed), torch.no_grad():
        found = method.attribute(
            pixels,
            baselines=plain(pixels),
            feature_mask=squares.expand(1, 3, -1, -1),
            n_samples=effort.drawn,
            perturbations_per_eval=_BATCH,
        )
    pixels_of = torch.bincount(squares.flatten())[squares]  # (H, W)
    return found[0, 0] / pixels_of


METHODS: Final[dict[str, Callable[[Function, Tensor, Effort], Tensor]]] = {
    "integrated-gradients": integrated_gradients,
    "gradient-shap": gradient_shap,
    "occlusion": occlusion,
    "lime": lime,
}


def cell_numbers(size: tuple[int, int], cells: int) -> Tensor:
    """Return which of cells x cells squares each pixel (H, W) lies in, numbered in row-major order."""
    rows, columns = (torch.arange(side) * min(cells, side) // side for side in size)
    return rows[:, None] * min(cells, size[1]) + columns[None, :]


def _captum(name: str) -> Any:
    try:
        from captum import attr
    except ImportError as problem:
        raise ValueError("attribution needs Captum: pip install 'mami[attribution]'") from problem
    return getattr(attr, name)


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Draw from seeded dice inside; Captum takes torch's and NumPy's global ones, which go on as before after it."""
    state = np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        np.random.seed(seed)
        try:
            yield
        finally:
            np.random.set_state(state)
