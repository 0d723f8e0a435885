"""Captions of bootstrapped exemplars, and exemplars in pieces: cases whose answer is known by construction."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import silhouette_score

from mami_core.probing.polysemanticity import mean_silhouette, pieces
from mami_core.probing.stability import Stability, bootstrap_counts

RNG = np.random.default_rng(2)


def test_a_captioner_that_always_says_one_thing_is_wholly_stable() -> None:
    found = Stability("red roofs", ("red roofs",) * 20)

    assert (found.same, found.agreement, found.shares) == (1.0, 1.0, [("red roofs", 1.0)])
    assert found.word_shares == [("red", 1.0), ("roofs", 1.0)]


def test_two_that_have_no_word_in_common_do_not_agree() -> None:
    found = Stability("sky", ("red roofs", "green grass"))
    assert (found.same, found.agreement) == (0.0, 0.0)


@given(st.lists(st.sampled_from(["", "a", "a b", "b c"]), min_size=2, max_size=8))
def test_shares_sum_to_one_and_agreement_is_a_share(captions: list[str]) -> None:
    found = Stability(captions[0], tuple(captions))
    assert sum(share for _, share in found.shares) == pytest.approx(1)
    assert 0 <= found.agreement <= 1
    assert found.same > 0


@given(st.sets(st.integers(0, 14), min_size=1), st.integers(1, 30), st.integers(0, 5))
def test_as_many_exemplars_are_drawn_as_are_seen_and_no_others(seen: set[int], resamples: int, seed: int) -> None:
    ranks = np.array(sorted(seen))
    counts = bootstrap_counts(ranks, 15, resamples, (seed, 3))

    assert counts.sum(axis=1).tolist() == [len(seen)] * resamples
    assert counts[:, [rank for rank in range(15) if rank not in seen]].sum() == 0
    assert counts.tolist() == bootstrap_counts(ranks, 15, resamples, (seed, 3)).tolist()


@pytest.mark.parametrize("sizes", [(9, 6), (6, 5, 4), (5, 4, 3, 3)], ids=str)
def test_a_unit_of_several_concepts_falls_into_them(sizes: tuple[int, ...]) -> None:
    concept = np.repeat(np.arange(len(sizes)), sizes)
    vectors = np.eye(len(sizes), 40)[concept] * 6 + RNG.normal(size=(15, 40)) * 0.3
    order = RNG.permutation(15)

    found = pieces(vectors[order])

    assert found.count == len(sizes)
    assert np.bincount(found.labels).tolist() == list(sizes)
    for piece in range(found.count):
        assert len(set(concept[order][found.labels == piece])) == 1


def test_units_of_one_cloud_are_rarely_split() -> None:
    clouds = [RNG.normal(size=(15, 30)) * np.linspace(1, 0.1, 30) + 0.5 for _ in range(40)]
    split = [pieces(cloud).count > 1 for cloud in clouds]
    assert np.mean(split) <= 0.2  # 1 in 20 is what the rule lets through; 40 clouds


@pytest.mark.parametrize("count", [0, 1, 3])
def test_too_few_exemplars_are_of_one_piece(count: int) -> None:
    found = pieces(RNG.normal(size=(count, 5)) if count else np.ones((1, 5)))
    assert (found.count, np.isnan(found.silhouette)) == (1, True)


def test_the_silhouette_is_scikit_learns() -> None:
    points = RNG.normal(size=(20, 3))
    distances = np.linalg.norm(points[:, None] - points, axis=-1)
    labels = np.array([0, 1, 2, 2] * 5)
    labels[0] = 3  # on its own

    assert mean_silhouette(distances, labels) == pytest.approx(
        silhouette_score(distances, labels, metric="precomputed")
    )
