"""What units do on painted scenes that their exemplars do not show, and where they fire: what a caption must foretell.

The scenes are known thing by thing, so that a caption's expectation can be computed for thousands of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from mami_core.dissection.masks import unit_masks
from mami_core.evaluation.claims import SceneTable, claim_of
from mami_core.evaluation.firing import FIRING, firing_scores, mean_iou
from mami_core.scenery.images import SceneryImages
from mami_core.scenery.planted.rules import Rule
from mami_core.scenery.planted.things import Things
from mami_core.store import Dissection, UnitKey

Progress = Callable[[int, int], None]  # how much is done, of how much


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Units on scenes. Rows are the table's, `rows` those of scenes that a unit does not show."""

    table: SceneTable
    rows: Mapping[UnitKey, np.ndarray]
    peaks: Mapping[UnitKey, np.ndarray]  # at `rows`
    thresholds: Mapping[UnitKey, float]
    masks: Mapping[UnitKey, tuple[np.ndarray, Sequence[np.ndarray]]]  # rows, and where the unit fires, bool (H, W) each
    _expected: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        dissection: Dissection,
        scenes: SceneryImages,
        keys: Sequence[UnitKey],
        *,
        count: int = 1000,
        among: range | None = None,
        rules: Mapping[UnitKey, Rule] | None = None,
        progress: Progress | None = None,
    ) -> HeldOut:
        """Read what living units do on `count` scenes, evenly spaced (of those `among`), and where they fire.

        Masks are the exact ones of `rules` where there are any, on scenes that the unit does not show; else those of
        its own top exemplars, which it does. 3 ms a scene.
        """
        living = [key for key in keys if dissection.statistics(*key).state == "alive"]
        kept = dissection.peak_ids
        kept = kept if among is None else kept[np.isin(kept, among)]
        sampled = kept[np.unique(np.linspace(0, len(kept) - 1, min(count, len(kept))).astype(int))]
        shown = {key: _shown(dissection, key) for key in living}
        drawn = set() if rules else {image for ids in shown.values() for image in ids["top"]}
        images = np.array(sorted({*sampled.tolist(), *drawn}), dtype=np.int64)
        table = _table(scenes, images, progress)
        unseen = {key: _unseen(dissection, sampled, shown[key]) for key in living}
        rows = {key: np.searchsorted(images, ids) for key, ids in unseen.items()}
        peaks = {key: _peaks(dissection, key, ids) for key, ids in unseen.items()}
        thresholds = {key: dissection.statistics(*key).threshold for key in living}
        height, width = table.scenes[0].instances.shape
        masks = {
            key: _exact(table, rules[key], rows[key])
            if rules
            else _own(dissection, key, np.searchsorted(images, shown[key]["top"]), (height, width))
            for key in living
            if not rules or key in rules
        }
        return cls(table, rows, peaks, thresholds, masks)

    def scores(self, key: UnitKey, caption: str) -> dict[str, float]:
        """Return AUPRC, its lift, Pearson's correlation and pixel IoU of one caption of one unit; NaN: no meaning."""
        if key not in self.rows:
            return dict.fromkeys(FIRING, float("nan"))
        expected, things = self._expectation(caption)
        found = firing_scores(expected[self.rows[key]], self.peaks[key], self.thresholds[key])
        return {"auprc": found.auprc, "lift": found.lift, "pearson": found.pearson, "iou": self._iou(key, things)}

    def _expectation(self, caption: str) -> tuple[np.ndarray, np.ndarray]:
        """Return how strongly a caption expects each scene to excite, (N,), and the things it is about, bool (n,)."""
        if caption not in self._expected:
            claim = claim_of(caption)
            self._expected[caption] = self.table.strength(claim), self.table.covered(claim)
        return self._expected[caption]

    def _iou(self, key: UnitKey, things: np.ndarray) -> float:
        if key not in self.masks:
            return float("nan")
        rows, true = self.masks[key]
        return mean_iou([self.table.mask(things, int(row)) for row in rows], true)


def _table(scenes: SceneryImages, images: np.ndarray, progress: Progress | None) -> SceneTable:
    found = []
    for done, image in enumerate(images.tolist()):
        found.append(Things.of(scenes.scene(image)))
        if progress is not None:
            progress(done + 1, len(images))
    return SceneTable(tuple(found))


def _shown(dissection: Dissection, key: UnitKey) -> dict[str, list[int]]:
    """Return the images of a unit's exemplars, by set."""
    return {name: [entry.image_id for entry in entries] for name, entries in dissection.exemplars_of(*key).items()}


def _unseen(dissection: Dissection, sampled: np.ndarray, shown: Mapping[str, Sequence[int]]) -> np.ndarray:
    """Return the sampled images that a unit does not show; of a stream in halves, those of the other half."""
    seen = np.array([image for ids in shown.values() for image in ids])
    for low, high in dissection.manifest.settings.get("halves", ()):
        if not ((seen >= low) & (seen < high)).any():
            return sampled[(sampled >= low) & (sampled < high)]
    return sampled[~np.isin(sampled, seen)]


def _own(
    dissection: Dissection, key: UnitKey, rows: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, Sequence[np.ndarray]]:
    return rows, list(unit_masks(dissection, *key, size)[: len(rows)])  # a short stream fills not every place


def _peaks(dissection: Dissection, key: UnitKey, images: np.ndarray) -> np.ndarray:
    rows = np.searchsorted(dissection.peak_ids, images)
    return np.asarray(dissection.peaks(key[0])[rows, dissection.row(*key)], dtype=np.float64)


_MASKED: Final = 5  # exact masks are compared on every fifth scene


def _exact(table: SceneTable, rule: Rule, rows: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    few = rows[::_MASKED]
    return few, [rule.mask(table.scenes[row]) for row in few]
