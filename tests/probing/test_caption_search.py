"""Search against Python's own regular expressions, patterns that would hang them, and its speed over 30,000 units."""

from __future__ import annotations

import re
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from probed_dissection import probed

from mami_core.probing.search import LONGEST_QUERY, SearchIndex, as_column, contains, matches, open_search, says
from mami_core.probing.sentences import SentenceModel
from mami_core.store import Dissection, DissectionWriter, LayerInfo, Manifest

SAID = {
    "one": {("l", 0): "Red cars (old) on a road", ("l", 1): "dogs near trees", ("l", 2): "a dog"},
    "two": {("l", 1): "animals", ("l", 2): "a red dog"},
}
TEXTS = st.lists(st.one_of(st.none(), st.text("aAbB .()*", max_size=8)), min_size=1, max_size=10)


@pytest.fixture(scope="module")
def dissection(tmp_path_factory: pytest.TempPathFactory) -> Dissection:
    return probed(
        tmp_path_factory.mktemp("search") / "one", {"l": np.random.default_rng(0).random((9, 3))}, captions=SAID
    )


@given(texts=TEXTS, wanted=st.text("aAb.(*", min_size=1, max_size=3))
def test_text_is_found_as_it_stands_whatever_the_case(texts: list[str | None], wanted: str) -> None:
    expected = [bool(text) and wanted.lower() in text.lower() for text in texts]

    assert contains(as_column(texts), wanted).tolist() == expected


@pytest.mark.parametrize("pattern", ["a", "^b", r"\bab?\b", "(a|b)+$", "a.b", "[^a]b", "a{2,3}", r"\.|\("])
@given(texts=TEXTS)
def test_patterns_mean_what_they_mean_in_python(pattern: str, texts: list[str | None]) -> None:
    expected = [bool(text) and re.search(pattern, text, re.IGNORECASE) is not None for text in texts]

    assert matches(as_column(texts), pattern).tolist() == expected


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [("(a+)+$", False), ("(a|a)*$", True), ("(a*)*b", False), ("(.*a){12}c", False), (r"(\w+\s?)+!", False)],
)
def test_patterns_that_hang_a_backtracking_engine_are_answered(pattern: str, fits: bool) -> None:
    column = as_column(["a" * 3000 + "X"] * 200)  # Python's own `re` would need longer than the universe is old

    assert matches(column, pattern).tolist() == [fits] * 200


@pytest.mark.parametrize(
    ("pattern", "why"),
    [("(", "missing"), ("[a-", "missing"), ("(?=a)", "look-around"), (r"(a)\1", "back-references"),
     ("((((a{1,100}){1,100}){1,100}){1,100})", "counts"), ("a" * (LONGEST_QUERY + 1), "at most")],
)  # fmt: skip
def test_what_cannot_be_searched_for_is_refused_with_the_reason(pattern: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        matches(as_column(["a"]), pattern)


def test_slashes_make_a_pattern() -> None:
    column = as_column(["a dog", "/a/", None])

    assert says(column, "/^a/").tolist() == [True, False, False]
    assert says(column, "/a").tolist() == [False, True, False]


def test_each_search_gives_who_said_it_and_where(dissection: Dissection) -> None:
    index = open_search(dissection)

    assert index.search("red")[["unit", "captioner"]].to_numpy().tolist() == [[0, "one"], [2, "two"]]
    assert index.search("(old)")["unit"].tolist() == [0]
    assert index.search("^a .*dog$", "pattern")["caption"].tolist() == ["a dog", "a red dog"]
    assert index.search(" ").empty
    assert index.search("red", count=1)["unit"].tolist() == [0]
    with pytest.raises(ValueError, match="no search by"):
        index.search("red", "guess")  # type: ignore[arg-type]


def test_meaning_ranks_by_tfidf_and_says_so(dissection: Dissection) -> None:
    index = open_search(dissection)
    found = index.search("a red dog", "meaning")

    assert index.method == "TF-IDF of words"
    assert (found["caption"][0], found["score"][0]) == ("a red dog", pytest.approx(1))
    assert found["score"].is_monotonic_decreasing
    assert set(index.search("dog", "meaning")["caption"]) == {"a red dog", "a dog", "dogs near trees"}
    assert index.search("unheard of", "meaning").empty


def test_nothing_captioned_finds_nothing(tmp_path: Path) -> None:
    index = open_search(probed(tmp_path / "bare", {"l": np.ones((4, 2))}))

    for mode in ("text", "pattern", "meaning"):
        assert index.search("a", mode).empty  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def sentence_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small random transformer, saved as any sentence model is."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("models") / "tiny-sentences"
    folder.mkdir()
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "red", "dog", "dogs", "a", "cars", "trees", "near"]
    (folder / "vocab.txt").write_text("\n".join(words))
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    BertModel(BertConfig(vocab_size=len(words), **sizes)).save_pretrained(folder)
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


def test_a_sentence_models_vector_does_not_depend_on_its_batch(sentence_model: Path) -> None:
    model = SentenceModel.open(sentence_model)
    texts = ["a dog", "red cars near trees a dog", "dogs"]

    together = model.embed(texts)

    assert together == pytest.approx(np.concatenate([model.embed([text]) for text in texts]), abs=1e-5)
    assert np.linalg.norm(together, axis=1) == pytest.approx(1, abs=1e-5)


def test_meaning_uses_the_sentence_model_that_was_named(dissection: Dissection, sentence_model: Path) -> None:
    index = open_search(dissection, model=sentence_model)

    found = index.search("a dog", "meaning", count=1)

    assert index.method == "sentence model tiny-sentences"
    assert (found["caption"][0], found["score"][0]) == ("a dog", pytest.approx(1, abs=1e-5))


def test_a_folder_without_a_model_is_refused(dissection: Dissection, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no sentence model"):
        open_search(dissection, model=tmp_path)


def many_units(folder: Path, units: int) -> Dissection:
    """Write a dissection of captions only."""
    rng = np.random.default_rng(3)
    words = np.array([f"word{number}" for number in range(1500)])
    weight = 1 / np.arange(1, 1501)
    drawn = rng.choice(words, size=(units, 9), p=weight / weight.sum())
    layers = tuple(LayerInfo(f"layer{number}", units // 10, (1, 1)) for number in range(10))
    manifest = Manifest(folder.name, "made", None, "made", 1, "1" * 64, True, {}, layers)
    writer = DissectionWriter.create(folder, manifest)
    keys = pd.DataFrame(
        [(layer.name, unit) for layer in layers for unit in range(layer.units)], columns=["layer", "unit"]
    )
    writer.write_units(keys.assign(state="alive"))
    from mami_core.store import layout

    said = keys.assign(caption=[" ".join(row) for row in drawn], state="ok")
    writer.write_table(layout.captions_file("milan"), said, layout.CAPTION_SCHEMA)
    writer.update(captioners={"milan": {}})
    return Dissection.open(folder)


@pytest.mark.slow
def test_30000_units_are_searched_in_300_ms(tmp_path: Path) -> None:
    index = SearchIndex.of(many_units(tmp_path / "many", 30_000))
    taken = {}
    for mode, wanted in (("text", "word77"), ("pattern", "word7.* word1\\b"), ("meaning", "word5 word99 word1")):
        started = time.process_time()
        found = index.search(wanted, mode)  # type: ignore[arg-type]
        taken[mode] = time.process_time() - started
        assert len(found)

    print({mode: f"{1000 * seconds:.1f} ms" for mode, seconds in taken.items()})
    assert max(taken.values()) < 0.3
