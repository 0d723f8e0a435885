"""Counter-examples against looking at every image; painted scenes against their own part maps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from probed_dissection import probed

from mami_core.probing.counterexamples import LEAST_SHOWN, counter_examples
from mami_core.probing.pictures import picture, scenery_of
from mami_core.scenery.images import SceneryImages
from mami_core.scenery.parts import PARTS
from mami_core.store import Dissection

COUNT = 24
SCENES = SceneryImages(COUNT, 3)


@pytest.fixture(scope="module")
def shown() -> np.ndarray:
    """Which parts each scene shows, from its part map: (images, parts) bool."""
    maps = [SCENES.scene(index).part_map() for index in range(COUNT)]
    return np.stack([np.bincount(m.ravel(), minlength=len(PARTS)) / m.size >= LEAST_SHOWN for m in maps])


@pytest.fixture(scope="module")
def common(shown: np.ndarray) -> list[str]:
    """Parts that about half of the scenes show, so that every answer has examples."""
    return [PARTS[part] for part in np.argsort(np.abs(shown.mean(axis=0) - 0.5))[:3]]


@pytest.fixture(scope="module")
def dissection(tmp_path_factory: pytest.TempPathFactory) -> Dissection:
    peaks = np.random.default_rng(6).random((COUNT, 2)).astype(np.float16)
    folder = tmp_path_factory.mktemp("counter") / "scenes"
    return probed(folder, {"l": peaks}, dataset=SCENES.name, image_ids=SCENES.fingerprint())


def truth(dissection: Dissection, fits: np.ndarray, none: np.ndarray) -> tuple[list[int], list[int]]:
    peaks = np.asarray(dissection.peaks("l")[:, 0], dtype=np.float32)
    fires = peaks > dissection.statistics("l", 0).threshold
    order = np.argsort(peaks, kind="stable")
    return [int(i) for i in order if fits[i] and not fires[i]], [int(i) for i in order[::-1] if none[i] and fires[i]]


@pytest.mark.parametrize("joined", ["{0}", "{0} and {1}", "{0} or {1}", "{0}, no {1}"])
def test_painted_scenes_are_judged_by_what_is_painted(dissection, shown, common, joined: str) -> None:
    has, also = (shown[:, PARTS.index(name)] for name in common[:2])
    fits = {"{0}": has, "{0} and {1}": has & also, "{0} or {1}": has | also, "{0}, no {1}": has & ~also}[joined]
    none = {"{0}": ~has, "{0}, no {1}": ~has}.get(joined, ~has & ~also)

    found = counter_examples(dissection, "l", 0, joined.format(*common), count=COUNT)

    silent, fires = truth(dissection, fits, none)
    assert [entry.image_id for entry in found.silent] == silent
    assert [entry.image_id for entry in found.fires] == fires
    assert silent
    assert found.exact
    assert found.looked_at == found.known == COUNT


def test_looking_stops_at_the_count_and_at_the_limit(dissection, common) -> None:
    few = counter_examples(dissection, "l", 0, common[0], count=2)
    every = counter_examples(dissection, "l", 0, common[0], count=COUNT)

    assert few.silent == every.silent[:2]
    assert few.fires == every.fires[:2]
    assert few.looked_at < COUNT
    assert counter_examples(dissection, "l", 0, common[0], count=COUNT, limit=3).looked_at == 6


def test_percentiles_are_of_the_units_own_peaks(dissection, common) -> None:
    peaks = np.asarray(dissection.peaks("l")[:, 0], dtype=np.float32)

    for entry in counter_examples(dissection, "l", 0, common[0], count=COUNT).silent:
        own = peaks[entry.image_id]
        assert entry.percentile == pytest.approx(100 * ((peaks < own).mean() + (peaks == own).mean() / 2))


def test_a_caption_that_names_nothing_has_no_counter_examples(dissection) -> None:
    found = counter_examples(dissection, "l", 0, "many different things")

    assert not found
    assert found.named == ()


def test_scenes_of_another_painter_are_refused(tmp_path: Path) -> None:
    other = probed(tmp_path / "old", {"l": np.ones((COUNT, 1))}, dataset=SCENES.name, image_ids="3" * 64)

    with pytest.raises(ValueError, match="another version of the painter"):
        scenery_of(other)


def test_images_of_classes_are_judged_by_their_words_and_say_so(tmp_path: Path) -> None:
    peaks = np.array([[1], [2], [3], [4], [5], [6]], dtype=np.float16)
    classes = ("tabby_cat", "sea", "dogs")
    made = probed(tmp_path / "c", {"l": peaks}, labels=[2, 0, 1, 0, 2, 1], class_names=classes)

    found = counter_examples(made, "l", 0, "the heads of dogs")

    assert not found.exact
    assert found.judged_by == "words of classes and names"
    assert [entry.image_id for entry in found.silent] == [0]
    assert [entry.image_id for entry in found.fires] == [5, 3]
    assert found.silent[0].shows == ("dog",)


def test_a_files_name_may_speak_for_a_caption_and_never_against_it(tmp_path: Path) -> None:
    peaks = np.array([[1], [2], [3], [4]], dtype=np.float16)
    names = ["cat_1.png", "0002.png", "0003.png", "0004.png"]
    made = probed(tmp_path / "n", {"l": peaks}, names=names, k=4)

    found = counter_examples(made, "l", 0, "cats")

    assert [entry.image_id for entry in found.silent] == [0]
    assert found.fires == ()


def test_a_picture_is_the_stored_one_or_painted_again(dissection) -> None:
    stored = dissection.images.ids()
    missing = next(index for index in range(COUNT) if index not in stored)

    assert picture(dissection, stored[0]).size == (8, 8)
    assert np.array_equal(np.asarray(picture(dissection, missing)), SCENES.scene(missing).image)
    with pytest.raises(KeyError, match="source is not at hand"):
        picture(dissection, COUNT + 5)
