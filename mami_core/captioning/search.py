"""Find a caption: greedy and sampling. Beam search stands in `beam.py`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from mami_core.captioning.memory import Memory, Words
from mami_core.captioning.vocabulary import Vocabulary


class Speaker(Protocol):
    """Whatever can be searched: a decoder, or a decoder whose words a language model discounts."""

    def init_state(self, memory: Memory) -> Any:
        """Return the state before the first word; has reorder(index)."""

    def look(self, state: Any, memory: Memory) -> Any:
        """Return the glimpse of each row; has pick(index)."""

    def speak(self, tokens: Tensor, glimpse: Any) -> Words:
        """Say tokens (B,): what may follow, and the new state."""


@dataclass(frozen=True, eq=False)
class Decoded:
    """Captions found: G per unit, unit-major. After its first stop every token of a row is stop."""

    tokens: Tensor  # (U, G, T) int64
    scores: Tensor  # (U, G): sum of the speaker's scores over words and stop; -inf where nothing was found


def silence(vocabulary: Vocabulary, device: torch.device) -> Tensor:
    """Return (V,): -inf for ids that may not be said, 0 for the others; added to logits before choosing."""
    barred = torch.zeros(len(vocabulary), device=device)
    barred[list(vocabulary.unspeakable)] = -torch.inf
    return barred


@torch.no_grad()
def greedy(speaker: Speaker, memory: Memory, vocabulary: Vocabulary, *, length: int, parity: bool = False) -> Decoded:
    """Take the most probable word at each step: one caption of at most `length` words per unit.

    `parity` does as MILAN does: every id may be said, all `length` steps are run, and scores are summed past the stop.
    """
    device = memory.features.device
    tokens = torch.full((memory.units,), vocabulary.start, dtype=torch.long, device=device)  # (U,)
    scores = torch.zeros(memory.units, dtype=memory.features.dtype, device=device)
    ended = torch.zeros(memory.units, dtype=torch.bool, device=device)
    barred = silence(vocabulary, device)
    state, said = speaker.init_state(memory), []
    for _ in range(length):
        words = speaker.speak(tokens, speaker.look(state, memory))
        state = words.state
        best, tokens = (words.logits if parity else words.logits + barred).max(-1)
        gained = best - words.normaliser  # (U,)
        if not parity:
            tokens = torch.where(ended, vocabulary.stop, tokens)
            gained = torch.where(ended, 0.0, gained)
        scores = scores + gained
        said.append(tokens)
        ended = ended | (tokens == vocabulary.stop)
        if not parity and bool(ended.all()):
            break
    return Decoded(torch.stack(said, 1).unsqueeze(1), scores.unsqueeze(1))


def content_seeds(features: Tensor, *, seed: int) -> list[int]:
    """Return one seed per unit from its regions (U, N, D): a sample does not depend on batch mates or position."""
    rows = features.detach().to("cpu", torch.float16).contiguous().numpy()
    return [
        int.from_bytes(hashlib.sha256(row.tobytes() + seed.to_bytes(8, "little")).digest()[:7], "little")
        for row in rows
    ]


@torch.no_grad()
def sample(
    speaker: Speaker,
    memory: Memory,
    vocabulary: Vocabulary,
    *,
    length: int,
    seeds: Sequence[int],
    count: int = 1,
    temperature: float = 1.0,
    top_p: float = 1.0,
) -> Decoded:
    """Draw `count` captions per unit from p(word)^(1/temperature), within the top_p most probable mass.

    `seeds` (U) gives each unit its own stream of chance. Scores are log p under the speaker itself, at temperature 1.
    """
    if temperature <= 0 or not 0 < top_p <= 1:
        raise ValueError(f"sampling needs temperature > 0 and 0 < top_p <= 1, got {temperature} and {top_p}")
    if len(seeds) != memory.units:
        raise ValueError(f"sampling needs one seed a unit: {memory.units} units, {len(seeds)} seeds")
    device = memory.features.device
    chances = torch.cat([_uniform(seed, count, length) for seed in seeds]).to(device)  # (B, length)
    rows = memory.units * count
    tokens = torch.full((rows,), vocabulary.start, dtype=torch.long, device=device)
    scores = torch.zeros(rows, dtype=memory.features.dtype, device=device)
    ended = torch.zeros(rows, dtype=torch.bool, device=device)
    barred = silence(vocabulary, device)
    every = torch.arange(memory.units, device=device).repeat_interleave(count)
    state, said = speaker.init_state(memory).reorder(every), []
    for step in range(length):
        words = speaker.speak(tokens, speaker.look(state, memory))
        state = words.state
        probabilities = ((words.logits + barred) / temperature).softmax(-1)  # (B, V)
        drawn = _draw(probabilities, chances[:, step], top_p)  # (B,)
        tokens = torch.where(ended, vocabulary.stop, drawn)
        gained = words.logits.gather(1, tokens.unsqueeze(1)).squeeze(1) - words.normaliser
        scores = scores + torch.where(ended, 0.0, gained)
        said.append(tokens)
        ended = ended | (tokens == vocabulary.stop)
        if bool(ended.all()):
            break
    return Decoded(torch.stack(said, 1).view(memory.units, count, -1), scores.view(memory.units, count))


def _uniform(seed: int, count: int, length: int) -> Tensor:
    return torch.rand(count, length, generator=torch.Generator().manual_seed(seed))


def _draw(probabilities: Tensor, chance: Tensor, top_p: float) -> Tensor:
    """Return the word (B,) whose share of the cumulative probabilities (B, V) chance (B,) falls in."""
    if top_p >= 1:
        total = probabilities.cumsum(-1)
        found = torch.searchsorted(total, (chance.to(total.dtype) * total[:, -1]).unsqueeze(-1), right=True).squeeze(-1)
        return found.clamp_max(probabilities.shape[-1] - 1)
    ranked, order = probabilities.sort(-1, descending=True)
    total = ranked.cumsum(-1)
    kept = torch.where(total - ranked < top_p, ranked, 0.0).cumsum(-1)  # the most probable word is always kept
    place = torch.searchsorted(kept, (chance.to(kept.dtype) * kept[:, -1]).unsqueeze(-1), right=True)
    return order.gather(-1, place.clamp_max(probabilities.shape[-1] - 1)).squeeze(-1)
