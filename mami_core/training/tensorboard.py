"""What TensorBoard shows of a captioner's training: scalars of each epoch, where it looks, and its graph."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mami_core.captioning.decoder import Decoder
from mami_core.captioning.features import RegionBatch
from mami_core.captioning.forcing import force
from mami_core.captioning.search import greedy
from mami_core.captioning.vocabulary import Vocabulary
from mami_core.training.batches import DescribedUnits

CELL = 6  # pixels that a cell of an exemplar's grid gets
UNITS = 4  # validation units whose attention is drawn


def open_log(folder: Path) -> Any:
    """Return a TensorBoard writer into `folder`; ValueError where TensorBoard is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise ValueError("--tensorboard needs the package tensorboard; install it, or leave the option out") from None
    return SummaryWriter(str(folder))


class OneStep(nn.Module):
    """One word of a decoder as a plain function of tensors: what the drawn graph is."""

    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, features: Tensor, weight: Tensor, tokens: Tensor) -> Tensor:
        """Return log p (U, V) after tokens (U,) of units features (U, N, D), weight (U, N)."""
        memory = self.decoder.prepare(features, weight)
        return self.decoder.step(tokens, self.decoder.init_state(memory), memory).log_probs


def log_graph(writer: Any, decoder: Decoder, regions: RegionBatch, start: int) -> None:
    """Draw what happens between a unit's regions and its first word."""
    tokens = torch.full((len(regions.features),), start)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing takes shape checks for constants, which is right for a picture
        writer.add_graph(OneStep(decoder).eval(), (regions.features, regions.weight, tokens))


@torch.no_grad()
def log_attention(
    writer: Any, decoder: Decoder, units: DescribedUnits, vocabulary: Vocabulary, *, length: int, epoch: int
) -> None:
    """Draw each head's attention over some units while their greedy captions are said: a row a word."""
    places = list(range(min(UNITS, len(units))))
    regions = units.regions(places)
    memory = decoder.prepare(regions.features, regions.weight)
    tokens = greedy(decoder, memory, vocabulary, length=length).tokens[:, 0]  # (U, T)
    forced = force(decoder, memory, tokens, start=vocabulary.start)
    for place in places:
        words = vocabulary.decode(tokens[place])
        writer.add_text(f"unit-{place}/caption", " ".join(words), epoch)
        for head, weights in forced.weights.items():
            whole = regions.on_grid(weights[place, : max(len(words), 1)], place, units.features.grid_size)  # (W, cells)
            writer.add_image(f"unit-{place}/{head}", attention_picture(whole, units.features.grid), epoch)


def attention_picture(weights: Tensor, grid: Sequence[int]) -> Tensor:
    """Return weights (W, k*h*w) as one picture (1, H, W'): a row a word, a tile an exemplar, a word's largest white."""
    exemplars, height, width = grid
    tiles = weights.reshape(len(weights), exemplars, height, width)
    tiles = tiles / tiles.flatten(1).amax(1).clamp_min(1e-9)[:, None, None, None]
    large = F.interpolate(tiles, scale_factor=CELL, mode="nearest")  # (W, k, h * 6, w * 6)
    framed = F.pad(large, (1, 1, 1, 1))  # (W, k, h', w')
    return framed.permute(0, 2, 1, 3).reshape(1, len(weights) * framed.shape[2], exemplars * framed.shape[3])
