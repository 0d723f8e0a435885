import itertools

import pytest
import torch
from lively import FEATURES, REGIONS, draw

from mami_core.captioning.beam import beam_search
from mami_core.captioning.consensus import consensus_scores, word_weights
from mami_core.captioning.language_model import counted
from mami_core.captioning.rerank import Discounted, pmi_rerank, score_texts
from mami_core.captioning.search import Decoded, greedy
from mami_core.captioning.vocabulary import Vocabulary


def rows(vocabulary, *texts):
    """Return texts as token rows (1, n, T), stops behind the end, as searches give them."""
    tokens = vocabulary.batch(texts)
    return tokens.masked_fill(tokens == vocabulary.pad, vocabulary.stop).unsqueeze(0)


@pytest.mark.parametrize("parity", [False, True])
@torch.no_grad()
def test_scoring_over_a_prefix_tree_is_scoring_each_text(language_model, vocabulary, parity):
    texts = ["", "red", "red roof", "red roof tiles", "a red roof", "red", "tiles of a red roof"]
    tokens = rows(vocabulary, *texts)[0]
    tree = score_texts(language_model, tokens, parity=parity)
    torch.testing.assert_close(tree, language_model.log_probability(tokens, parity=parity))


@torch.no_grad()
def test_log_p_is_the_sum_over_words_and_the_stop(language_model, vocabulary):
    tokens = vocabulary.batch(["red roof", "a"])
    said = [*vocabulary.encode("red roof")]
    state, last, total = language_model.init_state(1), vocabulary.start, 0.0
    for token in said:
        words = language_model.speak(torch.tensor([last]), state)
        total += words.logits.log_softmax(-1)[0, token].item()
        state, last = words.state, token
    assert language_model.log_probability(tokens)[0].item() == pytest.approx(total)


@torch.no_grad()
def test_all_texts_of_a_length_share_one_probability(language_model, vocabulary):
    every = range(len(vocabulary))
    tokens = torch.tensor(list(itertools.product(every, repeat=2)))
    before_stop = tokens[(tokens[:, 0] != vocabulary.stop)]
    ended = torch.full((1, 2), vocabulary.stop)
    total = language_model.log_probability(before_stop).exp().sum() + language_model.log_probability(ended).exp().sum()
    assert total.item() == pytest.approx(1.0)


def test_padding_behind_the_stop_is_not_counted_and_parity_counts_one_more(vocabulary):
    tokens = rows(vocabulary, "red", "red roof tiles")[0]
    assert counted(tokens, vocabulary.stop).sum(1).tolist() == [2, 4]
    assert counted(tokens, vocabulary.stop, extra=1).sum(1).tolist() == [3, 4]


@torch.no_grad()
def test_pmi_is_log_p_given_exemplars_minus_what_is_expected(make_decoder, language_model, vocabulary):
    decoder = make_decoder("mami")
    found = beam_search(decoder, decoder.prepare(draw(3, REGIONS, FEATURES)), vocabulary, length=5, width=6)
    ranked = pmi_rerank(found, language_model, weight=0.7, length_power=0.5)
    for unit in range(3):
        log_p = language_model.log_probability(found.tokens[unit])
        length = counted(found.tokens[unit], vocabulary.stop).sum(1)
        expected = ((found.scores[unit] - 0.7 * log_p) / length**0.5).sort(descending=True)
        torch.testing.assert_close(ranked.scores[unit], expected.values)
        torch.testing.assert_close(ranked.log_p[unit], log_p[expected.indices])
        assert torch.equal(ranked.tokens[unit], found.tokens[unit][expected.indices])


def test_without_weight_pmi_keeps_the_order(make_decoder, language_model, vocabulary):
    decoder = make_decoder("milan")
    found = beam_search(decoder, decoder.prepare(draw(3, REGIONS, FEATURES)), vocabulary, length=5, width=6)
    assert torch.equal(pmi_rerank(found, language_model, weight=0.0).tokens, found.tokens)


def test_token_pmi_without_weight_is_the_decoder(make_decoder, language_model, vocabulary):
    decoder = make_decoder("mami")
    memory = decoder.prepare(draw(3, REGIONS, FEATURES))
    plain = greedy(decoder, memory, vocabulary, length=5)
    mixed = greedy(Discounted(decoder, language_model, 0.0), memory, vocabulary, length=5)
    assert torch.equal(mixed.tokens, plain.tokens)
    torch.testing.assert_close(mixed.scores, plain.scores)


def slow_f1(words, others, discount):
    """F1 of two captions where the word at position i counts discount^i, by the formula."""

    def worth(said):
        return {word: discount ** said.index(word) for word in said}

    left, right = worth(words), worth(others)
    shared = sum((left[word] * right[word]) ** 0.5 for word in set(left) & set(right))
    return 2 * shared / max(sum(left.values()) + sum(right.values()), 1e-9)


def test_consensus_is_the_mean_f1_and_recall_written_as_a_loop(vocabulary):
    texts, drawn = ["red roof", "tiles", "a red roof of tiles", "roof roof red"], ["red tiles", "roof of red", "a"]
    candidates = Decoded(rows(vocabulary, *texts), torch.zeros(1, len(texts)))
    samples = Decoded(rows(vocabulary, *drawn), torch.zeros(1, len(drawn)))

    scores = consensus_scores(candidates, samples, vocabulary, recall_weight=0.3, discount=0.8)

    for text, score in zip(texts, scores[0].tolist(), strict=True):
        said, heard = text.split(), [other.split() for other in drawn]
        f1 = sum(slow_f1(said, other, 0.8) for other in heard) / 3
        recall = sum(len(set(said) & set(other)) / len(set(other)) for other in heard) / 3
        assert score == pytest.approx(0.7 * f1 + 0.3 * recall, abs=1e-6)


def test_consensus_prefers_what_ended_and_never_an_empty_place(vocabulary):
    ended = rows(vocabulary, "a", "red roof")
    cut = torch.tensor([[[*vocabulary.encode("red roof")[:2], 0]]])
    candidates = Decoded(torch.cat([ended, cut, ended[:, :1]], 1), torch.tensor([[0.0, 0.0, 0.0, -torch.inf]]))
    samples = Decoded(rows(vocabulary, "red roof"), torch.zeros(1, 1))
    scores = consensus_scores(candidates, samples, vocabulary)
    assert scores[0].argsort(descending=True).tolist() == [1, 0, 2, 3]


def test_a_word_counts_where_it_was_first_said():
    words = Vocabulary(("red", "roof"))
    weights = word_weights(rows(words, "red roof red"), words, 0.5)
    assert weights[0, 0].tolist() == [1.0, 0.5]
