"""What every decoder works with: a unit's regions made ready once, and the state of each caption under way.

U units, G captions under way per unit, B = U·G rows in unit-major order: row u·G + g belongs to unit u. So beams and
reference captions share their unit's regions and keys without copies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Memory:
    """The regions of U units, with everything that does not change while captions are decoded."""

    features: Tensor  # (U, N, D)
    pooled: Tensor  # (U, D): mean region, weighed by `weight`
    log_weight: Tensor | None = None  # (U, N): added to the attention scores; -inf hides a region
    keys: Mapping[str, Tensor] = field(default_factory=dict)  # per head, (U, N, A) or what the head wants
    values: Mapping[str, Tensor] = field(default_factory=dict)  # per head with values of its own, (U, N, D)
    vector: Tensor | None = None  # (U, X): the projected picture of inject and merge decoders
    active: tuple[str, ...] | None = None  # heads that speak; None: all
    coin: Tensor | None = None  # (U,) bool: units whose hard attention draws a region (training)

    @property
    def units(self) -> int:
        """U: the number of units."""
        return self.features.shape[0]

    def groups(self, rows: int) -> int:
        """Return G, the rows per unit; ValueError where `rows` cannot be shared out evenly."""
        if self.units == 0 or rows % self.units:
            raise ValueError(f"{rows} rows cannot be shared out over {self.units} units; rows must be unit-major")
        return rows // self.units

    def select(self, units: Tensor) -> Memory:
        """Return the memory of some units (indices (U',)), copied: use it when units fall away, not per caption."""

        def take(held: Tensor | None) -> Tensor | None:
            return None if held is None else held.index_select(0, units)

        return replace(
            self,
            features=self.features.index_select(0, units),
            pooled=self.pooled.index_select(0, units),
            log_weight=take(self.log_weight),
            keys={name: key.index_select(0, units) for name, key in self.keys.items()},
            values={name: value.index_select(0, units) for name, value in self.values.items()},
            vector=take(self.vector),
            coin=take(self.coin),
        )


@dataclass(frozen=True, eq=False)
class State:
    """The LSTM's state per row: hidden and cell, (B, H)."""

    hidden: Tensor
    cell: Tensor

    def reorder(self, index: Tensor) -> State:
        """Return the state of rows `index` (B',), which may repeat or leave out rows."""
        return State(self.hidden.index_select(0, index), self.cell.index_select(0, index))

    def repeat(self, groups: int) -> State:
        """Return the state with each row `groups` times, unit-major: where G captions of a unit start."""
        return State(self.hidden.repeat_interleave(groups, 0), self.cell.repeat_interleave(groups, 0))


@dataclass(frozen=True, eq=False)
class HeadStep:
    """One attention head at one word."""

    weights: Tensor  # (B, N): sum to 1
    context: Tensor  # (B, D): what the head adds to the context, before the gate


@dataclass(frozen=True, eq=False)
class Glimpse:
    """What a row makes of the picture before its next word: the same for every word that may follow.

    Attention and gate read the previous state only, so beams that share a parent share one glimpse.
    """

    drive: Tensor  # (B, 4H): what context and state add to the LSTM's gates
    cell: Tensor  # (B, H): the previous cell
    aside: Tensor | None = None  # (B, ·): what goes around the LSTM to the output
    heads: Mapping[str, HeadStep] = field(default_factory=dict)
    gate: Tensor | None = None  # (B, C), (B, 1) or None: β
    log_choice: Tensor | None = None  # (B,): log α of the regions that hard attention drew
    entropy: Tensor | None = None  # (B,): of hard attention's α
    memory: Memory | None = None  # what is still to be looked at, where that comes after the word

    def pick(self, index: Tensor) -> Glimpse:
        """Return the glimpse of rows `index` (B',), unit-major again, without what is only shown."""
        aside = None if self.aside is None else self.aside.index_select(0, index)
        drive, cell = self.drive.index_select(0, index), self.cell.index_select(0, index)
        return Glimpse(drive, cell, aside, memory=self.memory)


@dataclass(frozen=True, eq=False)
class Words:
    """What may be said next, kept unnormalised: search ranks logits and subtracts one number per row."""

    logits: Tensor  # (B, V)
    state: Any  # reorderable: the speaker's own
    offset: Tensor | None = None  # (B,): what turns logits into scores, where it is not their log-sum-exp

    @property
    def normaliser(self) -> Tensor:
        """Return (B,): logits - normaliser are log p, or the scores of a speaker that mixes models."""
        return self.logits.logsumexp(-1) if self.offset is None else self.offset

    @property
    def log_probs(self) -> Tensor:
        """Return log p (B, V) of every word, or its score."""
        return self.logits.log_softmax(-1) if self.offset is None else self.logits - self.offset.unsqueeze(-1)


@dataclass(frozen=True, eq=False)
class StepOutput:
    """One word further: log p of every word that may come, and what was looked at."""

    log_probs: Tensor  # (B, V)
    state: State
    heads: Mapping[str, HeadStep]
    gate: Tensor | None


def pool(features: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Return the mean region (U, D) and the log prior (U, N) of the attention scores.

    features (U, N, D); weight (U, N), 0 or more: how much of a region the unit's mask covers. A row of only zeros
    says nothing about where to look and is treated as uniform. ValueError where the shapes do not fit.
    """
    if features.ndim != 3:
        raise ValueError(f"features must be (units, regions, channels), got shape {tuple(features.shape)}")
    if weight is None:
        return features.mean(1), None
    if weight.shape != features.shape[:2]:
        raise ValueError(f"weight {tuple(weight.shape)} does not fit features {tuple(features.shape)}")
    total = weight.sum(1, keepdim=True)  # (U, 1)
    weight = torch.where(total > 0, weight, 1.0).to(features.dtype)  # (U, N)
    share = weight / weight.sum(1, keepdim=True)
    return torch.bmm(share.unsqueeze(1), features).squeeze(1), weight.log()
