"""Units chosen by caption, by property and at random, on a dissection whose captions are known."""

from __future__ import annotations

import pytest
from made_dissection import COLOURS, DEAD, UNSPOKEN, make_dissection

from mami_core.probing.intervention.audit import audit, naming, share_of
from mami_core.probing.intervention.choosing import at_random, by_property, by_query, living_units, specificity
from mami_core.probing.intervention.naming import a_captioner, part_pattern, units_that_say
from mami_core.probing.intervention.tagging import open_tagger
from mami_core.store import Dissection

MILAN = "milan@made"  # says "red squares"; mami@made says "the red squares on gray"
MAMI = "mami@made"


@pytest.fixture(scope="module")
def squares(tmp_path_factory) -> Dissection:
    return Dissection.open(make_dissection(tmp_path_factory.mktemp("chosen") / "squares"))


@pytest.fixture(scope="module")
def bare(tmp_path_factory) -> Dissection:
    return Dissection.open(make_dissection(tmp_path_factory.mktemp("bare") / "squares", captioned=False))


@pytest.mark.parametrize(("wanted", "mode"), [("blue", "text"), ("^blue", "pattern"), ("blue", "meaning")])
def test_a_query_finds_the_units_that_say_it_by_every_search(squares, wanted, mode):
    blue = list(COLOURS).index("blue")
    assert set(by_query(squares, MILAN, wanted, mode, ()).keys) == {("early", blue), ("late.conv", blue)}
    assert units_that_say(squares, MILAN, wanted, mode, layers=("early",)) == [("early", blue)]


def test_a_quoted_word_is_a_whole_word(squares):
    assert len(units_that_say(squares, MILAN, '"square"')) == 0
    assert len(units_that_say(squares, MILAN, "square")) == 9


def test_what_fits_equally_is_drawn_by_the_seed_and_the_same_again_for_it(squares):
    orders = {by_query(squares, MILAN, "squares", "text", (), seed=seed).keys for seed in range(6)}
    assert len(orders) > 1
    assert all(set(order) == set(next(iter(orders))) for order in orders)
    assert by_query(squares, MILAN, "squares", "text", (), seed=2).keys in orders


def test_dead_units_are_never_chosen_and_silent_captions_have_no_property(squares):
    assert DEAD not in living_units(squares, ())
    order = by_property(squares, MAMI, "length", ())
    assert not {DEAD, UNSPOKEN} & set(order.keys)
    assert UNSPOKEN in order.among


def test_word_classes_of_painted_captions_are_counted_by_the_lexicon(squares):
    most = by_property(squares, MAMI, "colour", ())  # "the red squares on gray": two colours each
    assert len(most.keys) == 9
    assert by_property(squares, MAMI, "colour", (), least=True).said.startswith("least colour")


def test_rare_words_are_specific():
    values = specificity(["a sky", "a sky", "a sky", "a silo", None])
    assert values[3] > values[0] == values[1]
    assert values[4] != values[4]


def test_a_class_of_other_words_needs_a_tagger_and_is_counted_by_it(squares, tmp_path):
    with pytest.raises(ValueError, match=r"'NOUN' needs a tagger \(--tagger NAME or path.py:factory\)"):
        by_property(squares, MILAN, "NOUN", ())
    file = tmp_path / "tag.py"
    file.write_text(
        "class Last:\n    name = 'last'\n"
        "    def tags(self, texts):\n"
        "        return [[(w, 'NOUN' if w == 'squares' else 'ADJ') for w in t.split()] for t in texts]\n"
        "def make():\n    return Last()\n"
        "def three():\n    return 3\n"
    )
    assert len(by_property(squares, MILAN, "NOUN", (), tagger=open_tagger(f"{file}:make")).keys) == 9
    with pytest.raises(ValueError, match="last finds no 'VERB' in these captions; it finds ADJ, NOUN"):
        by_property(squares, MILAN, "VERB", (), tagger=open_tagger(f"{file}:make"))
    with pytest.raises(ValueError, match="gave int; a tagger has a name and tags"):
        open_tagger(f"{file}:three")
    with pytest.raises(ValueError, match="no tagger 'spacy'; installed: "):
        open_tagger("spacy")


def test_photographs_captions_have_no_lexicon(tmp_path):
    real = Dissection.open(make_dissection(tmp_path / "real", simulated=False))
    with pytest.raises(ValueError, match=r"'part' needs a tagger .* without one there are length, specificity"):
        by_property(real, MILAN, "part", ())


def test_random_units_are_all_units_in_some_order(squares):
    among = living_units(squares, ("early",))
    one, other = at_random(among, 0), at_random(among, 1)
    assert sorted(one.keys) == sorted(other.keys) == sorted(among)
    assert one.keys != other.keys


def test_refusals_are_one_sentence(squares, bare):
    with pytest.raises(ValueError, match="squares has no captions to search; run `mami caption"):
        a_captioner(bare, None)
    with pytest.raises(ValueError, match=r"'nobody' did not caption squares; milan@made, mami@made did"):
        a_captioner(squares, "nobody")
    with pytest.raises(ValueError, match=r"squares has no layer 'layer9'; it has early, late.conv"):
        by_query(squares, MILAN, "red", "text", ("layer9",))
    with pytest.raises(ValueError, match="no unit of squares has a caption by milan@made that fits 'camel'"):
        by_query(squares, MILAN, "camel", "text", ())
    with pytest.raises(ValueError, match="an empty query finds no unit"):
        by_query(squares, MILAN, " ", "text", ())
    with pytest.raises(ValueError, match="no painted part is called 'camel'"):
        part_pattern("camel")


def test_every_way_to_say_a_part_is_found_and_no_longer_word():
    import re

    pattern = re.compile(part_pattern("stove"))
    assert all(pattern.search(text) for text in ("black stoves", "an oven", "cookers and a road"))
    assert not pattern.search("stovepipes")


def test_an_audit_counts_units_by_layer_with_intervals(squares):
    found = naming(squares, MILAN, "blue")
    assert [(row.naming, row.units) for row in found.layers.values()] == [(1, 5), (1, 4)]
    assert found.all.naming == 2
    assert found.all.low <= found.all.share <= found.all.high
    assert share_of(found.said).share == pytest.approx(2 / 9)
    both = audit(squares, squares, "blue")
    assert both[MILAN]["difference"]["value"] == 0
    assert both[MILAN]["difference"]["low"] < 0 < both[MILAN]["difference"]["high"]


def test_an_audit_needs_a_captioner_of_both(squares, bare):
    with pytest.raises(ValueError, match=r"no captioner captioned both squares .* and squares \(nobody\)"):
        audit(squares, bare, "blue")
    with pytest.raises(ValueError, match="'someone' captioned both"):
        audit(squares, squares, "blue", captioners=("someone",))
