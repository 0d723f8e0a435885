"""How captions are found: the settings of every strategy, and one function that runs any of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeAlias

import torch
from torch import Tensor

from mami_core.captioning.beam import beam_search
from mami_core.captioning.consensus import consensus_scores
from mami_core.captioning.decoder import Decoder
from mami_core.captioning.language_model import LanguageModel
from mami_core.captioning.memory import Memory
from mami_core.captioning.rerank import Discounted, pmi_rerank
from mami_core.captioning.sampling import content_seeds, sample
from mami_core.captioning.search import Decoded, greedy
from mami_core.captioning.vocabulary import Vocabulary

Match: TypeAlias = Callable[[Decoded], Tensor]  # candidates (U, G, T) to how well each fits its unit, (U, G)

STRATEGIES = ("greedy", "sample", "beam", "pmi", "token-pmi", "consensus")


@dataclass(frozen=True)
class Decoding:
    """How a caption is chosen; saved with every caption. Fields that a strategy does not use are ignored by it."""

    strategy: str = "consensus"
    beam_size: int = 10
    length_power: float = 0.0  # rank by score / tokens^length_power; 0: the papers' plain sums
    pmi_weight: float = 0.2  # λ; 1 is the paper's equation, 0.2 MILAN's published default
    samples: int = 48  # captions drawn for `sample` and `consensus`
    temperature: float = 0.8  # of sampling
    top_p: float = 1.0  # sample among the most probable words that hold this mass
    recall_weight: float = 0.3  # consensus: how much word recall counts beside F1
    discount: float = 0.9  # consensus: a word at position i counts discount^i
    match_weight: float = (
        0.5  # consensus: how much the learned match between caption and regions counts, if there is one
    )
    length: int | None = None  # most words of a caption before its stop; None: what the decoder was trained for
    parity: bool = False  # MILAN's quirks: every id may be said, the language model hears one token too many
    seed: int = 0

    def __post_init__(self) -> None:
        if self.strategy not in STRATEGIES:
            raise ValueError(f"no decoding strategy {self.strategy!r}; choose from {', '.join(STRATEGIES)}")
        for name in ("beam_size", "samples"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, got {getattr(self, name)}")
        if self.length is not None and self.length < 1:
            raise ValueError(f"length must be 1 or more, got {self.length}")

    def to_json(self) -> dict[str, Any]:
        """Return plain values for a checkpoint or a manifest."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Decoding:
        """Return the settings that `to_json` wrote; those it lacks take their defaults. ValueError for unknown ones."""
        unknown = sorted(set(stored) - {entry.name for entry in fields(cls)})
        if unknown:
            raise ValueError(f"unknown decoding settings: {', '.join(unknown)}")
        return cls(**stored)


@torch.no_grad()
def decode(
    decoder: Decoder,
    memory: Memory,
    vocabulary: Vocabulary,
    decoding: Decoding,
    *,
    language_model: LanguageModel | None = None,
    seeds: Sequence[int] | None = None,
    match: Match | None = None,
) -> Decoded:
    """Return candidates per unit, best first by what the strategy ranks by: tokens (U, G, T) and ranks (U, G).

    `match` scores candidates against their unit; consensus adds it where given. `seeds` (U) give each unit its own
    chance in sampling; None: from the unit's features, so the same unit always draws the same captions.
    ValueError where the strategy needs a language model and there is none.
    """
    length = (decoding.length or decoder.config.length) + 1  # the stop is a token too
    if seeds is None:
        seeds = content_seeds(memory.features, seed=decoding.seed)
    strategy, parity, width = decoding.strategy, decoding.parity, decoding.beam_size
    if strategy == "greedy":
        return greedy(decoder, memory, vocabulary, length=length, parity=parity)
    if strategy == "sample":
        return _sorted(_draw(decoder, memory, vocabulary, decoding, length, seeds))
    if strategy == "consensus":
        return _consensus(decoder, memory, vocabulary, decoding, length, seeds, match)
    if strategy == "beam":
        return beam_search(
            decoder, memory, vocabulary, length=length, width=width, length_power=decoding.length_power, parity=parity
        )
    if language_model is None:
        raise ValueError(f"decoding by {strategy} needs a language model, and this captioner has none; try beam")
    speaker = Discounted(decoder, language_model, decoding.pmi_weight) if strategy == "token-pmi" else decoder
    found = beam_search(
        speaker, memory, vocabulary, length=length, width=width, length_power=decoding.length_power, parity=parity
    )
    if strategy == "token-pmi":
        return found
    ranked = pmi_rerank(
        found, language_model, weight=decoding.pmi_weight, length_power=decoding.length_power, parity=parity
    )
    return Decoded(ranked.tokens, ranked.scores)


def _draw(
    decoder: Decoder, memory: Memory, vocabulary: Vocabulary, decoding: Decoding, length: int, seeds: Sequence[int]
) -> Decoded:
    return sample(
        decoder,
        memory,
        vocabulary,
        length=length,
        seeds=seeds,
        count=decoding.samples,
        temperature=decoding.temperature,
        top_p=decoding.top_p,
    )


def _consensus(
    decoder: Decoder,
    memory: Memory,
    vocabulary: Vocabulary,
    decoding: Decoding,
    length: int,
    seeds: Sequence[int],
    match: Match | None,
) -> Decoded:
    """Choose among beam, greedy and samples by agreement with the samples."""
    drawn = _draw(decoder, memory, vocabulary, decoding, length, seeds)
    width, power = decoding.beam_size, decoding.length_power
    pool = join(
        greedy(decoder, memory, vocabulary, length=length),
        beam_search(decoder, memory, vocabulary, length=length, width=width, length_power=power),
        drawn,
        stop=vocabulary.stop,
    )
    scores = consensus_scores(pool, drawn, vocabulary, recall_weight=decoding.recall_weight, discount=decoding.discount)
    if match is not None and decoding.match_weight:
        scores = scores + decoding.match_weight * match(pool)
    return _sorted(Decoded(pool.tokens, scores))


def join(*found: Decoded, stop: int) -> Decoded:
    """Return all candidates of each unit side by side: (U, sum of G, longest T)."""
    longest = max(decoded.tokens.shape[-1] for decoded in found)
    padded = [
        torch.nn.functional.pad(decoded.tokens, (0, longest - decoded.tokens.shape[-1]), value=stop)
        for decoded in found
    ]
    return Decoded(torch.cat(padded, 1), torch.cat([decoded.scores for decoded in found], 1))


def _sorted(found: Decoded) -> Decoded:
    scores, order = found.scores.sort(dim=1, descending=True, stable=True)
    return Decoded(found.tokens.gather(1, order.unsqueeze(-1).expand_as(found.tokens)), scores)


def without_repeats(tokens: Tensor, scores: Tensor, *, most: int) -> list[tuple[int, float]]:
    """Return (row, score) of the `most` best distinct captions of one unit: tokens (G, T), scores (G,) best first."""
    seen: dict[tuple[int, ...], tuple[int, float]] = {}
    for row, (said, score) in enumerate(zip(tokens.tolist(), scores.tolist(), strict=True)):
        if score > -float("inf"):
            seen.setdefault(tuple(said), (row, score))
    return list(seen.values())[:most]
