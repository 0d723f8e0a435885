"""Which head wins where, and which words it is responsible for, against counts made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from probed_dissection import made_head, probed

from mami_core.probing.head_roles import head_words, heads_by_layer, responsible_words
from mami_core.store import Dissection

SAID = {"one": {("l", 0): "red sky", ("l", 1): "a dog , red", ("m", 0): "a tree"}, "two": {("l", 0): "red sky"}}
SHARES = {  # by unit: what of each word is the head p's; the rest is q's
    ("l", 0): (0.7, 0.4),
    ("l", 1): (0.5, 0.9, 0.2, 0.8),
    ("m", 0): (0.1, 0.2),
}


@pytest.fixture(scope="module")
def dissection(tmp_path_factory: pytest.TempPathFactory) -> Dissection:
    rng = np.random.default_rng(0)
    heads = {
        key: [
            made_head("p", shares, [0.25] * len(shares), "alone"),
            made_head("q", [1 - share for share in shares], [0.75] * len(shares), "alone"),
            made_head("combined", [1.0] * len(shares), [0.5] * len(shares), "both"),
        ]
        for key, shares in SHARES.items()
    }
    peaks = {"l": rng.random((20, 2)), "m": rng.random((20, 1))}
    return probed(tmp_path_factory.mktemp("roles") / "one", peaks, captions=SAID, heads={"one": heads})


def wins(word: str) -> list[bool]:
    """Return for each time a word was said whether p won it; a tie goes to the first head."""
    return [
        share >= 0.5
        for key, shares in SHARES.items()
        for said, share in zip(SAID["one"][key].split(), shares, strict=True)
        if said == word
    ]


def test_the_table_of_words_adds_up_to_what_each_head_did(dissection: Dissection) -> None:
    table = head_words(dissection, "one").set_index(["word", "head"])

    for word in ("red", "sky", "a", "dog", ",", "tree"):
        assert table.loc[(word, "p"), "count"] == len(wins(word))
        assert table.loc[(word, "p"), "wins"] == pytest.approx(np.mean(wins(word)))
    assert table.loc[("a", "p"), "share"] == pytest.approx((0.5 + 0.1) / 2)
    assert table.loc[("a", "q"), "mask_overlap"] == pytest.approx(0.75)
    assert table.groupby("word")["wins"].sum().to_numpy() == pytest.approx(1)
    assert set(head_words(dissection, "one", layer="m")["word"]) == {"a", "tree"}
    assert set(head_words(dissection, "one", least=2)["word"]) == {"a", "red"}


def test_a_captioner_without_several_heads_has_no_roles(dissection: Dissection) -> None:
    assert head_words(dissection, "two").empty
    assert heads_by_layer(dissection, "two").empty
    assert responsible_words(head_words(dissection, "two")).empty


def test_wins_by_layer_are_of_all_words_said_there(dissection: Dissection) -> None:
    table = heads_by_layer(dissection, "one").set_index(["layer", "head"])

    assert table.index.tolist() == [("l", "p"), ("l", "q"), ("m", "p"), ("m", "q")]
    assert table.loc[("l", "p"), ["count", "wins"]].tolist() == [6, pytest.approx(4 / 6)]
    assert table.loc[("m", "q"), ["count", "wins"]].tolist() == [2, 1]
    assert table.loc[("m", "q"), "share"] == pytest.approx((0.9 + 0.8) / 2)


def test_a_head_is_responsible_for_the_words_it_wins_more_often_than_others(dissection: Dissection) -> None:
    table = responsible_words(head_words(dissection, "one"), count=2)

    p, q = (table[table["head"] == head] for head in "pq")
    assert p["word"].tolist() == ["red", "dog"], "won always; the word said more often first"
    assert p["more"].tolist() == pytest.approx([1 - 4 / 8] * 2)
    assert q["word"].tolist()[0] in {"sky", ",", "tree"}
    assert (table["more"] > 0).all()
