"""The labelled-neuron table: the columns promised, a row a unit, nothing made up."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from uneven_dissection import made_manifest

from mami_core.exports import neuron_table
from mami_core.store import Dissection, DissectionWriter

FIXED = (
    "network", "weights_sha256", "dataset", "simulated", "layer", "unit", "state", "k", "quantile", "threshold",
    "exemplar_ids", "reference_1", "reference_2", "reference_3", "label", "reviewer", "label_version",
)  # fmt: skip
PER_CAPTIONER = ["caption", "log_p", "log_p_lm", "pmi", "words", "settings_sha256", "trained_on"]


def test_columns_are_those_promised_in_their_order(dissection: Dissection) -> None:
    per = [f"{name}.{column}" for name in ("milan@scenery", "mami@scenery") for column in PER_CAPTIONER]

    assert list(neuron_table(dissection).columns) == [*FIXED, *per]


def test_each_row_says_what_reading_that_neuron_says(dissection: Dissection) -> None:
    table = neuron_table(dissection)

    assert len(table) == len(dissection.unit_keys())
    for row in table.to_dict("records"):
        neuron = dissection.neuron(row["layer"], row["unit"])
        assert row["exemplar_ids"] == ";".join(str(e.image_id) for e in neuron.exemplars["top"])
        texts = [reference.text for reference in neuron.references]
        assert [row[f"reference_{n}"] for n in (1, 2, 3) if not pd.isna(row[f"reference_{n}"])] == texts
        assert row["state"] == neuron.statistics.state
        for name, caption in neuron.captions.items():
            if caption.state == "ok":
                assert row[f"{name}.caption"] == caption.text
                assert row[f"{name}.log_p"] == pytest.approx(caption.log_p_given_exemplars)
                assert row[f"{name}.log_p_lm"] == pytest.approx(caption.log_p)
                assert row[f"{name}.pmi"] == pytest.approx(caption.pmi, abs=1e-5)
                assert row[f"{name}.words"] == len(caption.words)


def test_what_is_missing_is_empty(dissection: Dissection) -> None:
    table = neuron_table(dissection).set_index(["layer", "unit"])

    dead, uncaptioned = table.loc[("conv1", 2)], table.loc[("features/2.block", 4)]

    assert dead[["threshold", "mami@scenery.caption", "mami@scenery.log_p", "mami@scenery.words"]].isna().all()
    assert uncaptioned[[name for name in table.columns if "@" in name]].isna().all()
    assert table[["label", "reviewer", "label_version"]].isna().all(axis=None)
    assert pd.isna(table.loc[("conv1", 0), "reference_1"])


def test_keys_choose_units_and_their_order(dissection: Dissection) -> None:
    keys = [("features/2.block", 3), ("conv1", 5)]

    table = neuron_table(dissection, keys=keys)

    whole = neuron_table(dissection).set_index(["layer", "unit"])
    assert list(zip(table["layer"], table["unit"], strict=True)) == keys
    pd.testing.assert_frame_equal(table.set_index(["layer", "unit"]), whole.loc[keys])


def test_no_keys_give_no_rows_but_the_columns(dissection: Dissection) -> None:
    assert len(neuron_table(dissection, keys=[])) == 0


def test_a_unit_that_was_not_dissected_is_refused(dissection: Dissection) -> None:
    with pytest.raises(ValueError, match="no unit 4 in layer 'conv1'"):
        neuron_table(dissection, keys=[("conv1", 4)])


def test_the_latest_label_of_a_unit_is_taken(dissection: Dissection) -> None:
    labels = pd.DataFrame(
        {
            "layer": ["conv1", "conv1", "gone"],
            "unit": [1, 1, 0],
            "reviewer": ["ada", "bo", "cy"],
            "text": ["roofs", "red roofs", "x"],
            "version": [3, 1, 1],
            "updated": pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-03"], utc=True),
        }
    )

    row = neuron_table(dissection, labels=labels).set_index(["layer", "unit"]).loc[("conv1", 1)]

    assert tuple(row[["label", "reviewer", "label_version"]]) == ("red roofs", "bo", 1)


def test_a_dissection_without_captions_or_references_still_has_its_rows(tmp_path: Path) -> None:
    writer = DissectionWriter.create(tmp_path / "bare", made_manifest({"fc": (0, 1)}, 3, 1))
    writer.write_units(pd.DataFrame({"layer": ["fc", "fc"], "unit": [0, 1], "state": ["alive", "dead"]}))

    table = neuron_table(Dissection.open(tmp_path / "bare"))

    assert len(table) == 2
    assert table[["threshold", "exemplar_ids", "label"]].isna().all(axis=None)


def test_thirty_thousand_units_take_less_than_three_seconds(tmp_path: Path) -> None:
    keys = [(f"layer{n // 2000}", n % 2000) for n in range(30_000)]
    layers = {f"layer{n}": tuple(range(2000)) for n in range(15)}
    writer = DissectionWriter.create(tmp_path / "big", made_manifest(layers, 15, 7))
    units = pd.DataFrame(keys, columns=["layer", "unit"]).assign(state="alive", threshold=np.float32(0.5))
    writer.write_units(units)
    exemplars = units.loc[units.index.repeat(15), ["layer", "unit"]].reset_index(drop=True)
    writer.write_exemplars(
        exemplars.assign(set="top", rank=np.tile(np.arange(15), 30_000), image_id=np.arange(450_000) % 50_000)
    )
    dissection = Dissection.open(tmp_path / "big")
    start = time.process_time()

    table = neuron_table(dissection)

    assert time.process_time() - start < 3
    assert table.loc[29_999, "exemplar_ids"].count(";") == 14
