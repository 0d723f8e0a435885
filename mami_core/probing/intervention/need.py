"""Which painted places need a part: what the painter puts there and hardly anywhere else.

The painter's places are programs, so what it puts where is read off what it paints: of `SAMPLED` scenes of each place,
in a stream that nothing else uses, the share in which the part covers at least `SEEN` of the picture, by the exact
part map. A place needs a part that is in most of its scenes and in few scenes of other places.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from mami_core.evaluation.intervals import LEVEL, Interval
from mami_core.scenery.parts import PARTS, PLACES
from mami_core.scenery.reading import read_caption
from mami_core.scenery.world import paint, scene_seed
from mami_core.store import UnitKey

SAMPLED: Final = 24  # scenes of each place
SEEN: Final = 0.01  # of the picture
MOST: Final = 0.75  # of a place's scenes
FEW: Final = 0.25  # of the scenes of all places
_STREAM: Final = 90
_DRAWS: Final = 2000


@lru_cache(maxsize=1)
def part_rates() -> np.ndarray:
    """Return how often the painter shows each part in each place, float64 (places, parts) in [0, 1]; about 4 s."""
    seen = np.zeros((len(PLACES), len(PARTS)))
    for number, place in enumerate(PLACES):
        for index in range(SAMPLED):
            parts = paint(scene_seed(_STREAM, number * SAMPLED + index), place=place).part_map()
            seen[number] += np.bincount(parts.ravel(), minlength=len(PARTS)) >= SEEN * parts.size
    return seen / SAMPLED


def needing_places(part: str) -> tuple[str, ...]:
    """Return the places that need a part: in at least `MOST` of their scenes, in at most `FEW` of all; often none."""
    rates = part_rates()[:, PARTS.index(part)]
    if rates.mean() > FEW:
        return ()
    return tuple(place for place, rate in zip(PLACES, rates, strict=True) if rate >= MOST)


def units_by_part(captions: Mapping[UnitKey, str | None]) -> dict[str, list[UnitKey]]:
    """Return the units whose caption names each part, most named part first, as the painted world's grammar reads."""
    named: dict[str, list[UnitKey]] = {}
    for key, text in captions.items():
        for part in read_caption(text).parts if text else ():
            named.setdefault(part, []).append(key)
    return dict(sorted(named.items(), key=lambda entry: -len(entry[1])))


@dataclass(frozen=True)
class NeedOfPart:
    """What silencing the units that name a part costs scenes that need the part, and all others."""

    part: str
    places: tuple[str, ...]  # that need it
    silenced: int
    needing: float  # drop of accuracy, mean over scenes
    others: float
    more: Interval  # needing less others, scenes of either group resampled


def need_of_part(
    part: str,
    units: Sequence[UnitKey],
    places: np.ndarray,
    whole: np.ndarray,
    silence: Callable[[Sequence[UnitKey]], np.ndarray],
    *,
    seed: int = 0,
) -> NeedOfPart | None:
    """Silence the units that name a part and compare drops; None where no scene, or every scene, needs the part.

    places (N,): names of the scenes' places; whole (N,): what the network gets right; `silence(units)` gives the same
    with units silenced.
    """
    needed_by = needing_places(part)
    needing = np.isin(places, needed_by)
    if not needing.any() or needing.all():
        return None
    drop = whole.astype(np.float64) - silence(units)
    return NeedOfPart(
        part,
        needed_by,
        len(units),
        float(drop[needing].mean()),
        float(drop[~needing].mean()),
        difference_of_means(drop[needing], drop[~needing], seed),
    )


def difference_of_means(first: np.ndarray, second: np.ndarray, seed: int) -> Interval:
    """Return mean(first) - mean(second), two groups resampled each on its own, with its 95 % interval."""
    rng = np.random.default_rng(seed)
    drawn = [values[rng.integers(len(values), size=(_DRAWS, len(values)))].mean(axis=1) for values in (first, second)]
    low, high = np.quantile(drawn[0] - drawn[1], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(first.mean() - second.mean()), float(low), float(high), len(first) + len(second))
