"""The table of words is complete and has one meaning a phrase."""

from __future__ import annotations

import pytest

from mami_core.scenery import lexicon
from mami_core.scenery.fillers import FILLERS
from mami_core.scenery.lexicon import KIND_OF, PHRASES, phrase_table
from mami_core.scenery.parts import COLOURS, LIGHTS, PARTS, PLACES, TEXTURES
from mami_core.scenery.reading import read_caption
from mami_core.scenery.wording import Meaning, pluralise, read_words


@pytest.mark.parametrize(
    ("table", "names"),
    [
        (lexicon.PART_WORDS, PARTS),
        (lexicon.COLOUR_WORDS, COLOURS),
        (lexicon.TEXTURE_WORDS, TEXTURES),
        (lexicon.PLACE_WORDS, PLACES),
        (lexicon.LIGHT_WORDS, LIGHTS),
        (lexicon.LIGHT_PHRASES, LIGHTS),
    ],
)
def test_everything_that_can_be_painted_has_words(table, names):
    assert set(table) == set(names)


def test_every_part_has_a_wider_word():
    assert set(KIND_OF) == set(PARTS)


def test_every_surface_form_is_read_as_its_own_meaning_and_nothing_else():
    for phrase, meaning in lexicon.surface_forms():
        said = read_caption(phrase)
        assert (said.meanings, said.unread_words) == ((meaning,), ()), phrase


def test_a_phrase_with_two_meanings_is_refused(monkeypatch):
    clash = {**lexicon.KIND_WORDS, "vehicle": read_words("vehicle, roof")}
    monkeypatch.setitem(lexicon.CATEGORIES, "kind", clash)

    with pytest.raises(ValueError, match="'roof' means both"):
        phrase_table()


def test_no_filler_is_a_phrase():
    assert not [word for word in FILLERS if (word,) in PHRASES]


@pytest.mark.parametrize("word", ["light", "lights", "image", "images", "photo"])
def test_words_about_images_and_bare_light_mean_nothing(word):
    assert (word,) not in PHRASES


@pytest.mark.parametrize(
    ("longer", "shorter"),
    [("pine tree", "tree"), ("road marking", "road"), ("street lamp", "lamp"), ("cable cars", "cars"),
     ("dark green", "green")],
)  # fmt: skip
def test_the_longer_phrase_wins_over_the_one_inside_it(longer, shorter):
    outer, inner = PHRASES[tuple(longer.split())], PHRASES[tuple(shorter.split())]

    assert outer != inner
    assert read_caption(f"a {longer} or {shorter}").meanings == (outer, inner)


def test_picture_is_only_the_framed_thing():
    assert PHRASES["pictures",] == Meaning("part", "picture")


@pytest.mark.parametrize(
    ("one", "many"),
    [("roof", "roofs"), ("bus", "buses"), ("row of seats", "rows of seats"), ("factory", "factories"), ("day", "days"),
     ("brush", "brushes"), ("pedestrian", "pedestrians"), ("bookshelf", "bookshelves"), ("tall woman", "tall women")],
)  # fmt: skip
def test_plurals(one, many):
    assert pluralise(one) == many


def test_the_table_is_rich():
    assert len({word for phrase in PHRASES for word in phrase}) >= 800
