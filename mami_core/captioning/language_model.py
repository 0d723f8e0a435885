"""p(d): how likely a description is before anything was seen. What PMI subtracts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from mami_core.captioning.memory import Words


@dataclass(frozen=True)
class LanguageModelConfig:
    """What a language model is made of; saved in the captioner's checkpoint. Defaults are MILAN's."""

    vocabulary_size: int
    embedding_size: int = 128
    hidden_size: int = 512
    layers: int = 2
    dropout: float = 0.5  # between layers

    def __post_init__(self) -> None:
        for name in ("vocabulary_size", "embedding_size", "hidden_size", "layers"):
            if getattr(self, name) < 1:
                raise ValueError(f"language model: {name} must be 1 or more, got {getattr(self, name)}")

    def to_json(self) -> dict[str, Any]:
        """Return plain values for a checkpoint's JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> LanguageModelConfig:
        """Return the configuration that `to_json` wrote; ValueError when fields are missing or unknown."""
        try:
            return cls(**stored)
        except TypeError as problem:
            raise ValueError(f"the checkpoint's language model settings do not fit: {problem}") from None


@dataclass(frozen=True, eq=False)
class LanguageState:
    """The LSTM's state: hidden and cell, (layers, B, H)."""

    hidden: Tensor
    cell: Tensor

    def reorder(self, index: Tensor) -> LanguageState:
        """Return the state of rows `index` (B',), which may repeat or leave out rows."""
        return LanguageState(self.hidden.index_select(1, index), self.cell.index_select(1, index))


class LanguageModel(nn.Module):
    """Embedding, LSTM, one linear layer. B rows, T words, V vocabulary size, H hidden size.

    `start` and `stop` are the ids of the vocabulary it was trained with; the pad id, stop + 1, has a zero embedding.
    """

    def __init__(self, config: LanguageModelConfig, *, start: int, stop: int) -> None:
        super().__init__()
        self.config, self.start, self.stop = config, start, stop
        self.embedding = nn.Embedding(config.vocabulary_size, config.embedding_size, padding_idx=stop + 1)
        self.lstm = nn.LSTM(
            config.embedding_size,
            config.hidden_size,
            config.layers,
            dropout=config.dropout if config.layers > 1 else 0.0,
            batch_first=True,
        )
        self.to_words = nn.Linear(config.hidden_size, config.vocabulary_size)

    def init_state(self, rows: int) -> LanguageState:
        """Return zeros for `rows` texts."""
        zero = self.to_words.weight.new_zeros(self.config.layers, rows, self.config.hidden_size)
        return LanguageState(zero, zero)

    def speak(self, tokens: Tensor, state: LanguageState) -> Words:
        """Say tokens (B,): what may follow, and the new state."""
        embedded = self.embedding(tokens).unsqueeze(1)  # (B, 1, E)
        hidden, (last, cell) = self.lstm(embedded, (state.hidden.contiguous(), state.cell.contiguous()))
        return Words(self.to_words(hidden.squeeze(1)), LanguageState(last, cell))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return log p (B, T, V) of the word after each of `inputs` (B, T), which open with the start id."""
        hidden, _ = self.lstm(self.embedding(inputs))  # (B, T, H)
        return self.to_words(hidden).log_softmax(-1)

    def log_probability(self, tokens: Tensor, *, parity: bool = False) -> Tensor:
        """Return log p(d) (B,) of token rows (B, T), without the start; words and the first stop are counted.

        `parity` counts one token behind the stop too, where there is one, as MILAN's mask does: its score of a
        caption then depends on how long the batch is.
        """
        start = tokens.new_full((tokens.shape[0], 1), self.start)
        log_probs = self(torch.cat([start, tokens[:, :-1]], 1))  # (B, T, V)
        chosen = log_probs.gather(-1, tokens.unsqueeze(-1)).squeeze(-1)  # (B, T)
        return (chosen * counted(tokens, self.stop, extra=int(parity))).sum(1)


def counted(tokens: Tensor, stop: int, *, extra: int = 0) -> Tensor:
    """Return (B, T) bool: True for words and the first stop, and for `extra` tokens behind it."""
    stops_before = (tokens == stop).long().cumsum(1) - (tokens == stop).long()  # (B, T): stops earlier in the row
    mask = stops_before == 0
    for _ in range(extra):
        mask = mask | torch.nn.functional.pad(mask[:, :-1], (1, 0), value=True)
    return mask
