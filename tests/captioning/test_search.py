"""Greedy, sampling and beam search against each other, against the slow way, and against trying everything."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lively import FEATURES, REGIONS, coverage, draw

from mami_core.captioning.beam import beam_search, top_flat
from mami_core.captioning.exhaustive import exhaustive_search
from mami_core.captioning.forcing import force
from mami_core.captioning.language_model import counted
from mami_core.captioning.names import CAPTIONERS
from mami_core.captioning.plain import PlainMilan
from mami_core.captioning.rerank import Discounted, pmi_rerank
from mami_core.captioning.sampling import content_seeds, sample
from mami_core.captioning.search import greedy
from mami_core.captioning.vocabulary import Vocabulary

LENGTH = 6


@pytest.mark.parametrize("power", [0.0, 0.9])
@pytest.mark.parametrize("name", ["milan", "mami", "merge", "luong-post"])
def test_a_beam_as_wide_as_all_captions_is_exhaustive_search(make_decoder, name, power):
    words = Vocabulary(("red", "roof"))
    decoder = make_decoder(name, vocabulary=words)
    memory = decoder.prepare(draw(3, REGIONS, FEATURES, seed=4))
    truth = exhaustive_search(decoder, memory, words, length=3, length_power=power)

    found = beam_search(decoder, memory, words, length=3, width=truth.tokens.shape[1], length_power=power)

    assert truth.tokens.shape == (3, 15, 3)
    assert torch.equal(found.tokens, truth.tokens)
    torch.testing.assert_close(found.scores, truth.scores)


def test_all_captions_there_are_have_probability_1(make_decoder, vocabulary):
    decoder = make_decoder("mami")
    decoder.to_words.bias.data[list(vocabulary.unspeakable)] = -1e9
    truth = exhaustive_search(decoder, decoder.prepare(draw(2, REGIONS, FEATURES)), vocabulary, length=4)
    torch.testing.assert_close(truth.scores.exp().sum(1), torch.ones(2, dtype=torch.float64))


def test_too_many_captions_to_try_are_refused(make_decoder, vocabulary):
    decoder = make_decoder("milan")
    with pytest.raises(ValueError, match="captions are too many to try all"):
        exhaustive_search(decoder, decoder.prepare(draw(1, REGIONS, FEATURES)), vocabulary, length=12)


@pytest.mark.parametrize("name", CAPTIONERS)
def test_a_beam_of_one_is_greedy(make_decoder, vocabulary, name):
    for seed in range(4):
        decoder = make_decoder(name, seed=seed)
        memory = decoder.prepare(draw(5, REGIONS, FEATURES, seed=seed), coverage(5, REGIONS, seed=seed))
        one, best = (
            beam_search(decoder, memory, vocabulary, length=LENGTH, width=1),
            greedy(decoder, memory, vocabulary, length=LENGTH),
        )
        assert torch.equal(one.tokens, best.tokens)
        torch.testing.assert_close(one.scores, best.scores)


@pytest.mark.parametrize("width", [1, 2, 7])
def test_beams_are_those_of_the_plain_arithmetic(make_decoder, vocabulary, language_model, width):
    for seed in range(4):
        decoder = make_decoder("milan", seed=seed)
        features = draw(6, REGIONS, FEATURES, seed=seed)
        plain = PlainMilan(decoder, vocabulary)
        expected = plain.beam(features, length=LENGTH, width=width)

        found = beam_search(decoder, decoder.prepare(features), vocabulary, length=LENGTH, width=width, parity=True)

        assert torch.equal(found.tokens, expected.tokens)
        torch.testing.assert_close(found.scores, expected.scores)
        ranked = pmi_rerank(found, language_model, weight=0.5)
        assert torch.equal(ranked.tokens[:, 0], plain.rerank(expected, language_model, weight=0.5))


@pytest.mark.parametrize("power", [0.0, 0.7])
def test_beam_scores_are_log_p_of_the_captions(make_decoder, vocabulary, power):
    decoder = make_decoder("mami")
    memory = decoder.prepare(draw(4, REGIONS, FEATURES))
    found = beam_search(decoder, memory, vocabulary, length=LENGTH, width=9, length_power=power)
    tokens = found.tokens.flatten(0, 1)

    with torch.no_grad():
        forced = force(decoder, memory, tokens, start=vocabulary.start)

    torch.testing.assert_close(forced.caption_log_probs(tokens, stop=vocabulary.stop), found.scores.flatten())
    ranks = found.scores / counted(tokens, vocabulary.stop).sum(1).view_as(found.scores) ** power
    assert (ranks.diff(dim=1) <= 0).all()


@pytest.mark.parametrize("name", ["mami", "luong-post"])
@pytest.mark.parametrize("search", ["greedy", "beam", "normalised", "token-pmi", "sample"])
def test_a_caption_is_the_same_alone_and_in_a_batch_of_64(make_decoder, vocabulary, language_model, search, name):
    decoder = make_decoder(name)
    features, weight = draw(64, REGIONS, FEATURES, seed=7), coverage(64, REGIONS, seed=7)

    def captions(rows):
        memory = decoder.prepare(features[rows], weight[rows])
        if search == "greedy":
            return greedy(decoder, memory, vocabulary, length=LENGTH)
        if search == "sample":
            seeds = content_seeds(features[rows], seed=0)
            return sample(decoder, memory, vocabulary, length=LENGTH, seeds=seeds, count=3)
        speaker = Discounted(decoder, language_model, 0.5) if search == "token-pmi" else decoder
        power = 0.9 if search == "normalised" else 0.0
        return beam_search(speaker, memory, vocabulary, length=LENGTH, width=5, length_power=power)

    together = captions(list(range(64)))
    for unit in range(64):
        alone = captions([unit])
        longest = alone.tokens.shape[-1]
        assert torch.equal(together.tokens[unit, :, :longest], alone.tokens[0])
        assert (together.tokens[unit, :, longest:] == vocabulary.stop).all()
        torch.testing.assert_close(together.scores[unit], alone.scores[0])


def test_start_pad_and_unk_are_never_said(make_decoder, vocabulary):
    decoder = make_decoder("milan")
    decoder.to_words.bias.data[list(vocabulary.unspeakable)] = 50.0
    memory = decoder.prepare(draw(3, REGIONS, FEATURES))
    for found in (
        greedy(decoder, memory, vocabulary, length=LENGTH),
        beam_search(decoder, memory, vocabulary, length=LENGTH, width=4),
        sample(decoder, memory, vocabulary, length=LENGTH, seeds=[1, 2, 3], count=5),
    ):
        assert not torch.isin(found.tokens, torch.tensor(vocabulary.unspeakable)).any()


def test_samples_follow_the_decoder_s_distribution(make_decoder, vocabulary):
    decoder = make_decoder("mami")
    memory = decoder.prepare(draw(1, REGIONS, FEATURES))
    drawn = sample(decoder, memory, vocabulary, length=1, seeds=[3], count=4000).tokens[0, :, 0]
    with torch.no_grad():
        step = decoder.step(torch.tensor([vocabulary.start]), decoder.init_state(memory), memory)
    expected = step.log_probs[0].exp()
    expected[list(vocabulary.unspeakable)] = 0
    expected = expected / expected.sum()
    shares = torch.bincount(drawn, minlength=len(vocabulary)).double() / 4000
    assert (shares - expected).abs().max() < 4 * 0.5 / 4000**0.5  # four standard errors of a share


@pytest.mark.parametrize("top_p", [1.0, 0.6])
@torch.no_grad()
def test_samples_that_share_their_beginning_are_those_drawn_one_by_one(make_decoder, vocabulary, top_p):
    decoder, seeds, count = make_decoder("mami"), [3, 4], 12
    features = draw(2, REGIONS, FEATURES)

    found = sample(
        decoder,
        decoder.prepare(features),
        vocabulary,
        length=LENGTH,
        seeds=seeds,
        count=count,
        temperature=0.8,
        top_p=top_p,
    )

    for unit, seed in enumerate(seeds):
        chances = torch.rand(count, LENGTH, generator=torch.Generator().manual_seed(seed)).double()
        memory = decoder.prepare(features[[unit]])
        for row in range(count):
            state, said, score = decoder.init_state(memory), vocabulary.start, 0.0
            for step in range(found.tokens.shape[-1]):
                if said == vocabulary.stop:
                    assert found.tokens[unit, row, step] == vocabulary.stop
                    continue
                words = decoder.step(torch.tensor([said]), state, memory)
                allowed = {
                    token: (words.log_probs[0, token] / 0.8).exp().item() for token in (*range(5), vocabulary.stop)
                }
                said = drawn_by_hand(allowed, chances[row, step].item(), top_p)
                state, score = words.state, score + words.log_probs[0, said].item()
                assert found.tokens[unit, row, step] == said
            assert found.scores[unit, row].item() == pytest.approx(score)


def drawn_by_hand(weights, chance, top_p):
    """Return the token whose share `chance` falls in; by rank where only the top_p mass may be drawn."""
    order = list(weights) if top_p == 1 else sorted(weights, key=weights.get, reverse=True)
    kept, total = [], 0.0
    for token in order:
        if top_p == 1 or total < top_p * sum(weights.values()):
            kept.append(token)
        total += weights[token]
    left = chance * sum(weights[token] for token in kept)
    for token in kept:
        left -= weights[token]
        if left < 0:
            return token
    return kept[-1]


def test_a_narrow_nucleus_is_greedy(make_decoder, vocabulary):
    decoder = make_decoder("mami")
    memory = decoder.prepare(draw(3, REGIONS, FEATURES))
    narrow = sample(decoder, memory, vocabulary, length=LENGTH, seeds=[1, 2, 3], count=2, top_p=1e-9)
    best = greedy(decoder, memory, vocabulary, length=LENGTH)
    assert torch.equal(narrow.tokens, best.tokens.expand_as(narrow.tokens))


@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 700), st.integers(1, 12), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_the_best_by_blocks_are_the_best_of_all(active, groups, size, count, seed):
    scores = draw(active, groups, size, seed=seed)
    best, index = top_flat(scores, count)
    expected = scores.flatten(1).topk(min(count, groups * size))
    assert torch.equal(best, expected.values)
    assert torch.equal(index, expected.indices)


def test_impossible_searches_are_refused(make_decoder, vocabulary):
    decoder = make_decoder("milan")
    memory = decoder.prepare(draw(1, REGIONS, FEATURES))
    with pytest.raises(ValueError, match="width and length of 1 or more"):
        beam_search(decoder, memory, vocabulary, length=LENGTH, width=0)
    with pytest.raises(ValueError, match="temperature > 0"):
        sample(decoder, memory, vocabulary, length=LENGTH, seeds=[1], temperature=0)
    with pytest.raises(ValueError, match="one seed a unit"):
        sample(decoder, memory, vocabulary, length=LENGTH, seeds=[1, 2])
