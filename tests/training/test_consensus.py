"""Captioner consensus end to end on units that are easy to tell apart."""

from __future__ import annotations

import numpy as np
import pytest
from training_world import SAYINGS, concept_units

from mami_core.captioning.agreement import log_bleu
from mami_core.captioning.consensus_captioner import BRIEF, FULL, Candidates, ConsensusSettings, settings_for
from mami_core.captioning.neighbours import Neighbours
from mami_core.captioning.vocabulary import Vocabulary
from mami_core.training.batches import reference_texts
from mami_core.training.captioner import CaptionerRecipe
from mami_core.training.consensus import ConsensusRecipe, fit_slope, learnt_words, pooled_regions, train_consensus
from mami_core.training.loop import LoopSettings

SMALL = ConsensusSettings(drawn=12, sober=4, beam_size=3, neighbours=3, crossed=20, paired=4, listed=3)


@pytest.fixture(scope="module")
def trained():
    train, validation = concept_units(160, seed=0), concept_units(40, seed=1)
    words = learnt_words(train)
    vocabulary = Vocabulary.from_texts(reference_texts(train))
    longer = LoopSettings(epochs=20, patience=20, learning_rate=5e-3)  # there are only few batches an epoch
    decoder = CaptionerRecipe(feature_dropout=0.3, regions=0, loop=longer)
    recipe = ConsensusRecipe(decoders=2, decoder=decoder, settings=SMALL)
    return train_consensus(train, validation, vocabulary, words=words, length=6, recipe=recipe)


def said_of(trained, units) -> list[str]:
    return trained.captions(trained.words.reader.shares(pooled_regions(units)))


def test_unseen_units_are_called_what_people_call_them(trained):
    units = concept_units(40, seed=2)

    said = said_of(trained, units)

    right = [set(caption.split()) <= {word for text in texts for word in text.split()}
             for caption, texts in zip(said, units.texts, strict=True)]  # fmt: skip
    assert np.mean(right) > 0.75  # by chance a quarter


def test_a_units_caption_does_not_depend_on_its_company(trained):
    units = concept_units(12, seed=3)

    assert said_of(trained, units)[5:8] == said_of(trained, units.take(range(5, 8)))


def test_every_part_can_be_left_out(trained):
    units = concept_units(6, seed=4)
    for part in ("neighbours", "crossed", "paired", "listed", "word_weight", "sober"):
        assert all(said_of(trained.with_settings(**{part: 0}), units)), part


def test_captions_chosen_by_the_fitted_slope_are_expected_to_score_more_than_those_drawn_first(trained):
    units = concept_units(30, seed=5)
    found = list(trained.candidates(trained.words.reader.shares(pooled_regions(units))))
    slope = fit_slope(found, 0.0)
    chosen = [unit.statistics[unit.best(slope, 0.0)[0]] for unit in found]

    assert log_bleu(np.mean(chosen, axis=0)) >= log_bleu(np.mean([unit.statistics[0] for unit in found], axis=0))


def test_saying_hardly_any_long_phrase_is_no_way_to_a_high_bleu():
    """A single sure 4-gram among a hundred captions would give BLEU-4 a precision of 1."""
    fair, brief = [6, 5, 4, 3, 5.0, 4.0, 3.0, 2.0, 6, 6], [1, 0, 0, 0, 0.9, 0, 0, 0, 1, 1]
    both = Candidates((("a",) * 6, ("b",)), np.array([fair, brief]), np.zeros(2))

    assert both.best(fit_slope([both] * 20, 0.0), 0.0)[0] == 0


def test_neighbours_are_those_with_the_same_words(tmp_path):
    train = concept_units(60, seed=6)
    words = learnt_words(train)
    vectors = words.vectors.vectors(words.held_out)
    known = Neighbours.of(vectors, train.texts, channels=4)
    known.save(tmp_path)

    nearest = Neighbours.load(tmp_path).nearest(vectors, 3)

    same = [train.texts[place] == train.texts[row] for row, near in enumerate(nearest) for place in near]
    assert np.mean(same) > 0.9
    assert set(train.texts) <= set(SAYINGS)


def test_references_that_list_things_are_answered_in_full_and_those_that_name_one_briefly():
    assert settings_for([("red roofs and a blue sky , sometimes also white snow", "roofs")]) is FULL
    assert settings_for([("red roofs", "a sky")]) is BRIEF
