"""Find a caption: what all searches share, and the simplest of them. Others: `beam.py`, `sampling.py`."""

from __future__ import annotations

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


def distinct_parents(parent: Tensor, goes: Tensor, groups: int) -> tuple[Tensor, Tensor, int]:
    """Say which of the last step's rows are still needed, each once.

    parent (A, G) in 0..groups-1 is the row each hypothesis came from; goes (A, G) bool, whether it goes on. Returns
    the rows (A·P) of A·groups to keep, each hypothesis' parent (A, G) in 0..P-1, and P. Units with fewer parents are
    filled up with rows that nobody uses.
    """
    parent = torch.where(goes, parent, groups)  # `groups` stands for none
    used = torch.zeros(parent.shape[0], groups + 1, device=parent.device).scatter(1, parent, 1.0)[:, :groups]
    parents = int(used.sum(1).max().clamp_min(1))
    old = used.topk(parents, dim=1).indices  # (A, P)
    new = torch.zeros(parent.shape[0], groups + 1, dtype=torch.long, device=parent.device)
    new = new.scatter(1, old, torch.arange(parents, device=parent.device).expand_as(old))
    rows = old + torch.arange(len(old), device=parent.device).unsqueeze(1) * groups  # (A, P)
    return rows.flatten(), new.gather(1, parent), parents
