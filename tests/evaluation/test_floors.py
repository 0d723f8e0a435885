"""Floors: exact, and found by search rather than by luck."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mami_core.evaluation.floors import (
    ConstantScorer,
    annotators_bleu,
    best_constant,
    nearest_captions,
    shuffled_bleu,
)
from mami_core.evaluation.text import NotComputed, bleu, bleu_statistics, words_of

TEXTS = st.lists(st.sampled_from(("red", "roofs", "of", "the", "sky,")), min_size=1, max_size=7).map(" ".join)
REFERENCES = st.lists(st.lists(TEXTS, min_size=1, max_size=3), min_size=1, max_size=6)
PRESETS = st.sampled_from(("milan", "sat", "coco"))


@given(references=REFERENCES, caption=TEXTS, preset=PRESETS)
def test_a_constant_caption_scores_as_when_every_unit_is_counted(
    references: list[list[str]], caption: str, preset: str
) -> None:
    quick = ConstantScorer(references, preset).statistics(words_of(caption, preset))

    slow = bleu_statistics([caption] * len(references), references, preset).sum(axis=0)

    assert quick.tolist() == slow.tolist()


@given(references=REFERENCES)
def test_the_best_constant_is_what_trying_every_reference_finds(references: list[list[str]]) -> None:
    choices = list(itertools.chain(*references))

    found = best_constant(choices, references)

    scores = [bleu([text] * len(references), references).score for text in choices]
    assert found.bleu.score == pytest.approx(max(scores))
    assert bleu([found.caption] * len(references), references).score == pytest.approx(max(scores))


def test_refining_never_lowers_the_floor() -> None:
    references = [["red roofs of houses"], ["red roofs of sheds"], ["blue roofs of houses and sheds"]]
    choices = ["blue roofs of sheds"]

    plain, refined = best_constant(choices, references), best_constant(choices, references, refine=10)

    assert refined.bleu.score > plain.bleu.score
    assert refined.tried > plain.tried


def test_no_candidate_that_says_anything_is_refused() -> None:
    with pytest.raises(ValueError, match="no candidate says anything"):
        best_constant(["", " . "], [["a roof"]])


def test_shuffling_keeps_the_words_and_loses_the_units() -> None:
    captions = [f"thing{n} of kind{n} at place{n}" for n in range(30)]
    references = [[caption] for caption in captions]

    scores = shuffled_bleu(captions, references, seed=3)

    assert bleu(captions, references).score == pytest.approx(100)
    assert max(scores) < 20
    assert scores == shuffled_bleu(captions, references, seed=3)
    assert scores != shuffled_bleu(captions, references, seed=4)


def test_the_nearest_units_caption_is_copied() -> None:
    known = np.array([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]])
    captions = [["east", "right"], ["north"], ["nowhere"]]

    found = nearest_captions(np.array([[5.0, 1.0], [0.1, 0.2], [0.0, 0.0]]), known, captions)

    assert found == ["east", "north", "east"]


@given(
    features=st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=1, max_size=5),
    scale=st.floats(0.1, 100),
)
def test_a_features_length_does_not_matter(features: list[tuple[float, float]], scale: float) -> None:
    known = np.array([[1.0, 0.2], [-0.3, 1.0], [-1.0, -1.1]])
    captions = [["a"], ["b"], ["c"]]
    values = np.round(np.array(features), 2)

    assert nearest_captions(values * 2, known, captions) == nearest_captions(values, known * 4, captions)
    assert len(nearest_captions(values * scale, known, captions)) == len(values)


@pytest.mark.parametrize(
    ("features", "known", "says"),
    [
        (np.zeros((1, 3)), np.zeros((2, 2)), "do not fit"),
        (np.zeros((1, 2)), np.zeros((1, 2)), "1 known features but captions of 2"),
        (np.full((1, 2), np.nan), np.zeros((2, 2)), "not finite"),
    ],
)
def test_features_that_do_not_fit_are_refused(features: np.ndarray, known: np.ndarray, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        nearest_captions(features, known, [["a"], ["b"]])


def test_annotators_are_held_against_the_others_of_their_units() -> None:
    references = [["a red roof", "a red roof"], ["sky"], ["a red roof", "the blue sky", "a red roof"]]

    found = annotators_bleu(references)

    assert not isinstance(found, NotComputed)
    assert list(found) == [0, 1, 2]
    assert found[0].orders[0] == pytest.approx(100)
    assert found[1].orders[0] == pytest.approx(50)
    assert found[2].orders[0] == pytest.approx(100)


def test_one_annotator_has_nobody_to_agree_with() -> None:
    assert isinstance(annotators_bleu([["a roof"], ["sky", " . "]]), NotComputed)


@pytest.mark.data
def test_one_caption_for_all_units_beats_published_captions(data_dir: Path) -> None:
    import pandas as pd

    wrote = pd.read_csv(data_dir / "descriptions" / "milannotations_resnet152_imagenet.csv", keep_default_na=False)
    references = wrote.groupby(["layer", "unit"])["summary"].apply(list).tolist()

    found = best_constant(wrote["summary"], references)

    assert found.bleu.score > 3.5
    if len(references) == 3132:
        assert round(found.bleu.score, 2) >= 4.80
