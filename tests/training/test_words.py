"""Learning words: shares by hand, ridge against scikit-learn, unseen units read unseen."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from training_world import concept_units

from mami_core.captioning.words import WordReader, WordVectors
from mami_core.training.consensus import learnt_words, pooled_regions
from mami_core.training.words import common_words, learn_words, word_shares


def test_shares_count_references_not_words():
    shares = word_shares([["red red roof", "roof"], ["sky"]], ("red", "roof"))

    assert shares.tolist() == [[0.5, 1.0], [0.0, 0.0]]


def test_words_of_too_few_units_are_left_out():
    assert common_words([["roof", "roof red"]] * 4 + [["red"]]) == ("red", "roof")
    with pytest.raises(ValueError, match="too little to learn from"):
        common_words([["one"], ["two"]])


def test_the_reader_is_ridge_regression_on_standardised_regions():
    units = concept_units(120, seed=0)
    pooled = pooled_regions(units)
    found = learn_words(pooled, units.texts)
    reader = found.vectors.reader
    known = (pooled - reader.mean) / reader.scale

    model = Ridge(alpha=found.ridge * known.shape[1], fit_intercept=False)
    expected = model.fit(known, word_shares(units.texts, reader.words) - reader.base).predict(known) + reader.base

    assert reader.shares(pooled) == pytest.approx(np.clip(expected, 0, 1), abs=1e-4)


def test_unseen_units_words_are_read():
    found, test = learnt_words(concept_units(200, seed=1)), concept_units(40, seed=2)
    reader = found.vectors.reader
    shares = reader.shares(pooled_regions(test))
    best = [reader.words[place] for place in (shares * reader.lift(shares)).argmax(1)]

    assert found.explained > 0.8
    assert all(any(word in text for text in texts) for word, texts in zip(best, test.texts, strict=True))


def test_common_words_tell_nothing_and_rare_ones_what_they_are_used_more():
    reader = WordReader(("a", "roof", "sheep"), *(np.zeros(1),) * 3, base=np.array([0.6, 0.05, 0.02]))

    gains = reader.gains(np.array([0.9, 0.8, 0.0]))

    assert gains == pytest.approx({"roof": 0.8 * np.log(0.81 / 0.06), "sheep": 0.0})


def test_training_units_are_read_by_readers_that_never_saw_them():
    units = concept_units(60, seed=3)
    noise = np.random.default_rng(0).normal(size=(60, 40)).astype(np.float32)

    found = learn_words(noise, units.texts)

    assert found.explained < 0.05  # noise explains nothing, whatever a fit to the same units would claim


def test_a_reader_is_kept_and_read_again(tmp_path):
    units = concept_units(80, seed=4)
    vectors = learnt_words(units).vectors
    vectors.save(tmp_path / "words.safetensors")

    again = WordVectors.load(tmp_path / "words.safetensors", vectors.reader.words)

    shares = vectors.reader.shares(pooled_regions(units))
    assert again.vectors(again.reader.shares(pooled_regions(units))) == pytest.approx(vectors.vectors(shares), abs=0.05)
    with pytest.raises(ValueError, match="words"):
        WordVectors.load(tmp_path / "words.safetensors", ("one",))
