"""The grammar that reads captions."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mami_core.scenery.lexicon import PHRASES
from mami_core.scenery.reading import read_caption
from mami_core.scenery.wording import Meaning


def test_a_caption_is_read_in_order_with_its_looks_and_place():
    said = read_caption("Red tiled roofs and dark green pine trees at the top of the image, in farms.")

    assert said.parts == ("roof", "pine tree")
    assert said.colours == ("red", "dark green")
    assert said.textures == ("tiled",)
    assert said.positions == ("top",)
    assert said.places == ("farm",)
    assert (said.operator, said.unread_words, said.words) == ("and", (), 16)


def test_a_part_said_twice_stands_once():
    assert read_caption("roofs, doors and rooftops").parts == ("roof", "door")


@pytest.mark.parametrize(
    ("text", "parts", "denied"),
    [
        ("roofs without windows", ("roof",), ("window",)),
        ("trees but not pine trees", ("tree",), ("pine tree",)),
        ("no doors or windows, only walls", ("wall",), ("door", "window")),
        ("no dogs in front of barns", ("barn",), ("dog",)),
        ("not in forests with rocks", ("rock",), ()),
    ],
)
def test_what_is_denied_is_not_named(text, parts, denied):
    said = read_caption(text)

    assert said.parts == parts
    assert tuple(meaning.name for meaning in said.negated if meaning.category == "part") == denied


def test_a_denied_place_is_denied():
    assert Meaning("place", "forest") in read_caption("trees not in forests").negated


@pytest.mark.parametrize(
    ("text", "operator"),
    [("roofs or doors", "or"), ("roofs and doors", "and"), ("red roofs", None), ("roofs, or doors and walls", "or")],
)
def test_operators(text, operator):
    assert read_caption(text).operator == operator


@pytest.mark.parametrize(
    ("text", "relation"),
    [("windows above doors", "above"), ("a dog under tables", "below"), ("boats next to piers", "beside"),
     ("trees in front of houses", "against"), ("hay on top of cars", "above")],
)  # fmt: skip
def test_relations(text, relation):
    assert read_caption(text).relations == (relation,)


def test_a_comma_ends_a_phrase():
    assert read_caption("street, lamps").parts == ("road", "lamp")
    assert read_caption("street lamps").parts == ("street lamp",)


def test_unknown_words_are_handed_back():
    assert read_caption("purple xylophones near the sea").unread_words == ("xylophones",)


def test_hyphens_and_capitals_do_not_matter():
    assert (
        read_caption("Light-Blue SNOW-COVERED roofs").meanings == read_caption("light blue snow covered roofs").meanings
    )


def test_an_empty_caption_says_nothing():
    said = read_caption(" . ")

    assert (said.meanings, said.words, said.operator) == ((), 0, None)


@settings(max_examples=150)
@given(st.lists(st.sampled_from(sorted(PHRASES)), min_size=1, max_size=6))
def test_a_list_of_phrases_is_read_back_in_order(phrases):
    text = ", ".join(" ".join(tokens) for tokens in phrases)

    assert read_caption(text).meanings == tuple(dict.fromkeys(PHRASES[tokens] for tokens in phrases))


@given(st.text())
def test_any_text_can_be_read(text):
    said = read_caption(text)

    assert len(said.unread_words) <= said.words
