"""Expected agreement: phrase counts against a slow count, the slope against differences, crossing by hand."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest

from mami_core.captioning.agreement import (
    CLOSEST,
    GRAMS,
    MATCHES,
    WORDS,
    BleuSlope,
    Evidence,
    WordWorth,
    crossed,
    listed,
    log_bleu,
    paired,
    single_things,
    swapped,
)


def phrase(text: str) -> tuple[str, ...]:
    return tuple(text.split())


DRAWN = tuple(map(phrase, ("red roofs", "red roofs of houses", "blue sky", "red roofs")))
COPIED = tuple(map(phrase, ("red tiles", "roofs of houses")))


def holding(gram: str, phrases: tuple[tuple[str, ...], ...]) -> float:
    return float(np.mean([f" {gram} " in f" {' '.join(one)} " for one in phrases]))


def test_expected_matches_are_chances_that_one_of_three_references_holds_the_phrase():
    said = phrase("red roofs of sheds")
    one = {gram: 0.7 * holding(gram, DRAWN) + 0.3 * holding(gram, COPIED)
           for gram in ("red", "roofs", "of", "sheds", "red roofs", "roofs of", "of sheds")}  # fmt: skip
    some = {gram: 1 - (1 - share) ** 3 for gram, share in one.items()}

    row = Evidence(DRAWN, COPIED, trust=0.3).statistics([said])[0]

    assert row[GRAMS].tolist() == [4, 3, 2, 1]
    assert row[MATCHES][0] == pytest.approx(some["red"] + some["roofs"] + some["of"])
    assert row[MATCHES][1] == pytest.approx(some["red roofs"] + some["roofs of"])
    assert row[WORDS] == 4


def test_a_caption_that_is_evidence_does_not_vouch_for_itself():
    alone = Evidence((phrase("blue sky"), *DRAWN[:2])).statistics([phrase("blue sky")])[0]
    twice = Evidence((phrase("blue sky"), phrase("blue sky"), *DRAWN[:2])).statistics([phrase("blue sky")])[0]

    assert alone[MATCHES].sum() == twice[MATCHES].sum() == 0
    # but other captions are vouched for by it
    assert Evidence((phrase("blue sky"), *DRAWN[:2])).statistics([phrase("blue")])[0][MATCHES][0] > 0


def test_the_closest_length_is_the_mean_over_all_triples_of_references():
    lengths = [len(one) for one in DRAWN]
    triples = [min(three, key=lambda n: (abs(n - 3), n)) for three in product(lengths, repeat=3)]

    row = Evidence(DRAWN).statistics([phrase("a b c")])[0]

    assert row[CLOSEST] == pytest.approx(np.mean(triples))


@pytest.mark.parametrize("words", [6.0, 12.0], ids=["shorter than references", "longer"])
def test_the_slope_is_how_fast_log_bleu_rises(words: float):
    mean = np.array([words, words - 1, words - 2, words - 3, 4.0, 2.0, 1.0, 0.4, 9.0, words])

    rates = [(log_bleu(mean + step) - log_bleu(mean - step)) / 2e-6 for step in np.eye(10) * 1e-6]

    assert BleuSlope.at(mean).scores(np.eye(10)) == pytest.approx(rates, abs=1e-5)


def test_a_slope_survives_being_written_as_json():
    slope = BleuSlope.at(np.array([6, 5, 4, 3, 4.0, 2.0, 1.0, 0.4, 9.0, 6]))

    assert BleuSlope.from_json(slope.to_json()) == slope


def test_words_are_worth_their_gain_less_the_cost_and_the_first_counts_most():
    worth = WordWorth({"roofs": 1.1, "sky": 0.6, "sheep": 0.0}, cost=0.1, discount=0.5)

    said = [phrase("the roofs and sky"), phrase("sky and roofs"), phrase("roofs roofs"), phrase("sheep"), phrase("the")]
    assert worth.of(said) == pytest.approx([1.0 + 0.25, 0.5 + 0.5, 1.0, -0.1, 0.0])


def test_the_first_word_can_count_more():
    gain, said = {"roofs": 1.1, "sky": 0.6}, [phrase("the roofs and sky"), phrase("the")]

    plain, more = (WordWorth(gain, 0.1, 0.5, first).of(said) for first in (0.0, 2.0))

    assert (more - plain).tolist() == pytest.approx([2.0 * (1.1 - 0.1), 0.0])


def test_things_are_the_heads_that_name_one():
    said = [phrase("red roofs , mostly red"), phrase("sky and sea"), phrase("red roofs"), phrase("blue sky")]

    assert single_things(said, most=5) == [phrase("red roofs"), phrase("blue sky")]
    assert single_things(said, most=1) == [phrase("red roofs")]


def test_things_are_joined_in_every_order_unless_they_share_a_word():
    things = [phrase(text) for text in ("red roofs", "blue sky", "red sun", "sea")]
    told = [" ".join(thing) for thing in things]

    def apart(*chosen: str) -> bool:
        return all(not set(a.split()) & set(b.split()) for a, b in combinations(chosen, 2))

    twos = {f"{a} and {b}" for a, b in product(told, repeat=2) if apart(a, b)}
    threes = {f"{a} , {b} and {c}" for a, b, c in product(told, repeat=3) if apart(a, b, c)}
    assert {" ".join(one) for one in paired(things)} == twos
    assert {" ".join(one) for one in listed(things)} == threes
    assert len(paired(things)) == len(twos) == 10


def test_heads_are_crossed_with_each_others_clauses():
    made = crossed([phrase("red roofs , mostly red"), phrase("blue sky")], most=10)

    assert made == [phrase("red roofs"), phrase("blue sky , mostly red")]
    assert crossed([phrase("red roofs , mostly red"), phrase("blue sky")], most=1) == [phrase("red roofs")]


def test_two_things_are_named_in_the_other_order_and_clauses_stay():
    assert swapped(phrase("red roofs and sky , mostly red")) == phrase("sky and red roofs , mostly red")
    assert swapped(phrase("red roofs")) is None
    assert swapped(phrase("a and b and c")) is None
