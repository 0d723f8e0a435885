"""Sparse word overlap and TF-IDF against scikit-learn, and against sets written out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from mami_core.probing.words import TextIndex, folded, tfidf_cosine, word_f1, words_of

TEXT = st.lists(st.sampled_from(["red", "blue", "sky", "sea", "tree", "trees", "dogs", "the"]), max_size=6).map(
    " ".join
)
SPOKEN = TEXT.filter(bool)
MAYBE = st.one_of(st.none(), TEXT)


@given(texts=st.lists(SPOKEN, min_size=1, max_size=12), query=SPOKEN)
def test_tfidf_cosines_are_scikit_learns(texts: list[str], query: str) -> None:
    oracle = TfidfVectorizer(tokenizer=folded, token_pattern=None, lowercase=False)
    expected = (oracle.fit_transform(texts) @ oracle.transform([query]).T).toarray().ravel()

    assert TextIndex.of(texts).cosine(query) == pytest.approx(expected, abs=1e-12)


@given(first=st.lists(MAYBE, min_size=1, max_size=8), shuffle=st.randoms())
def test_word_f1_is_that_of_sets_and_symmetric(first: list[str | None], shuffle) -> None:
    second = list(first)
    shuffle.shuffle(second)

    found = word_f1(first, second)

    for score, a, b in zip(found, first, second, strict=True):
        if not a or not b:
            assert np.isnan(score)
        else:
            one, other = set(words_of(a)), set(words_of(b))
            assert score == pytest.approx(2 * len(one & other) / (len(one) + len(other)))
    assert found == pytest.approx(word_f1(second, first), nan_ok=True)


@given(texts=st.lists(SPOKEN, min_size=1, max_size=8))
def test_a_text_agrees_fully_with_itself(texts: list[str]) -> None:
    assert word_f1(texts, texts) == pytest.approx(np.ones(len(texts)))
    assert tfidf_cosine(texts, texts) == pytest.approx(np.ones(len(texts)))


def test_what_nobody_said_is_like_nothing_and_not_like_zero() -> None:
    index = TextIndex.of(["a dog", None, "a tree"])

    assert np.isnan(index.cosine("dog")).tolist() == [False, True, False]
    assert index.cosine("unheard") == pytest.approx([0, np.nan, 0], nan_ok=True)


@pytest.mark.parametrize(
    ("plural", "one"),
    [("dogs", "dog"), ("skies", "sky"), ("buses", "bus"),
     ("glasses", "glass"), ("boxes", "box"), ("branches", "branch"),
     ("grass", "grass"), ("cactus", "cactus"), ("tennis", "tennis"), ("bus", "bus"), ("houses", "house")],
)  # fmt: skip
def test_plurals_fold_and_other_words_stay(plural: str, one: str) -> None:
    assert folded(plural) == folded(one)
