"""BLEU against MILAN's own figures, sacrebleu's corpus score and COCO's scorer; variety and repetition by hand."""

from __future__ import annotations

import doctest
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mami_core.evaluation import text
from mami_core.evaluation.coco import coco_metrics
from mami_core.evaluation.text import (
    NotComputed,
    bleu,
    bleu4,
    bleu_from_statistics,
    bleu_statistics,
    clean_coco,
    distinct_n,
    lengths,
    longest_repetition,
    words_of,
    zip_truncated,
)

WORDS = ("red", "roofs", "of", "houses", "the", "sky,", "dogs'", "noses", ".", "Wheels")
TEXTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=9).map(" ".join)
CORPORA = st.lists(st.tuples(TEXTS, st.lists(TEXTS, min_size=1, max_size=4)), min_size=1, max_size=6)


def test_preset_milan_gives_the_references_figures(golden_dir: Path) -> None:
    sets = json.loads((golden_dir / "bleu" / "bleu.json").read_text())["sets"]
    for name, entry in sets.items():
        found = bleu(entry["predictions"], zip_truncated(entry["references"]))

        assert found.score == pytest.approx(entry["score"], abs=1e-9), name
        assert found.brevity_penalty == pytest.approx(entry["bp"], abs=1e-12), name
        assert list(found.precisions) == pytest.approx(entry["precisions"], abs=1e-9), name
        assert (found.caption_words, found.reference_words) == (entry["sys_len"], entry["ref_len"]), name


@given(corpus=CORPORA)
def test_preset_milan_is_sacrebleus_corpus_score_with_every_reference(
    corpus: list[tuple[str, list[str]]],
) -> None:
    import sacrebleu

    corpus = [(caption, [text for text in given if text.strip(". ")] or ["x"]) for caption, given in corpus]
    captions, references = [c for c, _ in corpus], [r for _, r in corpus]
    most = max(map(len, references))
    clean = [[text.lower().strip(". ") for text in given] for given in references]
    streams = [[given[n] if n < len(given) else None for given in clean] for n in range(most)]

    expected = sacrebleu.corpus_bleu([caption.lower().strip(". ") for caption in captions], streams)

    assert bleu(captions, references).score == pytest.approx(expected.score, abs=1e-9)


def test_preset_coco_is_pycocoevalcaps_bleu() -> None:
    scorer = pytest.importorskip("pycocoevalcap.bleu.bleu_scorer").BleuScorer(n=4)
    captions = ["The dog's nose and red-brown fur", "windows above a door, roof", "the sky over a wide green field"]
    references = [
        ["a dog's nose and red-brown ears", "dog's nose"],
        ["windows above a door of the roof", "a door"],
        ["the blue sky over a wide green field of grass", "sky"],
    ]
    for caption, given_texts in zip(captions, references, strict=True):
        scorer += (clean_coco(caption), [clean_coco(text) for text in given_texts])

    expected, _ = scorer.compute_score(option="closest", verbose=0)

    assert bleu(captions, references, "coco").orders == pytest.approx([100 * value for value in expected], abs=1e-5)


@given(corpus=CORPORA)
def test_preset_sat_is_the_geometric_mean_of_plain_precisions(corpus: list[tuple[str, list[str]]]) -> None:
    captions, references = [c for c, _ in corpus], [[*r, "red"] for _, r in corpus]
    total = bleu_statistics(captions, references, "sat").sum(axis=0)

    found = bleu(captions, references, "sat")

    for order in range(1, 5):
        shares = [total[1 + n] / total[5 + n] if total[5 + n] else 0.0 for n in range(1, order + 1)]
        assert found.orders[order - 1] == pytest.approx(100 * float(np.prod(shares)) ** (1 / order), abs=1e-9)


@given(rows=st.lists(st.lists(st.integers(0, 6), min_size=5, max_size=5), min_size=1, max_size=5))
@pytest.mark.parametrize("preset", ["milan", "sat", "coco"])
def test_many_corpora_at_once_score_what_each_scores(rows: list[list[int]], preset: str) -> None:
    totals = []
    for words, reference, *missing in rows:
        grams = [max(words - order, 0) for order in range(4)]
        matches = [max(count - lost, 0) for count, lost in zip(grams, [0, *missing], strict=True)]
        totals.append([words, reference, *matches, *grams])

    each = [bleu_from_statistics(np.array(total), preset).score for total in totals]

    assert bleu4(np.array(totals), preset) == pytest.approx(each, abs=1e-9)


def test_uneven_references_are_all_kept() -> None:
    captions, references = ["red roofs of houses", "the sky"], [["roofs", "red roofs of houses"], ["the sky"]]

    assert bleu(captions, references).orders[0] == pytest.approx(100)
    assert bleu(captions, zip_truncated(references)).orders[0] < 100


@given(corpus=CORPORA)
def test_statistics_of_units_add_up_in_any_order(corpus: list[tuple[str, list[str]]]) -> None:
    captions, references = [c for c, _ in corpus], [[*r, "red"] for _, r in corpus]

    backwards = bleu(captions[::-1], references[::-1])

    assert backwards == bleu(captions, references)


def test_brevity_is_punished_in_milan_and_shown_but_not_applied_in_sat() -> None:
    captions, references = ["red roofs of houses"], [["red roofs of houses in the old town"]]

    milan, sat = bleu(captions, references), bleu(captions, references, "sat")

    assert milan.brevity_penalty == sat.brevity_penalty == pytest.approx(np.exp(-1))
    assert milan.score == pytest.approx(100 * np.exp(-1))
    assert sat.score == pytest.approx(100)


def test_empty_captions_score_nothing_and_do_not_fail() -> None:
    for preset in ("milan", "sat", "coco"):
        found = bleu(["", ""], [["a roof"], ["sky"]], preset)
        assert (found.score, found.brevity_penalty, found.caption_words) == (0.0, 0.0, 0)


def test_other_languages_are_counted_too() -> None:
    assert bleu(["Rote Dächer über Häusern"], [["rote Dächer über Häusern"]]).score == pytest.approx(100)
    assert words_of("κόκκινες στέγες") == ["κόκκινες", "στέγες"]


@pytest.mark.parametrize(
    ("captions", "references", "preset", "says"),
    [
        (["a"], [[]], "milan", "unit number 0 has no reference"),
        (["a"], [[" . "]], "milan", "unit number 0 has no reference"),
        (["a", "b"], [["a"]], "milan", "2 captions but references of 1"),
        (["a"], [["a"]], "nltk", "no BLEU preset 'nltk'; there are milan, sat, coco"),
    ],
)
def test_what_cannot_be_scored_is_refused(
    captions: list[str], references: list[list[str]], preset: str, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        bleu(captions, references, preset)


def test_no_units_at_all_score_nothing() -> None:
    assert bleu_from_statistics(np.zeros(10, dtype=np.int64)).score == 0


def test_coco_words_are_cut_as_the_treebank_does() -> None:
    assert clean_coco("Dogs' noses, don't; it's \"red\" {2.5 m)!") == "dogs noses do n't it 's red -lcb- 2.5 m -rrb-"


def test_the_examples_in_the_words_of_the_code_are_true() -> None:
    assert doctest.testmod(text).attempted >= 3
    assert doctest.testmod(text).failed == 0


def test_distinct_n_counts_different_phrases() -> None:
    assert distinct_n(["a roof", "a door"], 1) == 3 / 4
    assert distinct_n(["a roof", "a roof", "a door"], 2) == 2 / 3
    assert isinstance(distinct_n(["roof", ""], 2), NotComputed)


@given(words=st.lists(st.sampled_from("abc"), max_size=10))
def test_the_longest_repetition_is_what_trying_all_pairs_finds(words: list[str]) -> None:
    found = [
        size
        for size in range(1, len(words) + 1)
        for first in range(len(words))
        for second in range(first + size, len(words) - size + 1)
        if words[first : first + size] == words[second : second + size]
    ]

    assert longest_repetition(" ".join(words)) == max(found, default=0)


def test_lengths_are_in_words() -> None:
    found = lengths(["a roof", "", "a red roof", "the sky"])

    assert (found.mean, found.median, found.mode, found.longest, found.empty) == (1.75, 2.0, 2, 3, 1)
    with pytest.raises(ValueError, match="no captions"):
        lengths([])


def test_cider_and_rouge_are_pycocoevalcaps() -> None:
    pytest.importorskip("pycocoevalcap")
    captions, references = ["a red roof", "the sky"], [["a red roof", "roofs"], ["the blue sky"]]

    found = coco_metrics(captions, references, meteor=False)

    assert found["rouge_l"] == pytest.approx((1 + 2.44 * 1 * 2 / 3 / (2 / 3 + 1.44 * 1)) / 2)
    assert isinstance(found["cider"], float)
    assert isinstance(found["meteor"], NotComputed)


@pytest.mark.slow
def test_meteor_cider_and_rouge_are_what_pycocoevalcap_itself_says() -> None:
    pytest.importorskip("pycocoevalcap")
    if shutil.which("java") is None:
        pytest.skip("needs Java: METEOR 1.5 is a Java program")
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.meteor.meteor import Meteor
    from pycocoevalcap.rouge.rouge import Rouge

    captions = ["red roofs of houses", "the sky", "a dog on grass", "windows"]
    references = [["red roofs of small houses", "roofs"], ["the blue sky above"], ["grass", "a dog"], ["doors"]]
    said = {place: [caption] for place, caption in enumerate(captions)}
    given = dict(enumerate(references))
    found = coco_metrics(captions, references)
    for name, metric in (("meteor", Meteor), ("cider", Cider), ("rouge_l", Rouge)):
        assert found[name] == pytest.approx(metric().compute_score(given, said)[0]), name


@pytest.mark.slow
def test_meteor_is_1_for_the_very_words() -> None:
    pytest.importorskip("pycocoevalcap")
    found = coco_metrics(["a red roof of a house"], [["a red roof of a house"]])["meteor"]
    if isinstance(found, NotComputed):
        pytest.skip(found.reason)

    assert found == pytest.approx(1.0)


def test_meteor_without_java_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("pycocoevalcap")
    monkeypatch.setenv("PATH", str(tmp_path))

    found = coco_metrics(["a roof"], [["a roof"]])["meteor"]

    assert isinstance(found, NotComputed)
    assert "needs Java" in found.reason


@pytest.mark.data
def test_published_milan_captions_score_what_they_score(data_dir: Path) -> None:
    import pandas as pd

    folder = data_dir / "descriptions"
    said = pd.read_csv(folder / "milan_places365_on_resnet152_imagenet.csv", keep_default_na=False)
    wrote = pd.read_csv(folder / "milannotations_resnet152_imagenet.csv", keep_default_na=False)
    references = wrote.groupby(["layer", "unit"])["summary"].apply(list)
    keys = pd.MultiIndex.from_frame(said[["layer", "unit"]])

    found = bleu(said["description"].tolist(), references.loc[keys].tolist())

    assert found.brevity_penalty < 1
    if len(said) == 3132:  # another pack of the same layout has other units, and another figure
        assert found.score == pytest.approx(2.79, abs=0.01)
