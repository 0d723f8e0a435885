"""Class effects against scipy and loops; spectrum and distributions against what was written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_dissection import make_dissection
from probed_dissection import probed
from scipy.stats import mannwhitneyu

from mami_core.probing.spectrum import _effects, class_effects, distribution, spectrum
from mami_core.store import Dissection, DissectionWriter

NAMES = ("cat", "dog", "sea")


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(-4, 9)), min_size=2, max_size=40))
@settings(max_examples=60)
def test_class_effects_are_those_of_a_loop_over_classes(pairs: list[tuple[int, int]]) -> None:
    labels, peaks = np.array([label for label, _ in pairs]), np.array([peak for _, peak in pairs], dtype=np.float64)

    found = _effects(peaks, labels, NAMES).set_index("label")

    for label in np.unique(labels):
        inside, outside = peaks[labels == label], peaks[labels != label]
        row = found.loc[label]
        assert (row["name"], row["images"], row["mean"]) == (NAMES[label], len(inside), pytest.approx(inside.mean()))
        if len(inside) > 1 and len(outside) > 1 and inside.var() + outside.var() > 0:
            d = (inside.mean() - outside.mean()) / np.sqrt((inside.var(ddof=1) + outside.var(ddof=1)) / 2)
            assert row["d_prime"] == pytest.approx(d)
        if len(outside):
            auc = mannwhitneyu(inside, outside).statistic / len(inside) / len(outside)
            assert row["auc"] == pytest.approx(auc)
        else:
            assert np.isnan([row["auc"], row["d_prime"]]).all()


def test_class_effects_read_labels_of_the_images_whose_peaks_were_kept(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 50)
    kept = np.sort(rng.permutation(50)[:30])
    peaks = rng.normal(size=(30, 2)) + 4 * (labels[kept] == 1)[:, None]
    peaks[3] = np.nan  # could not be read
    dissection = probed(tmp_path / "d", {"l": peaks}, labels=labels, class_names=NAMES, peak_ids=kept, images=50)

    found = class_effects(dissection, "l", 1)

    assert found["name"][0] == "dog"
    assert found["images"].sum() == 29
    inside = np.delete(peaks[:, 1], 3)[np.delete(labels[kept], 3) == 1]
    assert found["mean"][0] == pytest.approx(inside.mean(), abs=1e-2)
    assert found["auc"][0] > 0.95


def test_without_classes_there_are_no_effects_and_without_labels_means_only(tmp_path: Path) -> None:
    dissection = probed(tmp_path / "d", {"l": np.arange(12.0).reshape(6, 2)}, class_names=NAMES)
    assert class_effects(dissection, "l", 0).empty

    means = np.array([[1, 2], [5, 1], [np.nan, np.nan]], dtype=np.float32)
    DissectionWriter.open(dissection.path).write_classes("l", means)
    found = class_effects(Dissection.open(dissection.path), "l", 0)

    assert found["name"].tolist() == ["dog", "cat"]
    assert found["mean"].tolist() == [5, 1]
    assert found["d_prime"].isna().all()


def test_a_spectrum_holds_each_set_with_the_maps_of_its_exemplars(tmp_path: Path) -> None:
    dissection = Dissection.open(make_dissection(tmp_path / "squares"))

    (top,) = spectrum(dissection, "early", 2)

    assert (top.name, len(top.exemplars)) == ("top", 15)
    assert top.maps is not None
    assert top.maps.max(axis=(1, 2)) == pytest.approx([entry.activation for entry in top.exemplars], rel=1e-3)
    assert (top.low, top.high) == (top.exemplars[-1].activation, top.exemplars[0].activation)


def test_sets_come_from_strong_to_weak_and_random_last(tmp_path: Path) -> None:
    dissection = probed(tmp_path / "d", {"l": np.arange(12.0).reshape(6, 2)})
    table = dissection.exemplars
    names = ["random", "band-0", "bottom", "band-3", "band-10"]
    more = [table.assign(set=name) for name in names]
    writer = DissectionWriter.open(dissection.path)
    import pandas as pd

    writer.write_exemplars(pd.concat([table, *more]))

    found = spectrum(Dissection.open(dissection.path), "l", 1)

    assert [entry.name for entry in found] == ["top", "band-10", "band-3", "band-0", "bottom", "random"]
    assert all(entry.maps is None for entry in found)


def test_a_distribution_counts_every_image_once(tmp_path: Path) -> None:
    peaks = np.random.default_rng(2).normal(size=(500, 2)).astype(np.float16)
    peaks[:, 1] = 0
    dissection = probed(tmp_path / "d", {"l": peaks})

    found = distribution(dissection, "l", 0, of="peaks", bins=20)

    assert found is not None
    assert found.counts.sum() == 500
    assert found.counts == pytest.approx(np.histogram(peaks[:, 0].astype(float), found.edges)[0])
    assert found.threshold == pytest.approx(np.median(peaks[:, 0]), abs=1e-3)
    assert distribution(dissection, "l", 1, of="peaks") is None
    assert distribution(dissection, "l", 0) is None  # no histogram was kept
    with pytest.raises(ValueError, match="positions or peaks"):
        distribution(dissection, "l", 0, of="pixels")
