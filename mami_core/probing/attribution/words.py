"""Which region made this word: a captioner's log p(word) by attention, by gradients, and by taking regions away.

W words, N regions, D feature size. Attention is not proof of cause; what the word loses without a region is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mami_core.captioning.decoder import Decoder
from mami_core.captioning.forcing import Forced, force
from mami_core.captioning.memory import pool
from mami_core.captioning.visible import visible_regions
from mami_core.captioning.vocabulary import Vocabulary

_AT_ONCE = 64


@dataclass(frozen=True, eq=False)
class WordAttribution:
    """How each region speaks for each word of one caption; arrays (W, N), numpy float32."""

    words: tuple[str, ...]
    log_p: np.ndarray  # (W,)
    log_p_plain: np.ndarray  # (W,): with every region replaced by the unit's mean region
    attention: np.ndarray  # mean of the heads, rows sum to 1
    gradients: np.ndarray  # integrated; rows sum to log_p - log_p_plain
    occlusion: np.ndarray  # what log p loses where the region is replaced by the mean region

    def agreement(self) -> dict[str, list[float]]:
        """Return Spearman's r with occlusion over the regions that could be seen, per word; NaN for constant rows."""
        seen = self.attention.sum(0) > 0
        truth = self.occlusion[:, seen]
        named = {"attention": self.attention, "gradients": self.gradients}
        return {
            name: [_spearman(*rows) for rows in zip(found[:, seen], truth, strict=True)]
            for name, found in named.items()
        }


def attribute_words(
    decoder: Decoder,
    vocabulary: Vocabulary,
    features: Tensor,
    weight: Tensor,
    words: tuple[str, ...],
    *,
    steps: int = 32,
) -> WordAttribution:
    """Explain the words of a unit's caption by its regions features (N, D), weight (N,).

    ValueError for a captioner that speaks of no regions, and for a caption without words.
    """
    if not words:
        raise ValueError("this unit has no caption whose words could be explained")
    if not decoder.config.heads:
        raise ValueError("this captioner has no attention over regions, so no region can be asked about")
    seen = visible_regions(features[None], weight[None])
    speaker = _Speaker(decoder, vocabulary, seen.weight, words)
    own = seen.features  # (1, N', D)
    average = pool(own, seen.weight)[0].unsqueeze(1).expand_as(own)  # (1, N', D)
    with torch.no_grad():
        forced = speaker.forced(own)
        said, without = (speaker.log_p(regions)[0] for regions in (own, average))  # (W,)
    parts = (
        forced.mean_weights[0, : len(words)],
        _integrated(speaker, own, average, steps),
        _occluded(speaker, own, average, said),
    )
    full = (seen.scatter_unit(part.float().cpu().numpy(), 0) for part in parts)
    return WordAttribution(words, _array(said), _array(without), *full)


class _Speaker:
    """Says one caption about any features of the same regions."""

    def __init__(self, decoder: Decoder, vocabulary: Vocabulary, weight: Tensor, words: tuple[str, ...]) -> None:
        self.decoder, self.start, self.weight = decoder, vocabulary.start, weight
        self.tokens = vocabulary.batch([words]).to(weight.device)  # (1, L)
        self.count = len(words)

    def forced(self, features: Tensor) -> Forced:
        memory = self.decoder.prepare(features, self.weight.expand(len(features), -1))
        return force(self.decoder, memory, self.tokens.expand(len(features), -1), start=self.start)

    def log_p(self, features: Tensor) -> Tensor:
        """Return log p (B, W) of the words about features (B, N', D)."""
        return self.forced(features).token_log_probs(self.tokens.expand(len(features), -1))[:, : self.count]


def _integrated(speaker: _Speaker, own: Tensor, average: Tensor, steps: int) -> Tensor:
    """Return each region's integrated gradient (W, N'): along the straight line from the mean region to its own."""
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    share = own.new_tensor((nodes + 1) / 2)[:, None, None]  # (S, 1, 1)
    part = own.new_tensor(weights / 2)[:, None]  # (S, 1)
    path = (average + share * (own - average)).detach().requires_grad_(True)  # (S, N', D)
    said = (speaker.log_p(path) * part).sum(0)  # (W,)
    rows = []
    for word in range(speaker.count):
        (gradient,) = torch.autograd.grad(said[word], path, retain_graph=word + 1 < speaker.count)
        rows.append((gradient.sum(0) * (own - average)[0]).sum(-1))  # (N',)
    return torch.stack(rows).detach()


@torch.no_grad()
def _occluded(speaker: _Speaker, own: Tensor, average: Tensor, said: Tensor) -> Tensor:
    """Return what each word loses without each region, (W, N')."""
    lost = []
    for regions in torch.arange(own.shape[1]).split(_AT_ONCE):
        without = own.repeat(len(regions), 1, 1)
        without[torch.arange(len(regions)), regions] = average[0, regions]
        lost.append(said - speaker.log_p(without))  # (B, W)
    return torch.cat(lost).T


def _spearman(one: np.ndarray, other: np.ndarray) -> float:
    from scipy.stats import spearmanr

    constant = np.ptp(one) == 0 or np.ptp(other) == 0
    return float("nan") if constant else float(spearmanr(one, other).statistic)


def _array(values: Tensor) -> np.ndarray:
    return values.float().cpu().numpy()
