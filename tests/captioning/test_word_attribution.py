"""Which region made a word: gradients sum to what all regions add, occlusion is what a loop finds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from lively import FEATURES, REGIONS, coverage, draw

from mami_core.captioning.forcing import force
from mami_core.captioning.memory import pool
from mami_core.probing.attribution.words import attribute_words

WORDS = ("a", "red", "roof")
CAPTIONERS = ("milan", "mami", "sat-soft")


def log_p(decoder, vocabulary, regions, weight) -> np.ndarray:
    tokens = vocabulary.batch([WORDS])
    with torch.no_grad():
        forced = force(decoder, decoder.prepare(regions[None], weight[None]), tokens, start=vocabulary.start)
    return forced.token_log_probs(tokens)[0, : len(WORDS)].numpy()


@pytest.mark.parametrize("name", CAPTIONERS)
def test_gradients_of_a_word_sum_to_what_its_regions_add(make_decoder, vocabulary, name):
    decoder, regions, weight = make_decoder(name), draw(REGIONS, FEATURES), coverage(REGIONS, seed=4)
    found = attribute_words(decoder, vocabulary, regions, weight, WORDS, steps=64)
    average = pool(regions[None], weight[None])[0].expand_as(regions)
    assert found.log_p == pytest.approx(log_p(decoder, vocabulary, regions, weight), abs=1e-5)
    assert found.log_p_plain == pytest.approx(log_p(decoder, vocabulary, average, weight), abs=1e-5)
    assert found.gradients.sum(1) == pytest.approx(found.log_p - found.log_p_plain, abs=1e-3)


@pytest.mark.parametrize("name", CAPTIONERS)
def test_occlusion_of_a_region_is_what_the_word_loses_when_it_is_replaced(make_decoder, vocabulary, name):
    decoder, regions, weight = make_decoder(name), draw(REGIONS, FEATURES), coverage(REGIONS, seed=4)
    found = attribute_words(decoder, vocabulary, regions, weight, WORDS)
    average = pool(regions[None], weight[None])[0][0]
    whole = log_p(decoder, vocabulary, regions, weight)
    for region in range(REGIONS):
        without = regions.clone()
        without[region] = average
        lost = whole - log_p(decoder, vocabulary, without, weight)
        hidden = float(weight[region]) == 0
        assert found.occlusion[:, region] == pytest.approx(np.zeros(len(WORDS)) if hidden else lost, abs=1e-5)


def test_attention_is_the_heads_mean_and_hidden_regions_have_none_of_anything(make_decoder, vocabulary):
    decoder, regions, weight = make_decoder("mami"), draw(REGIONS, FEATURES), coverage(REGIONS, seed=4)
    found = attribute_words(decoder, vocabulary, regions, weight, WORDS)
    assert found.attention.sum(1) == pytest.approx(np.ones(len(WORDS)), abs=1e-5)
    hidden = (weight == 0).numpy()
    assert hidden.any()
    for part in (found.attention, found.gradients, found.occlusion):
        assert (part[:, hidden] == 0).all()
    assert all(-1 <= value <= 1 for values in found.agreement().values() for value in values)


def test_captioners_without_regions_and_empty_captions_are_refused(make_decoder, vocabulary):
    regions, weight = draw(REGIONS, FEATURES), coverage(REGIONS)
    with pytest.raises(ValueError, match="no attention over regions"):
        attribute_words(make_decoder("merge"), vocabulary, regions, weight, WORDS)
    with pytest.raises(ValueError, match="no caption whose words"):
        attribute_words(make_decoder("mami"), vocabulary, regions, weight, ())
