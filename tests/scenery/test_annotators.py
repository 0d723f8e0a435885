"""Simulated annotators: the lengths of real annotations, the accuracy of careful people, natural phrases."""

from __future__ import annotations

import re

import numpy as np
import pytest
from made_world import made_contents

from mami_core.evaluation.truth import score_caption
from mami_core.scenery.annotators import annotate
from mami_core.scenery.lexicon import COLOUR_WORDS
from mami_core.scenery.reading import read_caption

UNITS = 320


def descriptions(style: str) -> list[tuple[str, str, str]]:
    return [annotate(content, style=style, seed=(7, unit)) for unit, content in enumerate(made_contents(UNITS))]


def lengths(style: str) -> np.ndarray:
    return np.array([[len(text.split()) for text in texts] for texts in descriptions(style)])  # (units, 3)


def test_short_descriptions_have_the_lengths_of_real_annotations():
    # MILANNOTATIONS of ResNet-152 on ImageNet: mean 4.6, median 4, 90 % of at most 8, 99 % of at most 21 words;
    # the first annotation of a unit averages 6.2 words, the others 3.9 and 3.6
    words = lengths("short")

    assert 4.1 <= words.mean() <= 5.1
    assert np.median(words) == 4
    assert 0.87 <= (words <= 8).mean() <= 0.93
    assert (words <= 21).mean() >= 0.985
    assert words[:, 0].mean() > 5.2 > 4.4 > words[:, 1:].mean()


def test_long_descriptions_are_long_with_a_tail_beyond_forty_words():
    words = lengths("long")

    assert 11.0 <= words.mean() <= 14.0
    assert (words > 15).mean() >= 0.20
    assert 0.003 <= (words >= 40).mean() <= 0.025


@pytest.mark.parametrize("style", ["short", "long"])
def test_each_annotator_is_as_right_as_the_studys(style):
    for annotator in range(3):
        scores = [
            score_caption(texts[annotator], content)
            for texts, content in zip(descriptions(style), made_contents(UNITS), strict=True)
        ]
        assert 0.72 <= np.mean([score["names_top"] for score in scores]) <= 0.87
        assert 0.86 <= np.nanmean([score["precision"] for score in scores]) <= 0.96
        assert 0.62 <= np.mean([score["first_is_top"] for score in scores]) <= 0.84


def test_the_vocabulary_is_wide_and_every_word_of_it_is_read():
    texts = [text for style in ("short", "long") for unit in descriptions(style) for text in unit]

    assert len({word for text in texts for word in re.findall(r"[a-z']+", text)}) >= 800
    assert {word for text in texts for word in read_caption(text).unread_words} == set()


def test_descriptions_are_lower_case_without_a_full_stop_or_stray_spaces():
    for text in (text for style in ("short", "long") for unit in descriptions(style) for text in unit):
        assert text == text.lower().strip(" .,")
        assert "  " not in text
        assert " ," not in text


def test_no_colour_or_word_is_doubled_and_no_place_said_by_two_clauses():
    colours = "|".join(adjective for words in COLOUR_WORDS.values() for adjective in words.adjectives)
    for text in (text for style in ("short", "long") for unit in descriptions(style) for text in unit):
        joined = re.sub(r"\b(dark|darker|light|lighter|bright|deep|pale|royal|slate|off) (?=\w)", r"\1_", text)
        assert not re.search(rf"\b({colours}) and \1\b", joined), text
        assert not re.search(r"\b(\w+) \1\b", joined), text
        assert not re.search(r"\b(a|an|the|some|several) (a|an|the|some|several)\b", text), text
        assert len(read_caption(text).places) <= 2, text


def test_articles_fit_the_next_word():
    for text in (text for style in ("short", "long") for unit in descriptions(style) for text in unit):
        assert not re.search(r"\ba [aeio]", text), text
        assert not re.search(r"\ban [^aeiou]", text), text


def test_the_seed_decides_the_words():
    content = made_contents(UNITS)[3]

    assert annotate(content, style="long", seed=1) == annotate(content, style="long", seed=1)
    assert len({annotate(content, style="long", seed=seed) for seed in range(12)}) > 6


def test_night_is_only_said_of_units_that_fire_at_night():
    for texts, content in zip(descriptions("long"), made_contents(UNITS), strict=True):
        for text in texts:
            for light in read_caption(text).names("light"):
                assert content.lights[0] == (light, max(share for _, share in content.lights))


def test_an_unknown_style_is_refused():
    with pytest.raises(ValueError, match="short, long"):
        annotate(made_contents(UNITS)[0], style="medium", seed=0)
