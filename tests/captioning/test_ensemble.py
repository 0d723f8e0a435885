"""Several decoders as one: mean probabilities, searched like any decoder; one decoder alone is itself."""

from __future__ import annotations

import pytest
import torch
from lively import FEATURES, REGIONS, draw

from mami_core.captioning.beam import beam_search
from mami_core.captioning.ensemble import Ensemble
from mami_core.captioning.search import greedy
from mami_core.captioning.vocabulary import Vocabulary


def test_words_have_the_mean_probability_of_the_decoders(make_decoder):
    first, second = make_decoder("milan", seed=1), make_decoder("par-inject", seed=2)
    features, tokens = draw(3, REGIONS, FEATURES), torch.tensor([0, 2, 4])
    both = Ensemble((first, second))
    memory = both.prepare(features)

    found = both.speak(tokens, both.look(both.init_state(memory), memory)).log_probs

    each = []
    for decoder in (first, second):
        own = decoder.prepare(features)
        each.append(decoder.speak(tokens, decoder.look(decoder.init_state(own), own)).log_probs.exp())
    assert torch.allclose(found.exp(), (each[0] + each[1]) / 2)


@pytest.mark.parametrize("members", [1, 2])
def test_the_same_decoder_once_or_twice_says_what_it_says_alone(make_decoder, vocabulary, members):
    decoder, features = make_decoder("milan"), draw(4, REGIONS, FEATURES)
    together = Ensemble((decoder,) * members)

    for search in (
        lambda speaker: greedy(speaker, speaker.prepare(features), vocabulary, length=6),
        lambda speaker: beam_search(speaker, speaker.prepare(features), vocabulary, length=6, width=4),
    ):
        alone, found = search(decoder), search(together)
        assert torch.equal(alone.tokens, found.tokens)
        assert torch.allclose(alone.scores, found.scores)


def test_decoders_of_different_vocabularies_are_refused(make_decoder):
    other = make_decoder("milan", vocabulary=Vocabulary(("only", "two")))

    with pytest.raises(ValueError, match="one vocabulary"):
        Ensemble((make_decoder("milan"), other))
