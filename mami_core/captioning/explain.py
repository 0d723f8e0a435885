"""What each attention head did while a caption was said, and what the captioner says without it.

Attention is not proof of cause: beside each head's weights stand its share of what entered the LSTM, the caption it
makes alone, the caption the others make without it, and how much of its weight falls on the unit's activation mask.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mami_core.captioning.decoder import Decoder
from mami_core.captioning.forcing import Forced, force
from mami_core.captioning.search import greedy
from mami_core.captioning.vocabulary import Vocabulary
from mami_core.records import HeadOutput


@dataclass(frozen=True, eq=False)
class HeadReport:
    """One head over one caption of W words; arrays (W, …), numpy float32."""

    weights: np.ndarray  # (W, N): rows sum to 1
    norm: np.ndarray  # (W,): length of the head's gated context
    share: np.ndarray  # (W,): norm over the sum of all heads' norms
    entropy: np.ndarray  # (W,): of the weights, in nats; log N is uniform
    mask_overlap: np.ndarray  # (W,): weight that falls on the activation mask; NaN without a mask


@dataclass(frozen=True, eq=False)
class Explanation:
    """How one caption came about."""

    words: tuple[str, ...]
    log_p: np.ndarray  # (W,): of each word, natural log
    gate: np.ndarray | None  # (W,): β, its mean over channels; None: no gate
    heads: Mapping[str, HeadReport]  # heads whose energies are added have one report, `joint`
    alone: Mapping[str, tuple[str, ...]]  # per head: what it says by itself
    without: Mapping[str, tuple[str, ...]]  # per head: what the others say; empty where there is no other

    def outputs(self, grid: tuple[int, int, int]) -> tuple[HeadOutput, ...]:
        """Return the heads as the record that is stored; grid (exemplars, h, w) says what the N regions are."""
        return tuple(
            HeadOutput(
                head=name,
                weights=head.weights,
                grid=grid,
                share=tuple(head.share.tolist()),
                mask_overlap=tuple(head.mask_overlap.tolist()),
                caption=self.alone.get(name, self.words),
                norm=tuple(head.norm.tolist()),
                entropy=tuple(head.entropy.tolist()),
                without=self.without.get(name, ()),
            )
            for name, head in self.heads.items()
        )


@torch.no_grad()
def explain(
    decoder: Decoder,
    features: Tensor,
    tokens: Tensor,
    vocabulary: Vocabulary,
    *,
    weight: Tensor | None = None,
    length: int | None = None,
) -> list[Explanation]:
    """Explain captions tokens (U, T) of units features (U, N, D), weight (U, N), one each.

    Head-only and leave-one-out captions are decoded greedily, the other heads' contexts (or energies) left out.
    """
    memory = decoder.prepare(features, weight)
    forced = force(decoder, memory, tokens, start=vocabulary.start, norms=True)
    alone, without = _ablated(decoder, features, weight, vocabulary, (length or decoder.config.length) + 1)
    said = forced.token_log_probs(tokens)  # (U, T)
    reports = []
    for unit in range(memory.units):
        words = vocabulary.decode(tokens[unit])
        steps = _spoken(tokens[unit], vocabulary)
        covered = None if weight is None else weight[unit]
        heads = {name: _report(forced, name, unit, steps, covered) for name in forced.weights}
        gate = None if forced.gate is None else _array(forced.gate[unit, steps].mean(-1))
        alone_here = {name: captions[unit] for name, captions in alone.items()}
        without_here = {name: captions[unit] for name, captions in without.items()}
        reports.append(Explanation(words, _array(said[unit, steps]), gate, heads, alone_here, without_here))
    return reports


def _report(forced: Forced, name: str, unit: int, steps: Tensor, weight: Tensor | None) -> HeadReport:
    """Report one head over the spoken steps (W,) of one unit's caption; weight (N,) is its mask's coverage."""
    weights = forced.weights[name][unit, steps]  # (W, N)
    norms = torch.stack([norm[unit, steps] for norm in forced.norms.values()])  # (heads, W)
    norm = forced.norms[name][unit, steps]
    surprise = torch.where(weights > 0, -weights * weights.clamp_min(1e-38).log(), 0.0)
    covered = weights.new_full((len(weights),), torch.nan)
    if weight is not None:
        covered = weights @ weight.clamp(0, 1).to(weights.dtype)
    return HeadReport(
        weights=_array(weights),
        norm=_array(norm),
        share=_array(norm / norms.sum(0).clamp_min(1e-12)),
        entropy=_array(surprise.sum(-1)),
        mask_overlap=_array(covered),
    )


def _ablated(
    decoder: Decoder, features: Tensor, weight: Tensor | None, vocabulary: Vocabulary, length: int
) -> tuple[dict[str, list[tuple[str, ...]]], dict[str, list[tuple[str, ...]]]]:
    """Return the greedy captions of each head alone, and of all heads but each; empty where there is one head."""
    names = decoder.config.heads
    if len(names) < 2:
        return {}, {}

    def captions(only: tuple[str, ...]) -> list[tuple[str, ...]]:
        found = greedy(decoder, decoder.prepare(features, weight, only=only), vocabulary, length=length)
        return [vocabulary.decode(row) for row in found.tokens[:, 0]]

    alone = {name: captions((name,)) for name in names}
    return alone, {name: captions(tuple(other for other in names if other != name)) for name in names}


def _spoken(tokens: Tensor, vocabulary: Vocabulary) -> Tensor:
    """Return the steps (W,) at which a word was said that `Vocabulary.decode` keeps: tokens (T,)."""
    before = (tokens == vocabulary.stop).cumsum(0) == 0
    return (before & (tokens < len(vocabulary.words))).nonzero().squeeze(1)


def _array(values: Tensor) -> np.ndarray:
    return values.float().cpu().numpy()
