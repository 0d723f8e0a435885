"""Every captioner by name, and the one configuration that says what its decoder is made of."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

HEADS = ("bahdanau", "luong", "self")
COMBINATIONS = ("sum", "mean", "gated", "concat", "energy", "literal")
KINDS = ("attention", "init-inject", "pre-inject", "par-inject", "merge")


@dataclass(frozen=True)
class DecoderConfig:
    """What a decoder is made of; saved in its checkpoint. Sizes are numbers of channels."""

    captioner: str
    feature_size: int  # D: channels of a region
    vocabulary_size: int  # V: words and specials
    kind: str = "attention"
    heads: tuple[str, ...] = ("bahdanau",)
    combine: str = "sum"  # how several heads become one context
    selection: str = "soft"  # "hard": one region is drawn in training (Show, Attend and Tell, section 4.1)
    gate: str = "vector"  # β on the context: "vector" (MILAN), "scalar" (Show, Attend and Tell) or "none"
    output: str = "linear"  # "deep": word, state and context together (Show, Attend and Tell, equation 7);
    # "attentional": tanh of state and context (Luong et al. 2015, equation 5)
    order: str = "before"  # attend before the LSTM's step, the context entering it; "after": with its new state
    init_layers: int = 1  # layers of the MLPs that make the first state
    hidden_size: int = 512  # H
    embedding_size: int = 128  # E
    attention_size: int | None = None  # A; None: min(H, D), as MILAN
    luong_dot: bool = False  # score the state against the regions without a matrix; needs H = D
    luong_scaled: bool = True  # divide by sqrt(D): unscaled, the energies of wide features saturate the softmax
    self_query: str = "state"  # "features": attention among the regions, the same at every word
    project_values: bool = False  # attend over W f instead of f
    dropout: float = 0.5  # before the output layer
    length: int = 15  # most words of a caption, the stop not counted

    def __post_init__(self) -> None:
        _one_of("kind", self.kind, KINDS)
        _one_of("combine", self.combine, COMBINATIONS)
        _one_of("selection", self.selection, ("soft", "hard"))
        _one_of("gate", self.gate, ("vector", "scalar", "none"))
        _one_of("output", self.output, ("linear", "deep", "attentional"))
        _one_of("order", self.order, ("before", "after"))
        _one_of("self_query", self.self_query, ("state", "features"))
        for head in self.heads:
            _one_of("head", head, HEADS)
        if self.kind == "attention" and (not self.heads or len(set(self.heads)) != len(self.heads)):
            raise ValueError(f"a decoder needs one or more different heads, got {self.heads}")
        for name in ("feature_size", "vocabulary_size", "hidden_size", "embedding_size", "length"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, got {getattr(self, name)}")
        if self.order == "after" and (self.kind != "attention" or self.output == "linear"):
            raise ValueError("order=after needs attention, and an output that its context enters: deep or attentional")
        if self.init_layers not in (1, 2):
            raise ValueError(f"init_layers must be 1 or 2, got {self.init_layers}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), got {self.dropout}")
        if self.luong_dot and "luong" in self.heads and self.hidden_size != self.feature_size:
            raise ValueError(f"luong_dot needs hidden_size = feature_size, got {self.hidden_size}, {self.feature_size}")
        if self.combine == "literal" and set(self.heads) != set(HEADS):
            raise ValueError(f"combine=literal is MAMI's equation 5 over {HEADS}, got heads {self.heads}")

    @property
    def width(self) -> int:
        """A: channels of keys and queries."""
        return self.attention_size or min(self.hidden_size, self.feature_size)

    @property
    def context_size(self) -> int:
        """C: channels of the combined context; concatenated heads add up."""
        return self.feature_size * (len(self.heads) if self.combine == "concat" else 1)

    def to_json(self) -> dict[str, Any]:
        """Return plain values for a checkpoint's JSON."""
        return {**asdict(self), "heads": list(self.heads)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> DecoderConfig:
        """Return the configuration that `to_json` wrote; ValueError names fields that do not belong."""
        unknown = sorted(set(stored) - {entry.name for entry in fields(cls)})
        if unknown:
            raise ValueError(f"the checkpoint's decoder has unknown settings: {', '.join(unknown)}")
        try:
            return cls(**{**stored, "heads": tuple(stored.get("heads", ("bahdanau",)))})
        except TypeError as problem:
            raise ValueError(f"the checkpoint's decoder settings are not complete: {problem}") from None


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}; got {value!r}")


_MAMI = {"heads": HEADS}
_SAT = {"gate": "scalar", "output": "deep", "init_layers": 2}
CAPTIONERS: Mapping[str, Mapping[str, Any]] = {
    "milan": {},  # Hernandez et al. 2022
    "luong": {"heads": ("luong",)},
    "luong-post": {"heads": ("luong",), "order": "after", "output": "attentional", "gate": "none"},  # Luong et al. 2015
    "self": {"heads": ("self",)},
    "mami": {**_MAMI, "combine": "sum"},  # the paper's section 2.6: the heads' results are summed
    "mami-energy": {**_MAMI, "combine": "energy"},
    "mami-literal": {**_MAMI, "combine": "literal"},
    "mami-concat": {**_MAMI, "combine": "concat"},
    "mami-gated": {**_MAMI, "combine": "gated"},  # ours, not in the paper
    "mami-mean": {**_MAMI, "combine": "mean"},
    "sat-soft": {**_SAT},  # Xu et al. 2015
    "sat-hard": {**_SAT, "selection": "hard"},
    "init-inject": {"kind": "init-inject", "heads": (), "gate": "none"},  # Tanti et al. 2018
    "pre-inject": {"kind": "pre-inject", "heads": (), "gate": "none"},
    "par-inject": {"kind": "par-inject", "heads": (), "gate": "none"},
    "merge": {"kind": "merge", "heads": (), "gate": "none"},
}


def decoder_config(name: str, *, feature_size: int, vocabulary_size: int, **changes: Any) -> DecoderConfig:
    """Return the configuration of captioner `name`, with `changes` over its own settings.

    ValueError for a name that is not in CAPTIONERS, with the nearest ones.
    """
    if name not in CAPTIONERS:
        near = ", ".join(difflib.get_close_matches(name, CAPTIONERS)) or ", ".join(CAPTIONERS)
        raise ValueError(f"no captioner is called {name!r}; try {near}")
    settings = {**CAPTIONERS[name], **changes}
    return DecoderConfig(captioner=name, feature_size=feature_size, vocabulary_size=vocabulary_size, **settings)
