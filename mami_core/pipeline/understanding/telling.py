"""Captioners asked again about exemplars that were encoded once: some of them, some twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import torch

from mami_core.captioning.captioner import Captioner
from mami_core.captioning.consensus_captioner import Consensus
from mami_core.captioning.encoders import AnyEncoder
from mami_core.captioning.features import UnitFeatures, unit_features
from mami_core.pipeline.captions.caption import open_captioner
from mami_core.pipeline.captions.consensus import is_consensus, open_consensus
from mami_core.pipeline.captions.own_captioners import is_own
from mami_core.pipeline.progress import Report
from mami_core.records import join_words
from mami_core.store import Dissection, UnitKey

_AT_ONCE: Final = 32
Say = Callable[[UnitFeatures], list[str]]  # one caption a unit, in order


@dataclass(frozen=True, eq=False)
class Teller:
    """A captioner that speaks of regions, with the encoder that makes them."""

    name: str
    encoder: AnyEncoder
    say: Say

    def regions(self, dissection: Dissection, keys: Sequence[UnitKey], report: Report) -> UnitFeatures:
        """Return units' regions as this captioner reads them; ValueError for a unit that is not alive."""
        return unit_features(
            dissection, self.encoder, keys, progress=lambda done, total: report(f"{self.name}: regions", done, total)
        )


def open_teller(name: str, device: torch.device) -> Teller:
    """Return a captioner by folder or name. FileNotFoundError lists the names that are known.

    ValueError for somebody's own captioner: it looks at whole units, which cannot be shown to it in part.
    """
    if is_own(name):
        raise ValueError(f"captioner {name!r} reads no regions, so it cannot be asked about some of a unit's exemplars")
    if is_consensus(name):
        kept, encoder = open_consensus(name)
        return Teller(name, encoder, partial(say_consensus, kept.made))
    captioner, encoder = open_captioner(name, device=device)
    return Teller(captioner.name, encoder, partial(say, captioner))


def say_consensus(made: Consensus, units: UnitFeatures) -> list[str]:
    """Return what captioner `consensus` says of units."""
    said = made.captions(made.words.reader.shares(units.pooled()))
    return [join_words(text.split()) for text in said]


def say(captioner: Captioner, units: UnitFeatures) -> list[str]:
    """Return what a captioner says of units: of the whole grid, so that samples do not depend on batch mates."""
    said: list[str] = []
    for start in range(0, len(units), _AT_ONCE):
        dense = [units.dense(row) for row in range(start, min(start + _AT_ONCE, len(units)))]
        seen, weight = (torch.from_numpy(np.stack(part)) for part in zip(*dense, strict=True))  # (B, N, D), (B, N)
        said += [join_words(caption.words) for caption in captioner.caption(seen, weight, alternatives=1)]
    return said
