"""Make a decoder say given captions, for training, for scoring, and to see where it looks at each word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mami_core.captioning.decoder import Decoder
from mami_core.captioning.language_model import counted
from mami_core.captioning.memory import Glimpse, Memory


@dataclass(frozen=True, eq=False)
class Forced:
    """What a decoder did while it said C given captions of L tokens."""

    log_probs: Tensor  # (C, L, V): of every word, before each token
    weights: Mapping[str, Tensor]  # per head, (C, L, N)
    gate: Tensor | None  # (C, L, D), (C, L, 1) or None: β
    log_choice: Tensor | None  # (C, L): log α of drawn regions, hard attention in training
    entropy: Tensor | None  # (C, L): of α, hard attention
    norms: Mapping[str, Tensor]  # per head, (C, L): length of its gated context; empty unless asked for

    @property
    def mean_weights(self) -> Tensor:
        """Return the heads' mean weights (C, L, N), which sum to 1: what is drawn and what the penalty reads."""
        return torch.stack(list(self.weights.values())).mean(0)

    def token_log_probs(self, tokens: Tensor) -> Tensor:
        """Return log p (C, L) of the tokens (C, L) that were said."""
        return self.log_probs.gather(-1, tokens.unsqueeze(-1)).squeeze(-1)

    def caption_log_probs(self, tokens: Tensor, *, stop: int) -> Tensor:
        """Return log p (C,) of each caption: words and the first stop, padding left out."""
        return (self.token_log_probs(tokens) * counted(tokens, stop)).sum(1)


def force(
    decoder: Decoder,
    memory: Memory,
    tokens: Tensor,
    *,
    start: int,
    unit: Sequence[int] | Tensor | None = None,
    norms: bool = False,
) -> Forced:
    """Say `tokens` (C, L) (words, stop, pad; no start) about the units of `memory`.

    `unit` (C,) says which unit each caption is about; None: the same number for each, in unit order. Captions of a
    unit share its regions: nothing is copied per caption. `norms` keeps the length of each head's gated context.
    """
    rows, back = _layout(memory, tokens.shape[0], unit, tokens.device)
    laid = tokens if rows is None else tokens.index_select(0, rows)  # (B, L)
    inputs = torch.cat([laid.new_full((laid.shape[0], 1), start), laid[:, :-1]], 1)  # (B, L)
    words = decoder.embedding(inputs)  # (B, L, E)
    drives = decoder.from_word(words)  # (B, L, 4H)
    state = decoder.init_state(memory).repeat(memory.groups(laid.shape[0]))
    glimpses, hidden = [], []
    for drive in drives.unbind(1):
        glimpse = decoder.look(state, memory)
        state = decoder.advance(drive, glimpse)
        glimpses.append(decoder.consider(state, glimpse))
        hidden.append(state.hidden)
    aside = _stack([glimpse.aside for glimpse in glimpses], back)
    spoken = decoder.logits(_back(torch.stack(hidden, 1), back), _back(words, back), aside)
    return Forced(
        log_probs=spoken.log_softmax(-1),
        weights={
            name: _back(torch.stack([glimpse.heads[name].weights for glimpse in glimpses], 1), back)
            for name in glimpses[0].heads
        },
        gate=_stack([glimpse.gate for glimpse in glimpses], back),
        log_choice=_stack([glimpse.log_choice for glimpse in glimpses], back),
        entropy=_stack([glimpse.entropy for glimpse in glimpses], back),
        norms=_norms(glimpses, back) if norms else {},
    )


def gated_contexts(glimpse: Glimpse) -> dict[str, Tensor]:
    """Return what each head's context (B, D) is after the gate β: its part of what enters the LSTM."""
    parts = {name: head.context for name, head in glimpse.heads.items()}
    if glimpse.gate is None or not parts:
        return parts
    size = next(iter(parts.values())).shape[-1]
    if glimpse.gate.shape[-1] in (1, size):
        return {name: glimpse.gate * part for name, part in parts.items()}
    chunks = glimpse.gate.split(size, -1)  # concatenated heads: each has a gate of its own
    return {name: chunk * part for (name, part), chunk in zip(parts.items(), chunks, strict=True)}


def _norms(glimpses: Sequence[Glimpse], back: Tensor | None) -> dict[str, Tensor]:
    gated = [gated_contexts(glimpse) for glimpse in glimpses]
    return {name: _back(torch.stack([step[name].norm(dim=-1) for step in gated], 1), back) for name in gated[0]}


def _layout(
    memory: Memory, captions: int, unit: Sequence[int] | Tensor | None, device: torch.device
) -> tuple[Tensor | None, Tensor | None]:
    """Return the caption of each row (B,) and the row of each caption (C,); None, None when they are in order.

    Units with fewer captions than others get rows that repeat caption 0 and are thrown away.
    """
    if unit is None:
        memory.groups(captions)
        return None, None
    owners = unit.tolist() if isinstance(unit, Tensor) else list(unit)
    if len(owners) != captions:
        raise ValueError(f"{captions} captions but {len(owners)} unit indices")
    if any(not 0 <= owner < memory.units for owner in owners):
        raise ValueError(f"unit indices must be in 0..{memory.units - 1}, got {min(owners)}..{max(owners)}")
    counts = [0] * memory.units
    places = []
    for owner in owners:
        places.append((owner, counts[owner]))
        counts[owner] += 1
    groups = max(counts)
    back = torch.tensor([owner * groups + place for owner, place in places], dtype=torch.long, device=device)
    rows = torch.zeros(memory.units * groups, dtype=torch.long, device=device)
    rows[back] = torch.arange(captions, device=device)
    return rows, back


def _back(laid: Tensor, back: Tensor | None) -> Tensor:
    return laid if back is None else laid.index_select(0, back)


def _stack(steps: Sequence[Tensor | None], back: Tensor | None) -> Tensor | None:
    present = [step for step in steps if step is not None]
    return _back(torch.stack(present, 1), back) if present else None
