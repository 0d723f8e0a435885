"""The queue gives nothing away; win rates and kappas against loops, scikit-learn and Fleiss's own example."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from probed_dissection import probed
from scipy.stats import binomtest
from sklearn.metrics import cohen_kappa_score

from mami_core.probing.review import review_queue
from mami_core.probing.verdicts import cohen_kappa, fleiss_kappa, reviewer_agreement, wilson, win_rates
from mami_core.store import Dissection
from mami_core.store.labels import Label, LabelStore

UNITS = 60
ONE, TWO = "milan", "mami"
VERDICTS = st.sampled_from(["accept", "edit", "reject", "unsure"])


@pytest.fixture(scope="module")
def dissection(tmp_path_factory: pytest.TempPathFactory) -> Dissection:
    said = {
        ONE: {("l", unit): f"a thing {unit}" for unit in range(UNITS)},
        TWO: {("l", unit): f"a thing {unit}" if unit < 10 else f"another {unit}" for unit in range(UNITS - 5)},
    }
    peaks = np.random.default_rng(0).random((20, UNITS))
    return probed(tmp_path_factory.mktemp("review") / "one", {"l": peaks}, captions=said)


def label(unit: int, reviewer: str, verdict: str, captioner: str | None = None) -> Label:
    return Label("one", "l", unit, reviewer, verdict, "text", captioner)  # type: ignore[arg-type]


def frame(tmp_path: Path, labels: list[Label]) -> pd.DataFrame:
    store = LabelStore(tmp_path / "labels.db")
    store.save_all(labels)
    return store.frame("one")


def test_the_order_is_the_reviewers_own_and_stays(dissection: Dissection) -> None:
    ann = review_queue(dissection, [ONE, TWO], reviewer="ann")
    ben = review_queue(dissection, [ONE, TWO], reviewer="ben")

    assert ann == review_queue(dissection, [ONE, TWO], reviewer="ann")
    assert sorted(item.unit for item in ann.items) == list(range(UNITS - 5))  # who was captioned by both
    assert [item.unit for item in ann.items] != [item.unit for item in ben.items]
    assert [item.unit for item in ann.items] != sorted(item.unit for item in ann.items)
    assert review_queue(dissection, [ONE, TWO], reviewer="ann", seed=1).items != ann.items


def test_letters_do_not_give_captioners_away(dissection: Dissection) -> None:
    first = Counter(
        item.captioner("A")
        for reviewer in "abcdef"
        for item in review_queue(dissection, [ONE, TWO], reviewer=reviewer).items
        if len(item.options) == 2
    )

    assert binomtest(first[ONE], first.total()).pvalue > 0.001
    assert first.total() == 6 * (UNITS - 15)


def test_the_letters_do_not_depend_on_the_order_captioners_are_named_in(dissection: Dissection) -> None:
    one = {
        (item.unit, item.options) for item in review_queue(dissection, [ONE, TWO], reviewer="a").items if item.unit > 9
    }
    two = {
        (item.unit, item.options) for item in review_queue(dissection, [TWO, ONE], reviewer="a").items if item.unit > 9
    }

    assert one == two


def test_the_same_caption_is_shown_once_for_both(dissection: Dissection) -> None:
    for item in review_queue(dissection, [ONE, TWO], reviewer="ann").items:
        assert len(item.options) == (1 if item.unit < 10 else 2)
        assert {name for option in item.options for name in option.captioners} == {ONE, TWO}


def test_what_was_judged_leaves_the_queue_and_the_rest_keeps_its_order(dissection: Dissection, tmp_path: Path) -> None:
    before = review_queue(dissection, [ONE, TWO], reviewer="ann")
    done = [item.unit for item in before.items[:7:2]]
    labels = frame(tmp_path, [label(unit, "ann", "reject") for unit in done] + [label(30, "ben", "reject")])

    after = review_queue(dissection, [ONE, TWO], reviewer="ann", labels=labels)

    assert after.items == tuple(item for item in before.items if item.unit not in done)
    assert (after.done, after.total) == (4, before.total)


@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_intervals_are_wilsons(case: tuple[int, int]) -> None:
    expected = binomtest(*case).proportion_ci(0.95, method="wilson")

    assert wilson(*case) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_win_rates_count_decided_votes_only(dissection: Dissection, tmp_path: Path) -> None:
    labels = frame(
        tmp_path,
        [label(unit, "ann", "accept", ONE) for unit in range(20, 27)]
        + [label(unit, "ann", "edit", TWO) for unit in range(27, 30)]
        + [label(unit, "ann", "accept", ONE) for unit in range(4)]  # both say the same: a tie
        + [label(40, "ann", "reject"), label(41, "ann", "unsure"), label(42, "ann", "accept")]  # of nobody's caption
        + [label(UNITS - 1, "ann", "accept", ONE)],  # only one captioner spoke
    )

    table = win_rates(dissection, labels, [ONE, TWO]).set_index("captioner")

    assert table["wins"].tolist() == [7, 3]
    assert table["decided"].tolist() == [10, 10]
    assert table.loc[ONE, ["rejected", "unsure", "ties"]].tolist() == [1, 1, 4]
    assert (table["low"] < table["rate"]).all()
    assert (table["rate"] < table["high"]).all()
    assert win_rates(dissection, labels.iloc[:0], [ONE, TWO])["rate"].isna().all()


@given(st.lists(st.tuples(VERDICTS, VERDICTS), min_size=1, max_size=40))
def test_cohens_kappa_is_scikit_learns(pairs: list[tuple[str, str]]) -> None:
    first, second = zip(*pairs, strict=True)
    found = cohen_kappa(first, second)

    if found.expected < 1:
        assert found.kappa == pytest.approx(cohen_kappa_score(first, second))
    else:
        assert math.isnan(found.kappa)


def test_fleiss_kappa_is_that_of_the_textbook_example() -> None:
    """Ten subjects, fourteen raters, five categories; kappa 0.210 (Fleiss's formula, the usual worked example)."""
    counts = [[0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
              [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7]]  # fmt: skip
    found = fleiss_kappa(np.array(counts))

    assert (found.observed, found.expected) == (pytest.approx(0.378, abs=5e-4), pytest.approx(0.213, abs=5e-4))
    assert found.kappa == pytest.approx(0.210, abs=5e-4)


def test_agreement_is_over_the_units_that_both_judged(tmp_path: Path) -> None:
    verdicts = [
        ("accept", "accept"),
        ("accept", "reject"),
        ("reject", "reject"),
        ("unsure", "accept"),
        ("edit", "edit"),
    ]
    both = [
        label(unit, reviewer, verdict, ONE if reviewer == "ann" else TWO)
        for unit, pair in enumerate(verdicts)
        for reviewer, verdict in zip(("ann", "ben"), pair, strict=True)
    ]
    labels = frame(tmp_path, [*both, label(50, "ann", "accept", ONE)])

    found = reviewer_agreement(labels)

    assert (found.kind, found.units, found.reviewers) == ("cohen", 5, ("ann", "ben"))
    assert found.kappa == pytest.approx(cohen_kappa_score(*zip(*verdicts, strict=True)))
    assert reviewer_agreement(labels, on="choice").observed == 0
    with pytest.raises(ValueError, match="two reviewers"):
        reviewer_agreement(labels[labels["reviewer"] == "ann"])


def test_three_reviewers_who_all_agree_have_kappa_one(tmp_path: Path) -> None:
    labels = [label(unit, who, "accept" if unit % 2 else "reject") for unit in range(6) for who in ("a", "b", "c")]

    found = reviewer_agreement(frame(tmp_path, [*labels, label(9, "a", "unsure")]))

    assert (found.kind, found.units, found.kappa) == ("fleiss", 6, 1.0)
