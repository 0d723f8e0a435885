"""Two halves joined: each unit shows images of its own half, and is what it was there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_images import Noise
from made_networks import tiny

from mami_core.config import DissectConfig
from mami_core.dissection import dissect
from mami_core.dissection.halves import HALVES, join_halves
from mami_core.dissection.masks import unit_masks
from mami_core.inputs import Network
from mami_core.inputs.preprocess import Preprocess
from mami_core.store import Dissection

EACH = 40
SECOND = [("conv1", 1), ("conv1", 4), ("conv2", 0), ("conv2", 6)]


class Some(Noise):
    """Images `start` to `stop` - 1 of a longer source."""

    def __init__(self, start: int, stop: int) -> None:
        super().__init__(stop, labels=[number % 3 for number in range(start, stop)])
        self.names = self.names[start:]
        self._start = start

    def load(self, index: int):
        return super().load(self._start + index)


def dissected(folder: Path, images: Noise, seed: int = 1) -> Dissection:
    module = tiny(seed=seed).eval().requires_grad_(False)
    network = Network("tiny", module, Preprocess(resize=16, crop=16), weights_sha256=f"weights-{seed}")
    config = DissectConfig("tiny", images.name, folder, layers=("conv1", "conv2"), k=4, spectrum=4, bands=2)
    return dissect(network, images, config, folder)


@pytest.fixture(scope="module")
def halves(tmp_path_factory: pytest.TempPathFactory) -> tuple[Dissection, Dissection, Dissection]:
    """The first half, the second, and both joined."""
    folder = tmp_path_factory.mktemp("halves")
    first, second = dissected(folder / "a", Some(0, EACH)), dissected(folder / "b", Some(EACH, 2 * EACH))
    return first, second, join_halves(first, second, SECOND, Some(0, 2 * EACH), folder / "whole")


def test_no_image_is_shown_by_units_of_both_halves(halves):
    whole = halves[2]
    for key in whole.unit_keys():
        shown = {exemplar.image_id for entries in whole.exemplars_of(*key).values() for exemplar in entries}
        assert all(number >= EACH for number in shown) if key in SECOND else all(number < EACH for number in shown)
    assert whole.manifest.settings[HALVES] == [[0, EACH], [EACH, 2 * EACH]]


def test_every_unit_is_what_it_was_in_its_half(halves):
    first, second, whole = halves
    for key in whole.unit_keys():
        own = second if key in SECOND else first
        assert whole.statistics(*key) == own.statistics(*key)
        for name in ("top", "random", "bottom", "band-0", "band-1"):
            ours, theirs = (side.exemplars_of(*key)[name] for side in (whole, own))
            assert [(x.rank, x.image_name, x.activation) for x in ours] == [
                (x.rank, x.image_name, x.activation) for x in theirs
            ]
            row = whole.row(*key)
            assert np.array_equal(whole.maps(key[0], name)[row], own.maps(key[0], name)[row], equal_nan=True)
        assert np.array_equal(unit_masks(whole, *key, (16, 16)), unit_masks(own, *key, (16, 16)))
        best = whole.exemplars_of(*key)["top"][0]
        assert whole.images.encoded(best.image_id) == own.images.encoded(best.image_id % EACH)


def test_peaks_and_classes_are_of_all_images(halves):
    first, second, whole = halves
    for layer in whole.layers:
        peaks = np.concatenate([first.peaks(layer), second.peaks(layer)])
        assert np.array_equal(whole.peaks(layer), peaks)
        for label in range(3):
            members = peaks[whole.image_labels == label].astype(np.float64)
            assert whole.classes(layer)[label] == pytest.approx(members.mean(0), rel=1e-6)


def test_the_whole_is_intact_and_says_what_it_is_of(halves):
    whole = halves[2]
    assert whole.verify() == []
    assert whole.manifest.images == 2 * EACH
    assert set(whole.manifest.stages.values()) == {"done"}


def test_halves_of_two_networks_are_refused(halves, tmp_path):
    other = dissected(tmp_path / "other", Some(EACH, 2 * EACH), seed=2)
    with pytest.raises(ValueError, match="not of the same network"):
        join_halves(halves[0], other, SECOND, Some(0, 2 * EACH), tmp_path / "whole")
