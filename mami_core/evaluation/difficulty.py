"""How hard described units are: a benchmark of pure units, or of annotators who are always right, proves little.

The limits are those of the feasibility study that the benchmark follows: a layer's mean share of the top part at most
.45, a quarter of the units below .30, annotators who name it in .74 to .84 of the units, 800 different words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from mami_core.evaluation.truth import IMPURE, score_caption
from mami_core.records import Reference
from mami_core.scenery.content import UnitContent
from mami_core.scenery.reading import words_in

NeuronKey: TypeAlias = tuple[str, str, int]  # dissection, layer, unit

HIGHEST_SHARE: Final = 0.45
LEAST_IMPURE: Final = 0.25
ANNOTATORS: Final = (0.74, 0.84)
LEAST_WORDS: Final = 800


@dataclass(frozen=True)
class Difficulty:
    """Figures of a set of units with references."""

    shares: Mapping[str, float]  # mean share of the top part in the masks, by source and layer
    impure: float  # share of units whose top part holds less than .30
    annotators: Mapping[str, float]  # share of units whose top part is named, by set of references
    vocabulary: int

    def complaints(self) -> list[str]:
        """Return what is easier, or stranger, than the limits allow, a sentence each."""
        found = [
            f"{layer}: the top part holds {share:.2f} of the masks, more than {HIGHEST_SHARE}"
            for layer, share in self.shares.items()
            if share > HIGHEST_SHARE
        ]
        if self.impure < LEAST_IMPURE:
            found.append(f"{self.impure:.2f} of the units are impure, fewer than {LEAST_IMPURE}")
        low, high = ANNOTATORS
        found += [
            f"annotators, {kind}: the top part of {named:.3f} of the units is named, not {low} to {high}"
            for kind, named in self.annotators.items()
            if not low <= round(named, 2) <= high
        ]
        if self.vocabulary < LEAST_WORDS:
            found.append(f"the references have {self.vocabulary} different words, fewer than {LEAST_WORDS}")
        return found


def difficulty(
    contents: Mapping[NeuronKey, UnitContent],
    references: Mapping[NeuronKey, Sequence[Reference]],
    sources: Mapping[str, str],
) -> Difficulty:
    """Return how hard units are, from what their masks hold and what annotators say of them.

    `sources` says by dissection which layers are counted together: those of all trainings of a source.
    """
    layers: dict[str, list[float]] = {}
    for (dissection, layer, _), content in contents.items():
        layers.setdefault(f"{sources[dissection]}/{layer}", []).append(content.purity)
    named: dict[str, list[float]] = {}
    words: set[str] = set()
    for key, given in references.items():
        for reference in given:
            named.setdefault(reference.set, []).append(score_caption(reference.text, contents[key])["names_top"])
            words.update(words_in(reference.text))
    return Difficulty(
        shares={layer: float(np.mean(purities)) for layer, purities in layers.items()},
        impure=float(np.mean([content.purity < IMPURE for content in contents.values()])),
        annotators={kind: float(np.mean(hits)) for kind, hits in named.items()},
        vocabulary=len(words),
    )
