"""Audit (Hernandez et al. 2022, section 6): how many units of two networks name a concept, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from mami_core.evaluation.intervals import LEVEL
from mami_core.probing.intervention.naming import ALIKE, scores_of
from mami_core.probing.search import Mode
from mami_core.probing.words import caption_texts
from mami_core.store import Dissection, UnitKey

_DRAWS: Final = 2000


@dataclass(frozen=True)
class Share:
    """How many of some units name a concept; the interval is of the share, units resampled."""

    naming: int
    units: int
    share: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Naming:
    """Which units of a dissection name a concept, by one captioner."""

    dissection: str
    captioner: str
    layers: dict[str, Share]
    all: Share
    found: tuple[tuple[UnitKey, str, float], ...]  # unit, caption, score; best first, else in the dissection's order
    said: np.ndarray  # (U,) bool: which of the captioned units name it


def naming(dissection: Dissection, captioner: str, concept: str, mode: Mode = "text", *, seed: int = 0) -> Naming:
    """Count the captioned units that name a concept. KeyError names the captioners there are."""
    texts = caption_texts(dissection, captioner)
    keys = dissection.unit_keys()
    scores = scores_of(texts, concept, mode)
    fits = scores >= (ALIKE if mode == "meaning" else 1)
    spoken = np.array([text is not None for text in texts])
    of_layer = np.array([layer for layer, _ in keys])
    order = [place for place in np.argsort(-scores, kind="stable") if fits[place]]
    return Naming(
        dissection.name,
        captioner,
        {layer: share_of(fits[spoken & (of_layer == layer)], seed) for layer in dissection.layers},
        share_of(fits[spoken], seed),
        tuple((keys[place], str(texts[place]), float(scores[place])) for place in order),
        fits[spoken],
    )


def share_of(said: np.ndarray, seed: int = 0) -> Share:
    """Return the share of True in said (U,) bool with its 95 % interval; NaN where there is no unit."""
    if not len(said):
        return Share(0, 0, float("nan"), float("nan"), float("nan"))
    low, high = np.quantile(_drawn(said, np.random.default_rng(seed)), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Share(int(said.sum()), len(said), float(said.mean()), float(low), float(high))


def share_difference(first: np.ndarray, second: np.ndarray, seed: int = 0) -> dict[str, float]:
    """Return the share of first less that of second, units of either resampled on their own, with its interval."""
    if not len(first) or not len(second):
        raise ValueError("a difference of shares needs captioned units on both sides")
    rng = np.random.default_rng(seed)
    low, high = np.quantile(_drawn(first, rng) - _drawn(second, rng), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return {"value": float(first.mean() - second.mean()), "low": float(low), "high": float(high)}


def _drawn(said: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the share in each of many resamples (draws,): a sum of draws of True and False is binomial."""
    return rng.binomial(len(said), said.mean(), size=_DRAWS) / len(said)


def audit(
    first: Dissection, second: Dissection, concept: str, mode: Mode = "text", *, captioners: Sequence[str] = ()
) -> dict[str, Any]:
    """Return, by captioner of both (or those named), how many units of each dissection name a concept.

    ValueError where no captioner spoke of both.
    """
    shared = [name for name in first.captioners if name in second.captioners]
    missing = [name for name in captioners if name not in shared]
    if missing or not shared:
        who = repr(missing[0]) if missing else "no captioner"
        raise ValueError(
            f"{who} captioned both {first.name} ({', '.join(first.captioners) or 'nobody'}) and {second.name} "
            f"({', '.join(second.captioners) or 'nobody'}); run `mami caption` with the same captioner on both"
        )
    return {name: _side_by_side(first, second, name, concept, mode) for name in captioners or shared}


def _side_by_side(first: Dissection, second: Dissection, captioner: str, concept: str, mode: Mode) -> dict[str, Any]:
    one, other = (naming(each, captioner, concept, mode) for each in (first, second))
    return {
        "first": _plain(one),
        "second": _plain(other),
        "difference": share_difference(one.said, other.said),
    }


def _plain(found: Naming) -> dict[str, Any]:
    units = [{"layer": key[0], "unit": key[1], "caption": text, "score": score} for key, text, score in found.found]
    layers = {layer: asdict(share) for layer, share in found.layers.items()}
    return {"dissection": found.dissection, "all": asdict(found.all), "layers": layers, "units": units}
