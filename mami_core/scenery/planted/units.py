"""Planted neurons as a network: a dissection reads their activations like any other's, exemplars, peaks and all.

The activation map of a rule is the share of each cell that its things cover, times a strength that varies from thing to
thing as in real units, plus noise. The mask at half of full strength is the rule's own, to the precision of a cell.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Final

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from mami_core.inputs.source import sha256_of_names
from mami_core.scenery.images import SceneryImages
from mami_core.scenery.parts import PLACES
from mami_core.scenery.planted.rules import Rule
from mami_core.scenery.planted.things import Things

CELLS: Final = 28  # of a map, across
THRESHOLD: Final = 0.5  # of full strength: known by construction, not a quantile
_NOISE_CELLS: Final = 7  # noise comes in blobs of 4 x 4 cells, as fine noise would vanish when maps are upsampled
_STRENGTH: Final = (0.75, 1.0)
_WITH_DECOY: Final = (0.85, 1.0)  # so that the strongest exemplars all show the decoy…
_WITHOUT_DECOY: Final = (0.58, 0.72)  # …though the neuron fires without it as well

Rules = Mapping[str, Sequence[Rule]]  # by family, which is the layer


class PlantedScenes:
    """What planted neurons do on painted scenes, an `inputs.FeedsNetwork`: one input is all units' maps."""

    simulated = True
    class_names = PLACES

    def __init__(self, scenes: SceneryImages, rules: Rules, seed: int) -> None:
        self.scenes, self.seed = scenes, seed
        self._rules = [rule for family in rules.values() for rule in family]
        self._noise = np.array([rule.noise for rule in self._rules], np.float32)

    def __len__(self) -> int:
        return len(self.scenes)

    @property
    def name(self) -> str:
        """What lists call this source: its scenes."""
        return self.scenes.name

    @property
    def names(self) -> Sequence[str]:
        """One name per scene."""
        return self.scenes.names

    @property
    def labels(self) -> Sequence[int]:
        """One place per scene, index into PLACES."""
        return self.scenes.labels

    def load(self, index: int) -> Image.Image:
        """Paint a scene."""
        return self.scenes.load(index)

    def fingerprint(self) -> str:
        """Give a sha256 over all names."""
        return sha256_of_names(self.names)

    def inputs(self, index: int) -> Tensor:
        """Return every unit's activation map of a scene, float32 (units, 28, 28), never negative."""
        things = Things.of(self.scenes.scene(index))
        rng = np.random.default_rng([self.seed, self.scenes.seed, self.scenes.start + index])
        strength = self._strengths(things, rng)  # (units, n)
        maps = strength @ things.coverage(CELLS).T  # (units, cells²)
        coarse = rng.standard_normal((len(self._rules), _NOISE_CELLS, _NOISE_CELLS), dtype=np.float32)
        noise = coarse.repeat(CELLS // _NOISE_CELLS, 1).repeat(CELLS // _NOISE_CELLS, 2)  # (units, 28, 28)
        maps = maps.reshape(noise.shape) + noise * self._noise[:, None, None]
        return torch.from_numpy(np.maximum(maps, 0.0))

    def _strengths(self, things: Things, rng: np.random.Generator) -> np.ndarray:
        draws = rng.random((len(self._rules), len(things.looks)), dtype=np.float32)
        found = np.zeros_like(draws)
        for row, rule in enumerate(self._rules):
            selected = rule.select(things)
            if selected.any():
                found[row] = selected * _strength(rule, things, draws[row])
        return found


def _strength(rule: Rule, things: Things, draws: np.ndarray) -> np.ndarray:
    def between(low: float, high: float) -> np.ndarray:
        return low + (high - low) * draws

    if rule.decoy is None:
        return between(*_STRENGTH)
    return np.where(rule.decoyed(things), between(*_WITH_DECOY), between(*_WITHOUT_DECOY))


class PlantedNetwork(nn.Module):
    """Hand the units' maps on, a layer a family."""

    def __init__(self, rules: Rules) -> None:
        super().__init__()
        ends = accumulate(map(len, rules.values()), initial=0)
        for family, (start, end) in zip(rules, pairwise(ends), strict=True):
            self.add_module(family, _Slice(start, end))

    def forward(self, maps: Tensor) -> Tensor:
        """Return the maps (B, units, 28, 28) as they are; on the way every family gives its own."""
        for family in self.children():
            family(maps)
        return maps


class _Slice(nn.Module):
    def __init__(self, start: int, end: int) -> None:
        super().__init__()
        self.start, self.end = start, end

    def forward(self, maps: Tensor) -> Tensor:
        return maps[:, self.start : self.end]


def rules_sha256(rules: Rules) -> str:
    """Return what stands for weights where there are none: the SHA-256 of the rules."""
    plain = {family: [rule.to_dict() for rule in members] for family, members in rules.items()}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
