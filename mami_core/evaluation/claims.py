"""What a caption claims: for which things of which scenes its unit fires. Read by the fixed grammar, nothing guessed.

Looks and sizes belong to the next part that is named; those after the last part belong to all that have none of their
kind. What follows a relation is the thing touched. A caption whose parts are joined by "and" claims that a unit fires
more the more of them a scene holds; any other claims each of them alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

import numpy as np

from mami_core.scenery.parts import COLOURS, PARTS, TEXTURES
from mami_core.scenery.planted.rules import Rule
from mami_core.scenery.planted.things import Things
from mami_core.scenery.reading import CaptionMeaning, read_caption
from mami_core.scenery.wording import Meaning

_LOOKS: Final = {"colour": COLOURS, "texture": TEXTURES}
_SMALL, _LARGE = 0.3, 0.7  # quantiles of a part's sizes: what people call small or large of its kind
_THIRD: Final = 1 / 3


@dataclass(frozen=True)
class Kind:
    """A kind of thing. Empty: of any part, colour, texture or size."""

    part: str | None = None
    colours: frozenset[str] = frozenset()
    textures: frozenset[str] = frozenset()
    size: str | None = None

    @property
    def says_something(self) -> bool:
        """Tell whether the kind is narrower than everything."""
        return self != Kind()


@dataclass(frozen=True)
class Claim:
    """What a caption claims. Without a kind it claims nothing, and fits nowhere."""

    kinds: tuple[Kind, ...]
    joined: bool = False  # by "and": all must be there
    positions: tuple[str, ...] = ()
    relation: str | None = None
    others: tuple[Kind, ...] = ()
    absent: tuple[str, ...] = ()  # parts that may not be in the scene
    unlike: Kind = field(default_factory=Kind)  # looks that the thing may not have


def claim_of(caption: str) -> Claim:
    """Return what a caption claims."""
    said = read_caption(caption)
    before, relation, after = _at_relation(said.meanings)
    kinds, others = _kinds(before), _kinds(after) if relation else ()
    return Claim(
        kinds=kinds,
        joined=said.operator == "and" and len([kind for kind in kinds if kind.part]) > 1,
        positions=said.positions,
        relation=relation if others else None,
        others=others,
        absent=tuple(meaning.name for meaning in said.negated if meaning.category == "part"),
        unlike=_denied_looks(said),
    )


def _at_relation(meanings: Sequence[Meaning]) -> tuple[Sequence[Meaning], str | None, Sequence[Meaning]]:
    for place, meaning in enumerate(meanings):
        if meaning.category == "relation" and meaning.name in ("above", "below", "beside"):
            return meanings[:place], meaning.name, meanings[place + 1 :]
    return meanings, None, ()


def _kinds(meanings: Iterable[Meaning]) -> tuple[Kind, ...]:
    found: list[Kind] = []
    waiting = Kind()
    for meaning in meanings:
        if meaning.category == "part":
            found.append(replace(waiting, part=meaning.name))
            waiting = Kind()
        elif meaning.category == "colour":
            waiting = replace(waiting, colours=waiting.colours | {meaning.name})
        elif meaning.category == "texture":
            waiting = replace(waiting, textures=waiting.textures | {meaning.name})
        elif meaning.category == "size":
            waiting = replace(waiting, size=meaning.name)
    if not found:
        return (waiting,) if waiting.says_something else ()
    return tuple(
        replace(
            kind,
            colours=kind.colours or waiting.colours,
            textures=kind.textures or waiting.textures,
            size=kind.size or waiting.size,
        )
        for kind in found
    )


def _denied_looks(said: CaptionMeaning) -> Kind:
    names = {kind: frozenset(m.name for m in said.negated if m.category == kind) for kind in _LOOKS}
    return Kind(colours=names["colour"], textures=names["texture"])


@dataclass(frozen=True, eq=False)
class SceneTable:
    """All things of N scenes in one table, n rows: claims about thousands of scenes are a few array operations."""

    scenes: tuple[Things, ...]

    @cached_property
    def scene(self) -> np.ndarray:
        """Return the scene of each thing, (n,)."""
        return np.repeat(np.arange(len(self.scenes)), [len(things.looks) for things in self.scenes])

    @cached_property
    def starts(self) -> np.ndarray:
        """Return where each scene's things start, (N,)."""
        return np.cumsum([0, *(len(things.looks) for things in self.scenes)])[:-1]

    @cached_property
    def looks(self) -> np.ndarray:
        """Return part, colour and texture, (n, 3)."""
        return np.concatenate([things.looks for things in self.scenes])

    @cached_property
    def pixels(self) -> np.ndarray:
        """Return how many pixels are visible, (n,)."""
        return np.concatenate([things.pixels for things in self.scenes])

    @cached_property
    def seen(self) -> np.ndarray:
        """Tell which are large enough to be seen, bool (n,)."""
        return np.concatenate([things.seen for things in self.scenes])

    @cached_property
    def centres(self) -> np.ndarray:
        """Return (y, x) as fractions of the image, (n, 2)."""
        return np.concatenate([things.centres for things in self.scenes])

    @cached_property
    def size_limits(self) -> np.ndarray:
        """Return, per part, the pixels below which a thing is small and above which it is large, (parts, 2)."""
        limits = np.zeros((len(PARTS), 2))
        for part in range(len(PARTS)):
            own = self.pixels[self.seen & (self.looks[:, 0] == part)]
            if len(own):
                limits[part] = np.quantile(own, (_SMALL, _LARGE))
        return limits

    @cached_property
    def contacts(self) -> dict[str, np.ndarray]:
        """Return pairs of things that touch, (pairs, 2): the first above, below or beside the second."""
        above = self._pairs([things.above for things in self.scenes])
        beside = self._pairs([things.beside for things in self.scenes])
        return {"above": above, "below": above[:, ::-1], "beside": beside}

    def _pairs(self, touching: Sequence[np.ndarray]) -> np.ndarray:
        return np.concatenate([np.argwhere(held) + start for held, start in zip(touching, self.starts, strict=True)])

    def of_kind(self, kind: Kind) -> np.ndarray:
        """Tell which things are of a kind, bool (n,)."""
        found = self.seen.copy()
        if kind.part is not None:
            found &= self.looks[:, 0] == PARTS.index(kind.part)
        for column, names in ((1, kind.colours), (2, kind.textures)):
            if names:
                known = COLOURS if column == 1 else TEXTURES
                found &= np.isin(self.looks[:, column], [known.index(name) for name in names])
        if kind.size is not None:
            small, large = self.size_limits[self.looks[:, 0]].T
            found &= self.pixels <= small if kind.size == "small" else self.pixels >= large
        return found

    def selected(self, claim: Claim) -> np.ndarray:
        """Tell which things a claim is about, bool (n,), whether or not all that is joined is there."""
        found = np.zeros(len(self.scene), dtype=bool)
        for kind in claim.kinds:
            found |= self.of_kind(kind)
        if claim.positions:
            found &= np.any([_in_position(self.centres, name) for name in claim.positions], axis=0)
        if claim.unlike.says_something:
            for looks in (Kind(colours=claim.unlike.colours), Kind(textures=claim.unlike.textures)):
                found &= ~self.of_kind(looks) if looks.says_something else True
        if claim.relation is not None:
            found &= self._touching(claim)
        for part in claim.absent:
            found &= ~self._there(self.of_kind(Kind(part)))[self.scene]
        return found

    def _touching(self, claim: Claim) -> np.ndarray:
        others = np.any([self.of_kind(kind) for kind in claim.others], axis=0)
        pairs = self.contacts[str(claim.relation)]
        found = np.zeros(len(self.scene), dtype=bool)
        found[pairs[others[pairs[:, 1]], 0]] = True
        return found

    def _there(self, things: np.ndarray) -> np.ndarray:
        """Tell which scenes hold any of some things, bool (N,)."""
        return np.bincount(self.scene[things], minlength=len(self.scenes)) > 0

    def strength(self, claim: Claim) -> np.ndarray:
        """Return how strongly a claim expects its unit to fire in each scene, (N,).

        The pixels it is about; where it joins kinds by "and", times the square of the share of them that is there.
        """
        about = self.selected(claim)
        amount = np.bincount(self.scene[about], weights=self.pixels[about], minlength=len(self.scenes))
        return amount * self._share_there(claim) ** 2 if claim.joined else amount.astype(np.float64)

    def _share_there(self, claim: Claim) -> np.ndarray:
        return np.mean([self._there(self.of_kind(kind)) for kind in claim.kinds], axis=0)

    def masks(self, claim: Claim) -> list[np.ndarray]:
        """Return where a claim says that its unit fires, bool (H, W) for each scene; joined kinds must all be there."""
        about = self.covered(claim)
        return [self.mask(about, row) for row in range(len(self.scenes))]

    def covered(self, claim: Claim) -> np.ndarray:
        """Tell on which things a claim says that its unit fires, bool (n,); joined kinds must all be there."""
        about = self.selected(claim)
        return about & (self._share_there(claim) == 1)[self.scene] if claim.joined else about

    def mask(self, about: np.ndarray, row: int) -> np.ndarray:
        """Return the pixels of some things, bool (n,), in one scene, bool (H, W)."""
        things = self.scenes[row]
        start = self.starts[row]
        return about[start : start + len(things.looks)][things.instances]


def _in_position(centres: np.ndarray, position: str) -> np.ndarray:
    y, x = centres.T
    return {
        "top": y < _THIRD,
        "bottom": y > 1 - _THIRD,
        "left": x < _THIRD,
        "right": x > 1 - _THIRD,
        "middle": (abs(y - 0.5) < _THIRD / 2) & (abs(x - 0.5) < _THIRD / 2),
    }[position]


RULED: Final = frozenset({"part", "colour", "texture", "position", "size", "relation"})


def rule_f1(caption: str, rule: Rule) -> float:
    """Return F1 of what a caption affirms and denies against a rule's; 0 for one that claims nothing."""
    said = read_caption(caption)
    claimed = {(True, meaning) for meaning in said.meanings if meaning.category in RULED}
    claimed |= {(False, meaning) for meaning in said.negated if meaning.category in RULED}
    wanted = {(True, meaning) for meaning in rule.meanings} | {(False, meaning) for meaning in rule.denied}
    return 2 * len(claimed & wanted) / (len(claimed) + len(wanted))
