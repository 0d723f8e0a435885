import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mami_core.captioning.tokens import tokenize
from mami_core.captioning.vocabulary import SPECIALS, Vocabulary

WORDS = st.lists(st.from_regex(r"[a-z]{1,8}", fullmatch=True), min_size=1, max_size=30, unique=True)


@given(WORDS, st.data())
@settings(deadline=None)
def test_known_words_come_back_from_their_ids(words, data):
    known = Vocabulary(tuple(words))
    text = data.draw(st.lists(st.sampled_from(words), max_size=20))
    assert known.decode(known.encode(text)) == tuple(text)


@given(st.text(max_size=80))
@settings(deadline=None)
def test_tokens_hold_every_character_but_white_space_in_order(text):
    text = text.lower()
    assert "".join(tokenize(text)) == "".join(text.split())


@given(WORDS)
@settings(deadline=None)
def test_ids_are_words_then_start_stop_pad_unk(words):
    known = Vocabulary(tuple(words))
    assert [known.start, known.stop, known.pad, known.unk] == [len(words) + place for place in range(4)]
    assert len(known) == len(words) + 4


def test_words_are_ranked_by_count_then_first_appearance():
    known = Vocabulary.from_texts(["blue sky", "red sky", "red roof"])
    assert known.words == ("sky", "red", "blue", "roof")


def test_cut_off_by_size_and_by_count():
    texts = ["blue sky", "red sky", "red roof"]
    assert Vocabulary.from_texts(texts, size=1).words == ("sky",)
    assert Vocabulary.from_texts(texts, min_count=2).words == ("sky", "red")


def test_unknown_words_are_unk_and_are_not_said():
    known = Vocabulary(("sky",))
    assert known.encode("pink sky") == [known.unk, 0, known.stop]
    assert known.decode([known.unk, 0, known.stop, 0]) == ("sky",)


def test_batch_pads_behind_the_stop_and_cuts_before_it():
    known = Vocabulary(("blue", "sky"))
    assert known.batch(["blue sky", "sky"]).tolist() == [[0, 1, known.stop], [1, known.stop, known.pad]]
    assert known.batch(["blue blue sky"], length=1).tolist() == [[0, known.stop]]


def test_a_vocabulary_survives_json():
    known = Vocabulary(("sky", "o'neill"))
    assert Vocabulary.from_json(known.to_json()) == known


@pytest.mark.parametrize(
    ("words", "message"), [(("sky", "sky"), "distinct words, got twice: sky"), (("<stop>",), "may not be <stop>")]
)
def test_odd_words_are_refused(words, message):
    with pytest.raises(ValueError, match=message):
        Vocabulary(words)


def test_texts_without_words_are_refused():
    with pytest.raises(ValueError, match="no word occurs 3 times"):
        Vocabulary.from_texts(["sky"], min_count=3)


def test_an_id_out_of_range_is_refused():
    with pytest.raises(ValueError, match="token id 9 is not in a vocabulary of 5 ids"):
        Vocabulary(("sky",)).decode([9])


def test_specials_in_a_text_are_not_special():
    known = Vocabulary(("sky",))
    assert all(token not in (known.start, known.pad) for token in known.encode("<start> <pad>"))
    assert set(SPECIALS) == {"<start>", "<stop>", "<pad>", "<unk>"}
