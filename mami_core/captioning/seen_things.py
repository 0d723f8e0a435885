"""What a parts encoder sees in pictures: things, each with how probably it is which part and looks how.

A thing is a connected piece of cells that the encoder gives one part and one colour. Nothing is read from a painter:
the same is done with any picture. Places are thirds of the image; small and large are the least and the most three
tenths of what a part covers about its things.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from torch import Tensor

from mami_core.scenery.lexicon import POSITION_WORDS, SIZE_WORDS
from mami_core.scenery.parts import COLOURS, PARTS, TEXTURES
from mami_core.scenery.wording import Meaning

RELATIONS: Final = ("above", "below", "beside")
POSITIONS: Final = tuple(Meaning("position", name) for name in POSITION_WORDS)
SIZES: Final = tuple(Meaning("size", name) for name in SIZE_WORDS)
_WHOLE: Final = 1.5 / 28**2  # share of a picture from which a thing counts as seen; half of it counts half
_QUANTILES: Final = (0.3, 0.7)  # of a part's patches: what is small, what is large of its kind
_SPECK: Final = 2.0  # cells: less of a part tells nothing of how large its kind is
_BORDER: Final = 0.03  # of the picture's side: how gradually a third ends
_STEP: Final = 0.2  # in natural logarithms of size: how gradually small ends


@dataclass(frozen=True)
class Vocabulary:
    """What things can be and how they can look; both have words in the lexicon."""

    parts: tuple[Meaning, ...]
    looks: tuple[Meaning, ...]


PLAIN: Final = TEXTURES.index("plain")  # the absence of a texture; nobody calls it one
SCENERY: Final = Vocabulary(
    parts=tuple(Meaning("part", name) for name in PARTS),
    looks=(
        *(Meaning("colour", name) for name in COLOURS),
        *(Meaning("texture", name) for index, name in enumerate(TEXTURES) if index != PLAIN),
    ),
)


@dataclass(frozen=True, eq=False)
class SeenThings:
    """S things in N pictures, picture by picture."""

    labels: np.ndarray  # int32 (N, h, w): which thing a cell belongs to
    part: np.ndarray  # float32 (S, P): the probability of each part, mean over the thing's cells
    look: np.ndarray  # float32 (S, L): of each look

    @cached_property
    def picture(self) -> np.ndarray:
        """Return which picture each thing is in, int64 (S,), ascending."""
        found = np.empty(len(self.part), np.int64)
        found[self.labels.ravel()] = np.repeat(np.arange(len(self.labels)), self.labels[0].size)
        return found

    @cached_property
    def starts(self) -> np.ndarray:
        """Return where each picture's things start, int64 (N,)."""
        return np.searchsorted(self.picture, np.arange(len(self.labels)))

    @cached_property
    def share(self) -> np.ndarray:
        """Return how much of its picture each thing covers, (S,)."""
        return np.bincount(self.labels.ravel(), minlength=len(self.part)) / self.labels[0].size

    @cached_property
    def seen(self) -> np.ndarray:
        """Return how surely each thing is large enough to be seen, float32 (S,) in [0, 1]."""
        return np.minimum(self.share / _WHOLE, 1).astype(np.float32)

    @cached_property
    def places(self) -> np.ndarray:
        """Return how surely each thing's centre lies at the top, middle, bottom, left, right: float32 (S, 5)."""
        height, width = self.labels.shape[1:]
        count = self.share * self.labels[0].size
        down, across = np.mgrid[:height, :width]
        flat = self.labels.reshape(len(self.labels), -1)
        y, x = (
            np.bincount(flat.ravel(), np.tile((axis.ravel() + 0.5) / size, len(flat)), len(self.part)) / count
            for axis, size in ((down, height), (across, width))
        )
        middle = _sure((1 / 6 - abs(y - 0.5)) / _BORDER) * _sure((1 / 6 - abs(x - 0.5)) / _BORDER)
        sides = {"top": 1 / 3 - y, "bottom": y - 2 / 3, "left": 1 / 3 - x, "right": x - 2 / 3}
        sure = {name: _sure(distance / _BORDER) for name, distance in sides.items()} | {"middle": middle}
        return np.stack([sure[place.name] for place in POSITIONS], 1).astype(np.float32)

    @cached_property
    def patch(self) -> np.ndarray:
        """Return which patch each thing lies in, int64 (S,): touching things that most probably are the same part."""
        first = np.unique(self.labels, return_index=True)[1]  # a cell of each thing
        return connected(self.part.argmax(1)[self.labels]).ravel()[first].astype(np.int64)

    @cached_property
    def sizes(self) -> np.ndarray:
        """Return how surely each thing is large, and small, of what it most probably is: float32 (S, 2).

        Light and shade break a thing into pieces, and a crowd has no gaps: what counts is how much its part covers,
        where it touches the thing and in the whole picture (the geometric mean of both, in cells).
        """
        kind, cells = self.part.argmax(1), self.share * self.labels[0].size
        there = np.zeros((len(self.labels), self.part.shape[1]))
        np.add.at(there, (self.picture, kind), cells)
        covered = np.sqrt(np.bincount(self.patch, cells)[self.patch] * there[self.picture, kind])  # (S,)
        counted = np.unique(self.patch, return_index=True)[1]  # a thing of each patch
        counted = counted[covered[counted] >= _SPECK]
        small, large = np.zeros(self.part.shape[1]), np.full(self.part.shape[1], np.inf)
        for part in np.unique(kind[counted]):
            small[part], large[part] = np.quantile(covered[counted[kind[counted] == part]], _QUANTILES)
        with np.errstate(divide="ignore"):
            above, below = np.log(covered / large[kind]), np.log(small[kind] / covered)
        sure = {"large": _sure(above / _STEP), "small": _sure(below / _STEP)}
        return np.stack([sure[size.name] for size in SIZES], 1).astype(np.float32)

    @cached_property
    def contacts(self) -> dict[str, np.ndarray]:
        """Return pairs of things that touch, int64 (pairs, 2), ascending: the first above, below, beside the second."""
        upper, lower = self.labels[:, :-1].ravel(), self.labels[:, 1:].ravel()
        left, right = self.labels[:, :, :-1].ravel(), self.labels[:, :, 1:].ravel()
        sides = np.concatenate([left, right]), np.concatenate([right, left])
        return {"above": self._pairs(upper, lower), "below": self._pairs(lower, upper), "beside": self._pairs(*sides)}

    def _pairs(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        count = len(self.part)
        touching = first != second
        codes = np.unique(first[touching].astype(np.int64) * count + second[touching])  # one number a pair: sorted fast
        return np.stack([codes // count, codes % count], 1)

    def in_pictures(self, values: np.ndarray) -> np.ndarray:
        """Return the largest of things' values (S, K) in each picture: (N, K)."""
        return np.maximum.reduceat(values, self.starts, axis=0)


def _sure(distance: np.ndarray) -> np.ndarray:
    """Return 0 for far outside, 1 for far inside."""
    return 1 / (1 + np.exp(-np.clip(distance, -30, 30)))


def things_in(part: Tensor, look: Tensor, *, colours: int) -> SeenThings:
    """Return the things of N pictures, from what the encoder says of their cells.

    part: probabilities of parts (N, P, h, w); look: of looks (N, L, h, w), of which the first `colours` are colours.
    """
    parts, looks = (np.ascontiguousarray(np.moveaxis(share.numpy(), 1, 3)) for share in (part, look))  # (N, h, w, ·)
    kind = parts.argmax(3) * colours + looks[..., :colours].argmax(3)  # (N, h, w)
    labels = connected(kind)
    count = int(labels.max()) + 1
    size = np.bincount(labels.ravel(), minlength=count)[:, None]
    return SeenThings(labels, _sums(parts, labels, count) / size, _sums(looks, labels, count) / size)


def connected(kind: np.ndarray) -> np.ndarray:
    """Number the connected pieces of one kind (cells that share a side) in each picture: int32 (N, h, w).

    Numbers run from picture to picture, from 0.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    cell = np.arange(kind.size).reshape(kind.shape)
    down, right = kind[:, 1:] == kind[:, :-1], kind[:, :, 1:] == kind[:, :, :-1]
    one = np.concatenate([cell[:, 1:][down], cell[:, :, 1:][right]])
    other = np.concatenate([cell[:, :-1][down], cell[:, :, :-1][right]])
    same = coo_matrix((np.ones(len(one), np.int8), (one, other)), shape=(kind.size, kind.size))
    _, piece = connected_components(same, directed=False)
    _, first = np.unique(piece, return_index=True)
    number = np.empty(len(first), np.int32)
    number[np.argsort(first)] = np.arange(len(first), dtype=np.int32)  # in the order of the cells, so of the pictures
    return number[piece].reshape(kind.shape)


def _sums(values: np.ndarray, labels: np.ndarray, count: int) -> np.ndarray:
    """Return the sum of cells' values (N, h, w, K) over each thing: float32 (count, K)."""
    from scipy.sparse import csr_matrix

    cells = labels.size
    members = csr_matrix((np.ones(cells, np.float32), (labels.ravel(), np.arange(cells))), shape=(count, cells))
    return np.asarray(members @ values.reshape(cells, -1), np.float32)


def joined(parts: Sequence[SeenThings]) -> SeenThings:
    """Return the things of several lots of pictures as one."""
    ends = np.cumsum([0, *(len(lot.part) for lot in parts)])
    labels = [lot.labels + np.int32(start) for lot, start in zip(parts, ends[:-1], strict=True)]
    return SeenThings(
        np.concatenate(labels), np.concatenate([lot.part for lot in parts]), np.concatenate([lot.look for lot in parts])
    )
