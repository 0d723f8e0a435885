"""Showing some of a unit's exemplars, some twice: the same as making the unit of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from mami_core.captioning.captioner import Captioner
from mami_core.captioning.decoding import Decoding
from mami_core.captioning.features import UnitFeatures
from mami_core.captioning.forcing import force
from mami_core.captioning.subsets import exemplar_vectors, exemplars_seen, with_counts
from mami_core.store.home import ASSETS

GRID = (4, 2, 2)


def made_features(size: int = 5) -> UnitFeatures:
    """Two units of four exemplars of 2 x 2 cells; the second's exemplar 2 shows no region."""
    rng = np.random.default_rng(0)
    cells = np.array([0, 3, 5, 9, 15, 1, 2, 4, 12], dtype=np.int32)
    weights = rng.uniform(0.1, 1, size=9).astype(np.float32)
    weights[:5] /= weights[:5].sum()
    weights[5:] /= weights[5:].sum()
    values = rng.normal(size=(9, size)).astype(np.float16)
    return UnitFeatures((("l", 0), ("l", 1)), GRID, np.array([0, 5, 9]), cells, values, weights)


def test_every_exemplar_once_is_the_unit_itself() -> None:
    features = made_features()
    same = with_counts(features, [0, 1], np.ones((2, 4), dtype=int))

    for name in ("offsets", "cells", "values"):
        assert getattr(same, name).tolist() == getattr(features, name).tolist()
    assert same.weights == pytest.approx(features.weights)


def test_an_exemplar_that_is_left_out_leaves_no_region_and_weights_sum_to_one() -> None:
    features = made_features()
    found = with_counts(features, [0, 0], np.array([[1, 0, 0, 2], [0, 1, 0, 0]]))

    assert found.cells.tolist() == [0, 3, 15, 5]
    assert [found.weights[:3].sum(), found.weights[3:].sum()] == pytest.approx([1, 1])
    assert found.weights[2] / found.weights[0] == pytest.approx(2 * features.weights[4] / features.weights[0])


def test_what_is_seen_and_each_exemplars_mean_are_those_of_a_loop() -> None:
    features = made_features()
    assert exemplars_seen(features, 1).tolist() == [0, 1, 3]
    values, weights = features.values[5:].astype(np.float64), features.weights[5:].astype(np.float64)
    first = (values[0] * weights[0] + values[1] * weights[1]) / (weights[0] + weights[1])
    assert exemplar_vectors(features, 1) == pytest.approx(np.stack([first, values[2], values[3]]), abs=1e-3)


def test_a_unit_of_nothing_that_is_seen_is_refused() -> None:
    with pytest.raises(ValueError, match="no region in the exemplars"):
        with_counts(made_features(), [1], np.array([[0, 0, 3, 0]]))
    with pytest.raises(ValueError, match="counts must be"):
        with_counts(made_features(), [1], np.ones((1, 3), dtype=int))


@pytest.mark.parametrize("name", ["milan@scenery", "mami@scenery"])
def test_an_exemplar_that_counts_twice_is_one_that_is_there_twice(name: str) -> None:
    captioner = Captioner.load(Path(ASSETS / "models" / name), decoding=Decoding("greedy"))
    decoder, vocabulary = captioner.checkpoint.decoder, captioner.checkpoint.vocabulary
    features = made_features(decoder.config.feature_size)
    twice = with_counts(features, [0], np.array([[1, 1, 1, 2]])).batch([0])
    written = features.batch([0])
    again = torch.cat([written.features, written.features[:, 4:]], dim=1)  # exemplar 3's region is the last
    weight = torch.cat([written.weight, written.weight[:, 4:]], dim=1)
    tokens = vocabulary.batch(["red roofs and a sky"])

    scores = [
        force(decoder, decoder.prepare(seen, share / share.sum()), tokens, start=vocabulary.start).caption_log_probs(
            tokens, stop=vocabulary.stop
        )
        for seen, share in ((twice.features, twice.weight), (again, weight))
    ]

    assert scores[0].tolist() == pytest.approx(scores[1].tolist(), abs=1e-4)
