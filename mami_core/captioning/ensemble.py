"""Several decoders that speak as one: at each word the mean of their probabilities."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mami_core.captioning.decoder import Decoder
from mami_core.captioning.memory import Glimpse, Memory, State, Words


@dataclass(frozen=True, eq=False)
class SharedMemory(Memory):
    """What each decoder made of the same units."""

    members: tuple[Memory, ...] = ()

    def select(self, units: Tensor) -> SharedMemory:
        """Return the memory of some units (indices (U',))."""
        return _shared(member.select(units) for member in self.members)


@dataclass(frozen=True, eq=False)
class SharedState:
    """The states of all decoders, row by row."""

    members: tuple[State, ...]

    def reorder(self, index: Tensor) -> SharedState:
        """Return the states of rows `index` (B',)."""
        return SharedState(tuple(member.reorder(index) for member in self.members))


@dataclass(frozen=True, eq=False)
class SharedGlimpse:
    """The glimpses of all decoders, row by row."""

    members: tuple[Glimpse, ...]

    def pick(self, index: Tensor) -> SharedGlimpse:
        """Return the glimpses of rows `index` (B',)."""
        return SharedGlimpse(tuple(member.pick(index) for member in self.members))


@dataclass(frozen=True, eq=False)
class Ensemble:
    """A speaker whose words have the mean probability of its decoders'."""

    decoders: tuple[Decoder, ...]

    def __post_init__(self) -> None:
        if len({decoder.config.vocabulary_size for decoder in self.decoders}) != 1:
            raise ValueError("the decoders of an ensemble need one vocabulary, and there must be one of them or more")

    def prepare(self, features: Tensor, weight: Tensor | None = None) -> SharedMemory:
        """Make features (U, N, D) and weight (U, N) ready for each decoder."""
        return _shared(decoder.prepare(features, weight) for decoder in self.decoders)

    def init_state(self, memory: Memory) -> SharedState:
        """Return each decoder's state before the first word."""
        return SharedState(tuple(decoder.init_state(own) for decoder, own in self._with(memory)))

    def look(self, state: SharedState, memory: Memory) -> SharedGlimpse:
        """Look with each decoder."""
        pairs = zip(self._with(memory), state.members, strict=True)
        return SharedGlimpse(tuple(decoder.look(own_state, own) for (decoder, own), own_state in pairs))

    def speak(self, tokens: Tensor, glimpse: SharedGlimpse) -> Words:
        """Say tokens (B,) to each decoder; `logits` are log p already."""
        said = [decoder.speak(tokens, own) for decoder, own in zip(self.decoders, glimpse.members, strict=True)]
        log_probs = torch.stack([words.log_probs for words in said]).logsumexp(0) - math.log(len(said))  # (B, V)
        return Words(log_probs, SharedState(tuple(words.state for words in said)))

    def _with(self, memory: Memory) -> Sequence[tuple[Decoder, Memory]]:
        assert isinstance(memory, SharedMemory)
        return list(zip(self.decoders, memory.members, strict=True))


def _shared(members: Any) -> SharedMemory:
    held: tuple[Memory, ...] = tuple(members)
    return SharedMemory(features=held[0].features, pooled=held[0].pooled, members=held)
