"""Matching of units: permutations are found again; the Hungarian sum is the best of all assignments."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from probed_dissection import probed

from mami_core.probing.matching import caption_differences, match_units, redundancy

RNG = np.random.default_rng(11)
PEAKS = RNG.normal(size=(60, 7))


@pytest.mark.parametrize("how", ["best", "one-to-one"])
def test_a_shuffled_layer_is_matched_back(tmp_path: Path, how) -> None:
    order = RNG.permutation(7)
    first = probed(tmp_path / "one", {"l": PEAKS}, captions={"c": {("l", u): f"unit {u}" for u in range(7)}})
    said = {("k", u): f"unit {order[u]}" for u in range(6)}
    second = probed(tmp_path / "two", {"k": 3 * PEAKS[:, order] - 1}, captions={"d": said})

    found = match_units(first, second, "l", "k", how=how)

    assert {row.unit: row.match for row in found.itertuples()} == {int(order[u]): u for u in range(7)}
    assert found["correlation"].to_numpy() == pytest.approx(1, abs=1e-3)
    assert found["mutual"].all()
    differ = caption_differences(first, second, "l", "k", found, "c", "d").set_index("match")["difference"]
    assert differ.drop(6).to_numpy() == pytest.approx(0)
    assert np.isnan(differ[6])


def test_one_to_one_has_the_largest_sum_of_all_assignments(tmp_path: Path) -> None:
    other = PEAKS[:, :5] + RNG.normal(size=(60, 5)) * 2
    first, second = probed(tmp_path / "a", {"l": PEAKS[:, :5]}), probed(tmp_path / "b", {"l": other})
    r = np.corrcoef(PEAKS[:, :5].astype(np.float16), other.astype(np.float16), rowvar=False)[:5, 5:]

    found = match_units(first, second, "l", "l")

    assert found["correlation"].sum() == pytest.approx(max(r[range(5), list(p)].sum() for p in permutations(range(5))),
                                                       abs=1e-4)  # fmt: skip
    assert sorted(found["match"]) == list(range(5))
    best = match_units(first, second, "l", "l", how="best").sort_values("unit")
    assert best["match"].tolist() == r.argmax(axis=1).tolist()


def test_units_that_never_vary_are_matched_to_none(tmp_path: Path) -> None:
    dead = PEAKS.copy()
    dead[:, 2] = 0
    found = match_units(probed(tmp_path / "a", {"l": dead}), probed(tmp_path / "b", {"l": PEAKS}), "l", "l")

    assert sorted(found["unit"]) == [0, 1, 3, 4, 5, 6]


@pytest.mark.parametrize(("copies", "units"), [(1, 6), (3, 2)])
def test_as_many_units_count_as_are_independent(tmp_path: Path, copies: int, units: int) -> None:
    basis = np.linalg.qr(np.column_stack([np.ones(64), RNG.normal(size=(64, units))]))[0][
        :, 1:
    ]  # zero mean, orthogonal
    found = redundancy(probed(tmp_path / "r", {"l": np.repeat(basis, copies, axis=1) * 100}), "l")

    assert found.effective_units == pytest.approx(units, rel=1e-3)
    assert (found.table["group"] >= 0).all() == (copies > 1)
    if copies > 1:
        groups = found.table.set_index("unit")["group"]
        assert [groups[unit] == groups[0] for unit in range(6)] == [True] * 3 + [False] * 3
        assert found.table["correlation"].to_numpy() == pytest.approx(1, abs=1e-3)


def test_nearest_in_the_layer_is_never_the_unit_itself(tmp_path: Path) -> None:
    table = redundancy(probed(tmp_path / "r", {"l": PEAKS}), "l", threshold=1.0).table
    r = np.corrcoef(PEAKS.astype(np.float16), rowvar=False)
    np.fill_diagonal(r, -9)

    assert table.sort_values("unit")["nearest"].tolist() == r.argmax(axis=1).tolist()
    assert (table["group"] == -1).all()
