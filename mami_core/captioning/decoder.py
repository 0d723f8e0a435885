"""Decoders: an LSTM that says one word at a time, looking at a unit's regions before each.

Every captioner is one interface: `prepare` once per unit, `init_state`, then `look` and `speak` per word; `step` is
both. The split matters for search: `look` is the costly half and depends on the previous state alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mami_core.captioning.heads import Glance, Heads
from mami_core.captioning.memory import Glimpse, HeadStep, Memory, State, StepOutput, Words, pool
from mami_core.captioning.names import DecoderConfig


class Decoder(nn.Module, ABC):
    """What all decoders share: embedding, LSTM cell, output. Subclasses say how the picture enters.

    B rows, U units, N regions, D feature, H hidden, E embedding, V vocabulary size.
    """

    def __init__(self, config: DecoderConfig, *, aside: bool = False) -> None:
        super().__init__()
        self.config = config
        hidden, embedding = config.hidden_size, config.embedding_size
        self.embedding = nn.Embedding(config.vocabulary_size, embedding)
        self.from_word = nn.Linear(embedding, 4 * hidden)  # gates in the order input, forget, cell, output
        self.from_state = nn.Linear(hidden, 4 * hidden, bias=False)
        self.dropout = nn.Dropout(config.dropout)
        deep = {"linear": 0, "deep": embedding, "attentional": hidden}[config.output]
        self.to_deep = nn.Linear(hidden, deep) if deep else None
        self.to_words = nn.Linear(deep or hidden, config.vocabulary_size)
        self.context_to_deep = nn.Linear(config.context_size, deep, bias=False) if deep and aside else None

    @abstractmethod
    def prepare(self, features: Tensor, weight: Tensor | None = None, *, only: Sequence[str] | None = None) -> Memory:
        """Make features (U, N, D) and weight (U, N) ready; `only` names the heads that may speak."""

    @abstractmethod
    def init_state(self, memory: Memory) -> State:
        """Return the state (U, H) before the first word."""

    @abstractmethod
    def look(self, state: State, memory: Memory) -> Glimpse:
        """Return what each row makes of the picture before its next word."""

    def advance(self, word_drive: Tensor, glimpse: Glimpse) -> State:
        """Run the LSTM cell: word_drive (B, 4H) is `from_word` of the words just said."""
        enter, forget, fresh, leave = (word_drive + glimpse.drive).chunk(4, -1)  # each (B, H)
        cell = forget.sigmoid() * glimpse.cell + enter.sigmoid() * fresh.tanh()
        return State(leave.sigmoid() * cell.tanh(), cell)

    def consider(self, state: State, glimpse: Glimpse) -> Glimpse:  # noqa: ARG002  # for decoders that attend after
        """Return what each row has seen once its word is in the state: what it saw before, unless attention follows."""
        return glimpse

    def logits(self, hidden: Tensor, word: Tensor, aside: Tensor | None) -> Tensor:
        """Return unnormalised log p (…, V) for states (…, H), words (…, E) and what went around the LSTM."""
        hidden = self.dropout(hidden)
        if self.to_deep is None:
            spoken = self.to_words(hidden)
            return spoken if aside is None else spoken + aside
        mixed = self.to_deep(hidden)  # (…, E), or (…, H): Luong et al. 2015, equation 5
        if self.config.output == "deep":
            mixed = word + mixed  # Show, Attend and Tell, equation 7
        if aside is not None:
            mixed = mixed + aside
        return self.to_words(self.dropout(mixed.tanh()))  # for deep output the tanh is in SAT's code, not in its paper

    def speak(self, tokens: Tensor, glimpse: Glimpse) -> Words:
        """Say tokens (B,) after a glimpse: what may follow, and the new state."""
        return self._say(tokens, glimpse)[0]

    def step(self, tokens: Tensor, state: State, memory: Memory) -> StepOutput:
        """Look, then say tokens (B,): everything about one word."""
        words, seen = self._say(tokens, self.look(state, memory))
        return StepOutput(words.log_probs, words.state, seen.heads, seen.gate)

    def _say(self, tokens: Tensor, glimpse: Glimpse) -> tuple[Words, Glimpse]:
        word = self.embedding(tokens)  # (B, E)
        state = self.advance(self.from_word(word), glimpse)
        seen = self.consider(state, glimpse)
        return Words(self.logits(state.hidden, word, seen.aside), state), seen


class AttentionDecoder(Decoder):
    """An LSTM that attends before each word: MILAN, MAMI, Show, Attend and Tell and their relatives.

    Order of a step as in MILAN: attention and gate read the previous state; the gated context β ∘ z enters the LSTM
    beside the word. With order=after as in Luong et al. 2015, section 3.1: they read the new state, and the context
    enters the output alone.
    """

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__(config, aside=True)
        self.heads = Heads(config)
        self.init_hidden = _first_state(config)
        self.init_cell = _first_state(config)
        self.init_shared = _shared_layer(config)
        enters = config.order == "before"
        self.from_context = nn.Linear(config.context_size, 4 * config.hidden_size, bias=False) if enters else None
        gates = {"vector": config.context_size, "scalar": 1, "none": 0}[config.gate]
        self.gate = nn.Linear(config.hidden_size, gates) if gates else None
        self.drawing = "expectation"  # how hard attention decodes: "expectation", "argmax" or "sample"

    def prepare(self, features: Tensor, weight: Tensor | None = None, *, only: Sequence[str] | None = None) -> Memory:
        """Make the keys of features (U, N, D) once; see `Decoder.prepare`. ValueError for a head it has not got."""
        if only is not None and (not only or set(only) - set(self.config.heads)):
            raise ValueError(f"head(s) {tuple(only)} asked for, but this decoder has {self.config.heads}")
        features = features.to(self.to_words.weight.dtype)
        if features.shape[-1] != self.config.feature_size:
            raise ValueError(
                f"regions have {features.shape[-1]} channels, the decoder reads {self.config.feature_size}"
            )
        pooled, log_weight = pool(features, weight)
        return Memory(
            features=features,
            pooled=pooled,
            log_weight=log_weight,
            keys=self.heads.keys(features, log_weight),
            values=self.heads.values(features),
            active=None if only is None else tuple(only),
            coin=self._toss(features) if self.config.selection == "hard" else None,
        )

    def init_state(self, memory: Memory) -> State:
        """Return tanh MLPs of the pooled region: (U, H)."""
        pooled = self.init_shared(memory.pooled)  # (U, D) or (U, H)
        return State(self.init_hidden(pooled).tanh(), self.init_cell(pooled).tanh())

    def look(self, state: State, memory: Memory) -> Glimpse:
        """Attend with each row's state (B, H) and make the gated context's part of the LSTM's gates."""
        if self.from_context is None:
            return Glimpse(self.from_state(state.hidden), state.cell, memory=memory)
        return self._attend(state, memory)

    def consider(self, state: State, glimpse: Glimpse) -> Glimpse:
        """Attend with each row's new state (B, H), where that is the order."""
        return glimpse if glimpse.memory is None else self._attend(state, glimpse.memory)

    def _attend(self, state: State, memory: Memory) -> Glimpse:
        rows = state.hidden.shape[0]
        query = state.hidden.view(memory.units, memory.groups(rows), -1)  # (U, G, H)
        glance = self.heads(query, memory)
        log_choice = entropy = None
        combined = glance.combined.reshape(rows, -1)  # (B, C)
        if memory.coin is not None:
            combined, log_choice, entropy = self._draw(glance, memory)
        gate = None if self.gate is None else self.gate(state.hidden).sigmoid()  # (B, C) or (B, 1)
        gated = combined if gate is None else gate * combined  # (B, C)
        drive = self.from_state(state.hidden)
        return Glimpse(
            drive=drive if self.from_context is None else self.from_context(gated) + drive,
            cell=state.cell,
            aside=None if self.context_to_deep is None else self.context_to_deep(gated),
            heads=_head_steps(glance, rows),
            gate=gate,
            log_choice=log_choice,
            entropy=entropy,
        )

    def _toss(self, features: Tensor) -> Tensor:
        """Decide per unit whether regions are drawn: half of them in training (section 4.1), all or none after."""
        units = features.shape[0]
        if self.training:
            return torch.rand(units, device=features.device) < 0.5
        return torch.full((units,), self.drawing != "expectation", dtype=torch.bool, device=features.device)

    def _draw(self, glance: Glance, memory: Memory) -> tuple[Tensor, Tensor, Tensor]:
        """Replace the expected region by one drawn from α where the coin says so.

        Returns the context (B, D), log α of the region drawn (B,) (0 where none was) and α's entropy (B,).
        """
        ((name, weights),) = glance.weights.items()  # hard attention has one head
        assert memory.coin is not None
        flat = weights.detach().flatten(0, 1)  # (B, N)
        greedy = not self.training and self.drawing == "argmax"
        chosen = flat.argmax(-1) if greedy else torch.multinomial(flat, 1).squeeze(-1)  # (B,)
        chosen = chosen.view(weights.shape[:2])  # (U, G)
        regions = memory.values.get(name, memory.features)  # (U, N, D)
        drawn = regions.gather(1, chosen.unsqueeze(-1).expand(-1, -1, regions.shape[-1]))  # (U, G, D)
        context = torch.where(memory.coin[:, None, None], drawn, glance.combined)
        log_weights = weights.clamp_min(torch.finfo(weights.dtype).tiny).log()  # (U, G, N)
        log_choice = log_weights.gather(-1, chosen.unsqueeze(-1)).squeeze(-1) * memory.coin[:, None]  # (U, G)
        entropy = -(weights * log_weights).sum(-1)  # (U, G)
        return context.flatten(0, 1), log_choice.flatten(), entropy.flatten()


def _head_steps(glance: Glance, rows: int) -> dict[str, HeadStep]:
    return {
        name: HeadStep(weights.reshape(rows, -1), glance.contexts[name].reshape(rows, -1))
        for name, weights in glance.weights.items()
    }


def _shared_layer(config: DecoderConfig) -> nn.Module:
    """Return the first of two layers under both initial states; nothing where there is one layer."""
    if config.init_layers == 1:
        return nn.Identity()
    return nn.Sequential(nn.Linear(config.feature_size, config.hidden_size), nn.ReLU(), nn.Dropout(config.dropout))


def _first_state(config: DecoderConfig) -> nn.Linear:
    size = config.feature_size if config.init_layers == 1 else config.hidden_size
    return nn.Linear(size, config.hidden_size)
