"""Disagreement and agreement matrices against loops."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from probed_dissection import made_head, probed

from mami_core.probing.disagreement import (
    agreement_matrix,
    captioner_disagreement,
    head_disagreement,
    head_voices,
)
from mami_core.probing.noteworthy import selectivity, unit_measures, worth_a_look
from mami_core.store import Dissection

SAID = {
    "one": {("l", 0): "red sky", ("l", 1): "a dog", ("l", 2): "blue sea", ("m", 0): "a tree"},
    "two": {("l", 0): "red sky", ("l", 1): "a cat", ("m", 0): "grass"},
    "three": {("l", 0): "red sky", ("l", 1): "the moon", ("l", 2): "blue sea sky"},
}
HEADS = {
    "one": {
        ("l", 0): [made_head("p", (0.7, 0.4), (0.2, 0.3), "red"), made_head("q", (0.3, 0.6), (0.4, 0.5), "sky"),
                   made_head("combined", (1, 1), (0.3, 0.4), "red sky")],
        ("l", 1): [made_head("p", (0.5, 0.9), (0.0, 1.0), "a dog"), made_head("q", (0.5, 0.1), (0.0, 0.5), "a dog")],
        ("m", 0): [made_head("p", (0.1, 0.2), (0.1, 0.1), "tree"), made_head("q", (0.9, 0.8), (0.9, 0.9), "a tree")],
    }
}  # fmt: skip


@pytest.fixture(scope="module")
def dissection(tmp_path_factory: pytest.TempPathFactory) -> Dissection:
    rng = np.random.default_rng(0)
    peaks = {"l": rng.random((300, 4)), "m": rng.random((300, 1))}
    peaks["l"][:, 3] = 0
    peaks["l"][:, 2] = np.where(np.arange(300) < 3, 100.0, 0)  # fires on 1 % of the images only
    folder = tmp_path_factory.mktemp("disagree") / "one"
    return probed(folder, peaks, captions=SAID, heads=HEADS, states={("l", 3): "dead"})


def f1(a: str, b: str) -> float:
    one, other = set(a.split()), set(b.split())
    return 2 * len(one & other) / (len(one) + len(other))


def test_disagreement_is_one_minus_the_mean_over_the_pairs_that_spoke(dissection: Dissection) -> None:
    expected = []
    for key in dissection.unit_keys():
        spoken = [said[key] for said in SAID.values() if key in said]
        pairs = [f1(a, b) for a, b in combinations(spoken, 2)]
        expected.append(1 - np.mean(pairs) if pairs else np.nan)

    assert captioner_disagreement(dissection) == pytest.approx(expected, nan_ok=True)
    assert captioner_disagreement(dissection)[0] == 0
    assert np.isnan(captioner_disagreement(dissection)[3])
    tfidf = captioner_disagreement(dissection, measure="tfidf")
    assert tfidf[0] == pytest.approx(0)
    assert (np.nan_to_num(tfidf) <= 1).all()


def test_the_agreement_matrix_is_symmetric_and_one_on_its_diagonal(dissection: Dissection) -> None:
    found = agreement_matrix(dissection, layer="l")

    assert np.diag(found.mean) == pytest.approx([1, 1, 1])
    assert found.mean.to_numpy() == pytest.approx(found.mean.to_numpy().T)
    assert found.mean.loc["one", "three"] == pytest.approx((1 + 0 + f1("blue sea", "blue sea sky")) / 3)
    assert found.units.loc["one", "two"] == 2


def test_heads_speak_for_themselves_and_the_combined_one_does_not(dissection: Dissection) -> None:
    assert set(head_voices(dissection, "one")) == {"p", "q"}
    assert head_voices(dissection, "two") == {}
    assert head_disagreement(dissection, "one") == pytest.approx([1, 0, np.nan, np.nan, 1 - f1("tree", "a tree")],
                                                                 nan_ok=True)  # fmt: skip
    assert np.isnan(head_disagreement(dissection, "two")).all()
    assert agreement_matrix(dissection, captioner="one", layer="l").mean.loc["p", "q"] == pytest.approx(0.5)


def test_selectivity_is_the_share_of_the_strongest_hundredth() -> None:
    rng = np.random.default_rng(8)
    peaks = rng.normal(size=(250, 300)).astype(np.float16)
    peaks[17] = np.nan  # could not be read

    found = selectivity(peaks)

    for unit in range(0, 300, 37):
        column = np.delete(peaks[:, unit].astype(np.float64), 17)
        above = np.sort(column - column.min())
        assert found[unit] == pytest.approx(above[-3:].sum() / above.sum(), rel=1e-4)
    assert np.isnan(selectivity(np.zeros((50, 2)))).all()


def test_what_is_worth_a_look_is_the_head_of_each_sorted_column(dissection: Dissection) -> None:
    table = unit_measures(dissection)
    found = worth_a_look(dissection, count=2)

    assert [(entry.layer, entry.unit) for entry in found.disagreement] == [("m", 0), ("l", 1)]
    assert (found.selective[0].unit, found.selective[0].value) == (2, pytest.approx(1.0))
    assert [(entry.layer, entry.unit) for entry in found.dead] == [("l", 3)]
    assert found.explained_by == "one"
    pmi = table["pmi:one"].dropna().sort_values()
    assert [entry.value for entry in found.least_explained] == pytest.approx(pmi.tolist()[:2])
    assert worth_a_look(dissection, count=2, measures=table) == found


def test_nothing_captioned_gives_empty_lists_and_no_judge(tmp_path: Path) -> None:
    bare = probed(tmp_path / "bare", {"l": np.arange(12.0).reshape(6, 2)})

    found = worth_a_look(bare)

    assert (found.disagreement, found.least_explained, found.explained_by) == ((), (), None)
    assert len(found.selective) == 2
