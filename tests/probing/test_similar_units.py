"""Each measure's best n against scoring every pair one by one."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from probed_dissection import probed

from mami_core.captioning.pooled import unit_vectors
from mami_core.probing import profiles
from mami_core.probing.profiles import Profiles, correlations, shared_rows
from mami_core.probing.similarity import CaptionIndex, ExemplarIndex, FeatureIndex, best, similar_by_activation
from mami_core.store import Dissection, DissectionWriter

IMAGES = 40


def random_peaks(seed: int, images: int = IMAGES) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    base = rng.normal(size=(images, 3))
    return {
        name: (base @ rng.normal(size=(3, units)) + rng.normal(size=(images, units)) + 5).astype(np.float16)
        for name, units in (("a", 12), ("b", 9))
    }


@pytest.fixture(scope="module")
def dissection(tmp_path_factory: pytest.TempPathFactory) -> Dissection:
    peaks = random_peaks(1)
    peaks["a"][:, 4] = 0  # dead
    peaks["b"][7, 2] = np.nan  # not finite on one image that could be read
    for values in peaks.values():
        values[11] = np.nan  # an image that could not be read
    said = {("a", unit): f"{'red' if unit % 2 else 'blue'} thing number{unit // 4}" for unit in range(12) if unit != 4}
    return probed(tmp_path_factory.mktemp("similar") / "one", peaks, captions={"milan": said})


def pearson(first: np.ndarray, second: np.ndarray) -> float:
    known = np.isfinite(first) & np.isfinite(second)
    return float(np.corrcoef(first[known].astype(np.float64), second[known].astype(np.float64))[0, 1])


@given(scores=npst.arrays(np.float64, st.integers(0, 30), elements=st.sampled_from([0.0, 0.5, 1.0, -2.0, np.nan])),
       count=st.integers(0, 12))  # fmt: skip
def test_the_best_are_those_of_a_full_stable_sort(scores: np.ndarray, count: int) -> None:
    ranked = sorted((place for place in range(len(scores)) if np.isfinite(scores[place])), key=lambda at: -scores[at])

    assert best(scores, count).tolist() == ranked[:count]


@pytest.mark.parametrize("count", [1, 5, 100])
@pytest.mark.parametrize("layers", [None, ["a"], ["b"]], ids=str)
def test_units_of_like_activation_are_those_of_brute_force(dissection: Dissection, count: int, layers) -> None:
    own = np.asarray(dissection.peaks("a")[:, 3])
    scores = {
        key: pearson(own, np.asarray(dissection.peaks(key[0])[:, key[1]]))
        for key in dissection.unit_keys()
        if key not in [("a", 3), ("a", 4), ("b", 2)] and (layers is None or key[0] in layers)
    }
    expected = sorted(scores, key=lambda key: -scores[key])[:count]

    found = similar_by_activation(dissection, "a", 3, layers=layers, count=count)

    assert [(entry.layer, entry.unit) for entry in found] == expected
    assert [entry.score for entry in found] == pytest.approx([scores[key] for key in expected], abs=1e-5)


def test_a_dead_unit_is_like_nothing(dissection: Dissection) -> None:
    assert similar_by_activation(dissection, "a", 4) == ()


def test_strips_of_any_size_give_the_same_correlations(monkeypatch: pytest.MonkeyPatch) -> None:
    peaks = random_peaks(2)
    whole = correlations(Profiles(peaks["a"]), Profiles(peaks["b"]))
    monkeypatch.setattr(profiles, "_STRIP", 36)  # three images at once
    strips = correlations(Profiles(peaks["a"]), Profiles(peaks["b"]))

    expected = [[pearson(one, other) for other in peaks["b"].T] for one in peaks["a"].T]
    assert whole == pytest.approx(np.array(expected), abs=1e-5)
    assert strips == pytest.approx(whole, abs=1e-6)


def test_a_mean_far_from_zero_costs_no_digits() -> None:
    rng = np.random.default_rng(5)
    values = (2000 + rng.integers(-3, 4, size=(300, 2)) * 2.0).astype(np.float16)  # float16's own steps up there

    found = correlations(Profiles(values[:, :1]), Profiles(values[:, 1:]))[0, 0]

    assert found == pytest.approx(pearson(values[:, 0], values[:, 1]), abs=1e-6)


def test_other_dissections_are_compared_over_the_images_both_kept(dissection: Dissection, tmp_path: Path) -> None:
    kept = np.array([0, 2, 3, 5, 8, 13, 21, 22, 30, 39])
    other = probed(tmp_path / "two", {"c": random_peaks(3)["a"][kept]}, peak_ids=kept, images=IMAGES)

    rows, others = shared_rows(dissection, other)
    assert rows.tolist() == kept.tolist()
    assert others.tolist() == list(range(10))
    own = np.asarray(dissection.peaks("a")[kept, 3])
    scores = [pearson(own, np.asarray(other.peaks("c")[:, unit])) for unit in range(12)]
    found = similar_by_activation(dissection, "a", 3, among=other, count=3)
    assert [entry.unit for entry in found] == np.argsort(-np.array(scores))[:3].tolist()
    assert {entry.dissection for entry in found} == {"two"}


def test_dissections_of_other_images_are_not_compared(dissection: Dissection, tmp_path: Path) -> None:
    other = probed(tmp_path / "far", random_peaks(3), image_ids="2" * 64)

    with pytest.raises(ValueError, match="not dissected over the same images"):
        similar_by_activation(dissection, "a", 3, among=other)
    with pytest.raises(ValueError, match="not dissected over the same images"):
        ExemplarIndex.of(dissection).similar("a", 3, among=ExemplarIndex.of(other))


def test_exemplar_overlap_is_jaccards(dissection: Dissection) -> None:
    index = ExemplarIndex.of(dissection)
    sets = {key: {entry.image_id for entry in dissection.exemplars_of(*key)["top"]} for key in dissection.unit_keys()}
    own = sets["b", 1]
    scores = {key: len(own & images) / len(own | images) for key, images in sets.items() if key != ("b", 1)}
    expected = [key for key in sorted(scores, key=lambda key: -scores[key]) if scores[key] > 0]

    found = index.similar("b", 1, count=50)

    assert [(entry.layer, entry.unit) for entry in found] == expected
    assert [entry.score for entry in found] == pytest.approx([scores[key] for key in expected])


def test_units_of_like_captions_share_words_and_silent_ones_are_like_nothing(dissection: Dissection) -> None:
    index = CaptionIndex.of(dissection, "milan")

    found = index.similar("a", 1, count=20)

    assert [(entry.layer, entry.unit) for entry in found[:1]] == [("a", 3)]  # the same words
    assert found[0].score == pytest.approx(1)
    assert all(one.score >= other.score for one, other in pairwise(found))
    assert {entry.layer for entry in found} == {"a"}
    assert index.similar("a", 4) == ()


def test_units_of_like_features_are_those_of_brute_force(dissection: Dissection) -> None:
    vectors = np.random.default_rng(4).normal(size=(21, 6)).astype(np.float32)
    vectors[5] = 0  # no features
    index = FeatureIndex.of(dissection, dissection.unit_keys(), vectors)
    cosine = [float(vectors[2] @ v / np.linalg.norm(vectors[2]) / (np.linalg.norm(v) or np.nan)) for v in vectors]
    cosine[2] = np.nan

    found = index.similar("a", 2, count=4)

    expected = np.argsort(-np.nan_to_num(cosine, nan=-9))[:4]
    assert [(entry.layer, entry.unit) for entry in found] == [dissection.unit_keys()[at] for at in expected]
    with pytest.raises(ValueError, match="different encoders"):
        index.similar("a", 2, among=FeatureIndex.of(dissection, dissection.unit_keys(), vectors[:, :3]))


def test_only_units_of_the_layers_asked_for_are_named(dissection: Dissection) -> None:
    vectors = np.random.default_rng(6).normal(size=(21, 6)).astype(np.float32)
    features = FeatureIndex.of(dissection, dissection.unit_keys(), vectors)
    for index in (features, ExemplarIndex.of(dissection), CaptionIndex.of(dissection, "milan")):
        every = index.similar("a", 2, count=50)
        for layer in ("a", "b"):
            found = index.similar("a", 2, layers=[layer], count=50)
            assert found == tuple(entry for entry in every if entry.layer == layer)


def test_kept_vectors_find_the_units_that_whole_features_find(dissection: Dissection) -> None:
    rng = np.random.default_rng(8)
    whole = (rng.normal(size=(3, 400))[rng.integers(0, 3, 21)] + rng.normal(size=(21, 400)) / 2).astype(np.float32)
    DissectionWriter.open(dissection.path).write_features("parts.0123", unit_vectors(whole))
    again = Dissection.open(dissection.path)
    assert (again.encoders, again.verify()) == (("parts.0123",), [])

    found = FeatureIndex.kept(again, "parts.0123").similar("a", 2, count=20)

    unit = whole / np.linalg.norm(whole, axis=1, keepdims=True)
    cosine = dict(zip(again.unit_keys(), unit @ unit[2], strict=True))
    assert len(found) == 20
    for entry in found:  # an angle's error by random signs is at most a few times (1 - c²) / √128
        exact = cosine[entry.layer, entry.unit]
        assert entry.score == pytest.approx(exact, abs=4 * (1 - exact**2) / np.sqrt(128) + 2e-3)
