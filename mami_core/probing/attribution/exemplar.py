"""A unit over one of its exemplars: every method's map beside the activation mask, with deletion curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mami_core.probing.attribution.answers import Answer, plain
from mami_core.probing.attribution.deletion import Deletion, deletion, random_deletions
from mami_core.probing.attribution.methods import METHODS, Effort


@dataclass(frozen=True, eq=False)
class Attribution:
    """What one picture holds for one answer."""

    answer: float  # of the whole picture
    answer_plain: float  # of its mean colour alone
    maps: dict[str, np.ndarray]  # by method, float32 (H, W), signed
    deletions: dict[str, Deletion]
    random: list[Deletion]
    mask: np.ndarray | None  # bool (H, W): where the unit fires above its threshold

    def facts(self) -> dict[str, Any]:
        """Return the figures as JSON holds them: sums, areas under the deletion curve, shares on the mask."""
        areas = [entry.auc for entry in self.random]
        return {
            "answer": self.answer,
            "answer_plain": self.answer_plain,
            "random_auc": float(np.mean(areas)),
            "random_auc_deviation": float(np.std(areas)),
            "mask_share": None if self.mask is None else float(self.mask.mean()),
            "methods": {name: self._facts_of(name) for name in self.maps},
        }

    def _facts_of(self, name: str) -> dict[str, Any]:
        return {
            "sum": float(self.maps[name].sum()),
            "auc": self.deletions[name].auc,
            "on_mask": on_mask(self.maps[name], self.mask),
        }


def on_mask(attribution: np.ndarray, mask: np.ndarray | None) -> float | None:
    """Return how much of what a map (H, W) counts as helping lies on a mask (H, W); None where there is none of it."""
    helping = np.maximum(attribution, 0)
    return None if mask is None or not helping.sum() else float(helping[mask].sum() / helping.sum())


def attribute(
    answer: Answer,
    pixels: Tensor,
    methods: Sequence[str] = tuple(METHODS),
    *,
    mask: np.ndarray | None = None,
    effort: Effort | None = None,
) -> Attribution:
    """Explain an answer over a picture (1, 3, H, W) by each method. ValueError for a method that is not known."""
    unknown = [name for name in methods if name not in METHODS]
    if unknown:
        raise ValueError(f"no method {unknown[0]!r}; known: {', '.join(METHODS)}")
    effort = effort or Effort()
    maps = {name: METHODS[name](answer, pixels, effort).float().cpu() for name in methods}
    with torch.no_grad():
        whole, nothing = (float(answer(picture)) for picture in (pixels, plain(pixels)))
    return Attribution(
        whole,
        nothing,
        {name: found.numpy() for name, found in maps.items()},
        {name: deletion(answer, pixels, found) for name, found in maps.items()},
        random_deletions(answer, pixels, seed=effort.seed),
        mask,
    )
