"""The rule of a planted neuron: which things of a scene it fires for. It gives the exact mask of any scene.

Vision's counterpart of FIND's functions (Schwettmann et al. 2023) and of MAIA's synthetic neurons (Shaham et al. 2024).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Literal

import numpy as np

from mami_core.scenery.parts import COLOURS, LIGHTS, PARTS, PLACES, TEXTURES
from mami_core.scenery.planted.things import Things
from mami_core.scenery.wording import Meaning

FAMILIES: Final = (
    "single", "or", "and", "not", "size", "position", "texture", "colour", "relation", "spurious", "noisy", "dead",
)  # fmt: skip
_THIRD: Final = 1 / 3


@dataclass(frozen=True, slots=True)
class Term:
    """A kind of thing: all looks that are named must be there. At least one is."""

    part: str | None = None
    colour: str | None = None
    texture: str | None = None

    def __post_init__(self) -> None:
        known = ((self.part, PARTS), (self.colour, COLOURS), (self.texture, TEXTURES))
        if not any(name for name, _ in known):
            raise ValueError("a term names a part, a colour or a texture")
        for name, names in known:
            if name is not None and name not in names:
                raise ValueError(f"the painted world has no {name!r}")

    def holds(self, things: Things) -> np.ndarray:
        """Tell which things are of this kind, bool (n,)."""
        found = things.seen.copy()
        for column, (name, names) in enumerate(((self.part, PARTS), (self.colour, COLOURS), (self.texture, TEXTURES))):
            if name is not None:
                found &= things.looks[:, column] == names.index(name)
        return found

    @property
    def meanings(self) -> frozenset[Meaning]:
        """Return the looks that are named."""
        named = {"part": self.part, "colour": self.colour, "texture": self.texture}
        return frozenset(Meaning(kind, name) for kind, name in named.items() if name is not None)


@dataclass(frozen=True, slots=True)
class Rule:
    """What a planted neuron fires for. Conditions that are None ask nothing."""

    family: str
    terms: tuple[Term, ...] = ()  # fires for things of any of them
    operator: Literal["or", "and"] | None = None  # of two terms: any, or both must be in the scene
    without: Term | None = None  # with a part: none may be in the scene; without: the thing may not look so
    position: str | None = None  # where the thing's centre lies
    size: Literal["small", "large"] | None = None
    limit: int = 0  # pixels: the largest small thing, the smallest large one
    relation: Literal["above", "below", "beside"] | None = None
    other: Term | None = None  # the thing that it must touch
    decoy: Meaning | None = None  # fires most where this is too, so that the top exemplars all show it
    noise: float = 0.05  # standard deviation, where full strength is 1

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise ValueError(f"no family of rules {self.family!r}; there are {', '.join(FAMILIES)}")
        if (self.family == "dead") == bool(self.terms):
            raise ValueError("a dead neuron has no terms, any other has at least one")
        if (self.relation is None) != (self.other is None):
            raise ValueError("a relation and the other thing go together")

    def select(self, things: Things) -> np.ndarray:
        """Tell for which things the neuron fires, bool (n,)."""
        found = np.zeros(len(things.looks), dtype=bool)
        if not self._scene_allows(things):
            return found
        for term in self.terms:
            found |= term.holds(things)
        if self.without is not None and self.without.part is None:
            found &= ~self.without.holds(things)
        if self.position is not None:
            found &= _in_position(things, self.position)
        if self.size is not None:
            found &= things.pixels >= self.limit if self.size == "large" else things.pixels <= self.limit
        if self.relation is not None:
            found &= self._touching(things)
        return found

    def mask(self, things: Things) -> np.ndarray:
        """Return the pixels that the neuron fires for, bool (H, W)."""
        return self.select(things)[things.instances]

    def matches(self, things: Things) -> bool:
        """Tell whether the neuron fires for anything in the scene."""
        return bool(self.select(things).any())

    def decoyed(self, things: Things) -> np.ndarray:
        """Tell which things come with the decoy, bool (n,); none where the rule has no decoy."""
        if self.decoy is None:
            return np.zeros(len(things.looks), dtype=bool)
        kind, name = self.decoy
        if kind == "colour":
            return things.looks[:, 1] == COLOURS.index(name)
        there = things.place == PLACES.index(name) if kind == "place" else things.light == LIGHTS.index(name)
        return np.full(len(things.looks), there)

    def _scene_allows(self, things: Things) -> bool:
        if self.operator == "and" and not all(term.holds(things).any() for term in self.terms):
            return False
        forbids = self.without is not None and self.without.part is not None
        return not (forbids and self.without is not None and self.without.holds(things).any())

    def _touching(self, things: Things) -> np.ndarray:
        assert self.other is not None
        others = self.other.holds(things)
        contacts = {"above": things.above, "below": things.above.T, "beside": things.beside}[str(self.relation)]
        return (contacts & others).any(1)

    @property
    def meanings(self) -> frozenset[Meaning]:
        """Return all that a caption must affirm: looks, position, size, relation."""
        own = {"position": self.position, "size": self.size, "relation": self.relation}
        named = frozenset(Meaning(kind, name) for kind, name in own.items() if name is not None)
        terms = (*self.terms, self.other) if self.other is not None else self.terms
        return named.union(*(term.meanings for term in terms)) if terms else named

    @property
    def denied(self) -> frozenset[Meaning]:
        """Return what a caption must deny."""
        return frozenset() if self.without is None else self.without.meanings

    @property
    def composition(self) -> tuple[Meaning, ...]:
        """Return what the rule is made of, sorted: rules of one composition are never on two sides of a split."""
        return tuple(sorted(self.meanings | self.denied))

    def to_dict(self) -> dict[str, Any]:
        """Return the rule as plain values, ready for JSON; what asks nothing is left out."""
        asks = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        plain = asdict(self)
        return {name: _named(plain[name]) for name, value in asks.items() if value != _DEFAULTS.get(name)}

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Rule:
        """Read what `to_dict` gave, before or after a passage through JSON."""
        values = dict(saved)
        values["terms"] = tuple(Term(**term) for term in saved.get("terms", ()))
        for name in ("without", "other"):
            if saved.get(name) is not None:
                values[name] = Term(**saved[name])
        if saved.get("decoy") is not None:
            values["decoy"] = Meaning(*saved["decoy"])
        return cls(**values)


_DEFAULTS: Final = {entry.name: entry.default for entry in fields(Rule)}


def _named(value: Any) -> Any:
    """Return a term, or several, without the looks that it does not name; anything else as it is."""
    if isinstance(value, dict):
        return {key: entry for key, entry in value.items() if entry is not None}
    return [_named(entry) for entry in value] if isinstance(value, tuple) else value


def _in_position(things: Things, position: str) -> np.ndarray:
    y, x = things.centres.T
    return {
        "top": y < _THIRD,
        "bottom": y > 1 - _THIRD,
        "left": x < _THIRD,
        "right": x > 1 - _THIRD,
        "middle": (abs(y - 0.5) < _THIRD / 2) & (abs(x - 0.5) < _THIRD / 2),
    }[position]
