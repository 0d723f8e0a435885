"""Several attention heads and the ways to make one context of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mami_core.captioning.attention import AmongRegions, Bahdanau, LiteralSelf, Luong, ScaledDot
from mami_core.captioning.memory import Memory
from mami_core.captioning.names import DecoderConfig

JOINT = "joint"  # the one distribution of heads whose energies were added


@dataclass(frozen=True, eq=False)
class Glance:
    """What the heads saw for U units and G captions each."""

    weights: Mapping[str, Tensor]  # per head, (U, G, N)
    contexts: Mapping[str, Tensor]  # per head, (U, G, D): what it adds to the combined context
    combined: Tensor  # (U, G, C)


class Heads(nn.Module):
    """A list of heads and how they combine.

    `sum`, `mean`: of contexts. `gated`: contexts weighed by softmax(W h), ours. `concat`: contexts side by side.
    `energy`: softmax of summed energies. `literal`: the same with MAMI's equation 5 taken as printed.
    """

    def __init__(self, config: DecoderConfig) -> None:
        super().__init__()
        self.config = config
        self.heads = nn.ModuleDict({name: _build(name, config) for name in config.heads})
        self.value = nn.ModuleDict()
        if config.project_values:
            if config.combine in ("energy", "literal"):
                raise ValueError(f"project_values needs contexts of each head, but combine={config.combine} has one")
            size = config.feature_size
            self.value.update({name: nn.Linear(size, size, bias=False) for name in config.heads})
        self.mix = nn.Linear(config.hidden_size, len(config.heads)) if config.combine == "gated" else None

    def keys(self, features: Tensor, log_weight: Tensor | None = None) -> dict[str, Tensor]:
        """Return each head's keys for features (U, N, D); regions of log_weight -inf are hidden from each other too."""
        hidden = None if log_weight is None else torch.isneginf(log_weight)
        return {
            name: head.keys(features, hidden) if isinstance(head, AmongRegions) else head.keys(features)  # type: ignore[operator]
            for name, head in self.heads.items()
        }

    def values(self, features: Tensor) -> dict[str, Tensor]:
        """Return the projected regions (U, N, D) of heads that have a value matrix of their own."""
        return {name: project(features) for name, project in self.value.items()}

    def forward(self, query: Tensor, memory: Memory) -> Glance:
        """Weigh the regions for query (U, G, H) and combine what the heads saw; heads not active add nothing."""
        active = [name for name in self.heads if memory.active is None or name in memory.active]
        energies = {name: self.heads[name](memory.keys[name], query) for name in active}  # each (U, G, N)
        if self.config.combine in ("energy", "literal"):
            energies = {JOINT: torch.stack(list(energies.values())).sum(0)}
        prior = 0.0 if memory.log_weight is None else memory.log_weight.unsqueeze(1)  # (U, 1, N)
        weights = {name: (energy + prior).softmax(-1) for name, energy in energies.items()}
        contexts = {name: self.context(name, weight, memory) for name, weight in weights.items()}
        contexts = self._weighed(contexts, query)
        return Glance(weights, contexts, self._combined(contexts, active))

    def context(self, name: str, weights: Tensor, memory: Memory) -> Tensor:
        """Return the mean region (U, G, D) under weights (U, G, N)."""
        return torch.bmm(weights, memory.values.get(name, memory.features))

    def _weighed(self, contexts: dict[str, Tensor], query: Tensor) -> dict[str, Tensor]:
        """Scale each head's context to its part of the whole."""
        if self.config.combine == "mean":
            return {name: context / len(self.heads) for name, context in contexts.items()}
        if self.mix is None:
            return contexts
        parts = self.mix(query).softmax(-1)  # (U, G, heads)
        order = list(self.heads)
        return {name: context * parts[..., order.index(name), None] for name, context in contexts.items()}

    def _combined(self, contexts: Mapping[str, Tensor], active: list[str]) -> Tensor:
        """Add the contexts up, or set them side by side with zeros for heads that are silent."""
        if self.config.combine != "concat":
            whole, *others = contexts.values()
            for context in others:
                whole = whole + context
            return whole
        silent = torch.zeros_like(contexts[active[0]])
        return torch.cat([contexts.get(name, silent) for name in self.heads], -1)


def _build(name: str, config: DecoderConfig) -> nn.Module:
    size, state, width = config.feature_size, config.hidden_size, config.width
    if name == "bahdanau":
        return Bahdanau(feature_size=size, state_size=state, width=width)
    if name == "luong":
        return Luong(feature_size=size, state_size=state, dot=config.luong_dot, scaled=config.luong_scaled)
    if config.combine == "literal":
        return LiteralSelf(feature_size=size, width=width)
    if config.self_query == "features":
        return AmongRegions(feature_size=size, width=width)
    return ScaledDot(feature_size=size, state_size=state, width=width)
