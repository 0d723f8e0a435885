"""Where to put the picture: init-inject, pre-inject, par-inject and merge (Tanti et al. 2018), without attention.

The picture is one vector v, the pooled regions, L2-normalised and projected: x = W v. The tuned networks of the paper
are GRUs; these are LSTMs like every other decoder here, so that only the place of the picture differs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor, nn

from mami_core.captioning.decoder import Decoder
from mami_core.captioning.memory import Glimpse, Memory, State, pool
from mami_core.captioning.names import DecoderConfig


class InjectDecoder(Decoder):
    """A language model conditioned on one vector, which enters in the place that `config.kind` names."""

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__(config)
        size = {"init-inject": config.hidden_size, "pre-inject": config.embedding_size}.get(config.kind)
        self.picture = nn.Linear(config.feature_size, size or config.hidden_size)
        par, merge = config.kind == "par-inject", config.kind == "merge"
        self.from_picture = nn.Linear(config.hidden_size, 4 * config.hidden_size, bias=False) if par else None
        self.picture_to_words = nn.Linear(config.hidden_size, config.vocabulary_size, bias=False) if merge else None

    def prepare(self, features: Tensor, weight: Tensor | None = None, *, only: Sequence[str] | None = None) -> Memory:
        """Pool features (U, N, D) by weight (U, N) into the picture vector; there are no heads to choose from."""
        if only is not None:
            raise ValueError(f"head(s) {tuple(only)} asked for, but {self.config.kind} has no attention")
        features = features.to(self.picture.weight.dtype)
        if features.shape[-1] != self.config.feature_size:
            raise ValueError(
                f"regions have {features.shape[-1]} channels, the decoder reads {self.config.feature_size}"
            )
        pooled, log_weight = pool(features, weight)
        memory = Memory(features=features, pooled=pooled, log_weight=log_weight)
        return replace(memory, vector=self.picture(nn.functional.normalize(pooled, dim=-1)))

    def init_state(self, memory: Memory) -> State:
        """Return zeros, or for init- and pre-inject the state that the picture makes: (U, H)."""
        assert memory.vector is not None
        zero = memory.vector.new_zeros(memory.units, self.config.hidden_size)
        if self.config.kind == "init-inject":
            return State(memory.vector, zero)
        if self.config.kind == "pre-inject":  # the picture is the first word; what it would say is dropped
            return self.advance(self.from_word(memory.vector), Glimpse(self.from_state(zero), zero))
        return State(zero, zero)

    def look(self, state: State, memory: Memory) -> Glimpse:
        """Return the state's part of the LSTM's gates, with the picture's where it enters at every word."""
        assert memory.vector is not None
        groups = memory.groups(state.hidden.shape[0])
        drive, aside = self.from_state(state.hidden), None
        if self.from_picture is not None:
            drive = drive + self.from_picture(memory.vector).repeat_interleave(groups, 0)
        if self.picture_to_words is not None:  # the output layer over [x; h] is the sum of two
            aside = self.picture_to_words(memory.vector).repeat_interleave(groups, 0)
        return Glimpse(drive=drive, cell=state.cell, aside=aside)
