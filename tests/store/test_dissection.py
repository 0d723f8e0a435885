"""A dissection reads back as it was written; what was not made reads as empty, never as zeros."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from made_dissection import make_dissection
from uneven_dissection import LAYERS, WORDS, made_caption, made_manifest

from mami_core.records import Caption, HeadOutput, Reference
from mami_core.store import Dissection, DissectionWriter, layout
from mami_core.store.attention import AttentionFile, write_attention

FIGURES = ["threshold", "max", "mean", "variance", "skewness", "kurtosis", "fraction_positive"]


@pytest.fixture
def writer(tmp_path: Path) -> DissectionWriter:
    return DissectionWriter.create(tmp_path / "new", made_manifest({"fc": (0, 1)}, 2, 1))


def test_units_come_in_the_order_they_were_written(intact: Path) -> None:
    dissection = Dissection.open(intact)

    assert dissection.layers == tuple(LAYERS)
    assert dissection.unit_keys() == [(layer, unit) for layer, units in LAYERS.items() for unit in units]
    assert dissection.unit_keys("features/2.block") == [("features/2.block", unit) for unit in (0, 3, 4)]
    assert [dissection.row("features/2.block", unit) for unit in (0, 3, 4)] == [0, 1, 2]


def test_a_neuron_holds_all_that_was_written_of_it(intact: Path) -> None:
    neuron = Dissection.open(intact).neuron("features/2.block", 3)

    assert str(neuron.neuron) == "scenery:resnet/features/2.block/3"
    assert [entry.rank for entry in neuron.exemplars["top"]] == [0, 1, 2]
    assert set(neuron.exemplars) == {"top", "random"}
    assert list(neuron.captions) == ["milan@scenery", "mami@scenery"]
    assert [reference.position for reference in neuron.references] == list(range(len(neuron.references)))


def test_a_caption_reads_back_with_its_alternatives_and_heads(writer: DissectionWriter) -> None:
    said = made_caption("mami@scenery", np.random.default_rng(3), 0)
    writer.write_captions("mami@scenery", {("fc", 1): said}, {"trained_on": "scenery"})

    back = Dissection.open(writer.path).caption("mami@scenery", "fc", 1)

    assert back is not None
    assert (back.words, back.state) == (said.words, said.state)
    assert back.alternatives == said.alternatives
    assert (back.log_p_given_exemplars, back.log_p) == pytest.approx((said.log_p_given_exemplars, said.log_p))
    assert back.heads[0].caption == said.heads[0].caption
    assert back.heads[0].grid == said.heads[0].grid
    assert back.gate == said.gate
    for name in ("norm", "entropy", "without"):
        assert getattr(back.heads[0], name) == getattr(said.heads[0], name)
    assert np.abs(back.heads[0].weights - said.heads[0].weights).max() <= said.heads[0].weights.max() / 255


def test_who_was_not_captioned_has_no_caption(intact: Path) -> None:
    dissection = Dissection.open(intact)

    assert dissection.caption("mami@scenery", "features/2.block", 4) is None
    assert dissection.attention("mami@scenery", "features/2.block", 4) == ()
    dead = dissection.caption("mami@scenery", "conv1", 2)
    assert dead is not None
    assert (dead.state, dead.words) == ("dead_unit", ())
    assert np.isnan(dead.log_p)


def test_what_no_stage_has_made_reads_as_empty(writer: DissectionWriter) -> None:
    dissection = Dissection.open(writer.path)

    assert dissection.units.empty
    assert dissection.references.empty
    assert dissection.exemplars_of("fc", 0) == {}
    assert (dissection.splits, dissection.truth, dissection.captioners) == ({}, {}, ())
    with pytest.raises(FileNotFoundError, match=r"has no maps/fc\.npy"):
        dissection.maps("fc")
    with pytest.raises(FileNotFoundError, match=r"has no images\.arrow"):
        _ = dissection.images


def test_columns_that_were_not_given_are_null(writer: DissectionWriter) -> None:
    writer.write_units(pd.DataFrame({"layer": ["fc"], "unit": [0], "state": ["alive"]}))

    dissection = Dissection.open(writer.path)

    assert dissection.units.iloc[0][FIGURES].isna().all()
    assert dissection.histogram("fc", 0) is None


@pytest.mark.parametrize(("layer", "unit", "says"), [("fc", 7, "no unit 7"), ("conv9", 0, "no layer 'conv9'")])
def test_what_was_not_dissected_is_refused(intact: Path, layer: str, unit: int, says: str) -> None:
    dissection = Dissection.open(intact)

    with pytest.raises(KeyError, match=says):
        dissection.neuron(layer if layer == "conv9" else "conv1", unit)


def test_infinities_stay_in_tables_and_not_finite_units_say_so(writer: DissectionWriter) -> None:
    figures = {"max": [np.inf, np.nan], "mean": [-np.inf, np.nan], "state": ["alive", "not_finite"]}
    writer.write_units(pd.DataFrame({"layer": ["fc", "fc"], "unit": [0, 1], **figures}))

    dissection = Dissection.open(writer.path)

    assert (dissection.statistics("fc", 0).maximum, dissection.statistics("fc", 0).mean) == (np.inf, -np.inf)
    assert np.isnan(dissection.statistics("fc", 1).maximum)
    assert dissection.statistics("fc", 1).state == "not_finite"


def test_maps_beyond_float16_are_held_at_its_largest(writer: DissectionWriter) -> None:
    values = np.array([1e9, -1e9, np.inf, -np.inf, np.nan, 65504, 65519, 0.1], dtype=np.float32).reshape(2, 4, 1, 1)

    writer.write_maps("fc", values)

    back = Dissection.open(writer.path).maps("fc")
    assert back.dtype == np.float16
    assert isinstance(back, np.memmap)
    expected = [65504, -65504, 65504, -65504, np.nan, 65504, 65504, np.float16(0.1)]
    np.testing.assert_array_equal(back.ravel(), np.array(expected, dtype=np.float16))


@given(values=npst.arrays(np.float32, (3, 2), elements=st.floats(-60000, 60000, width=32)))
def test_peaks_keep_float16_accuracy(values: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("peaks") / "new"
    DissectionWriter.create(folder, made_manifest({"fc": (0, 1)}, 2, 1)).write_peaks("fc", values)

    np.testing.assert_allclose(Dissection.open(folder).peaks("fc"), values, rtol=2**-11, atol=2**-25)


def test_images_read_back_byte_for_byte(writer: DissectionWriter) -> None:
    entries = [(3 * number, f"name {number}", b"RIFF" + bytes([number])) for number in range(150)]
    writer.write_images(entries)

    images = Dissection.open(writer.path).images

    assert images.ids() == [number for number, _, _ in entries]
    assert [images.encoded(number) for number, _, _ in entries] == [data for _, _, data in entries]
    with pytest.raises(KeyError, match="image 1 is not kept"):
        images.encoded(1)


def test_references_and_truth_read_back(writer: DissectionWriter) -> None:
    texts = [Reference("short", 0, "a, \"quoted\" 'text'\nof λ"), Reference("long", 0, "")]
    writer.write_references({("fc", 1): texts})
    writer.write_truth({("fc", 0): {"parts": {"roof": 0.25}}})
    dissection = Dissection.open(writer.path)

    assert dissection.references_of("fc", 1) == tuple(texts)
    assert dissection.references_of("fc", 0) == ()
    assert dissection.truth == {("fc", 0): {"parts": {"roof": 0.25}}}


def test_splits_read_back(intact: Path) -> None:
    splits = Dissection.open(intact).splits

    assert set(splits) == {"train", "test"}
    assert set(splits["train"]) | set(splits["test"]) == set(Dissection.open(intact).unit_keys())


def test_captioning_again_replaces_what_was_said(folder: Path) -> None:
    said = Caption("mami@scenery", ("grass",), -1.0, -2.0)
    DissectionWriter.open(folder).write_captions("mami@scenery", {("conv1", 0): said}, {})

    dissection = Dissection.open(folder)

    assert len(dissection.captions("mami@scenery")) == 1
    assert dissection.attention("mami@scenery", "conv1", 1) == ()  # it belonged to the old caption
    assert dissection.attention("milan@scenery", "conv1", 1) != ()
    assert dissection.verify() == []


@given(name=st.text(min_size=1, max_size=40))
def test_layer_names_become_distinct_safe_file_names(name: str) -> None:
    from urllib.parse import unquote

    found = layout.file_name(name)

    assert "/" not in found
    assert "\\" not in found
    assert unquote(found) == name


WEIGHTS = npst.arrays(np.float32, (2, 4), elements=st.floats(0, 1, width=32))


@given(weights=WEIGHTS)
def test_attention_is_kept_to_a_255th_of_each_words_peak(
    weights: np.ndarray, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("attention") / "a.arrow"
    head = HeadOutput("self", weights, (1, 2, 2), (1.0, 1.0), (0.0, 0.0), WORDS[:2])
    write_attention(path, [(7, [head])])

    back = AttentionFile(path).heads(7)[0].weights

    peak = weights.max(axis=1, keepdims=True)
    assert (np.abs(back - weights) <= peak / 255 * 0.5001 + 1e-37).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -0.1])
def test_attention_that_is_no_weight_is_refused(tmp_path: Path, bad: float) -> None:
    weights = np.array([[0.5, bad]], dtype=np.float32)
    head = HeadOutput("self", weights, (1, 1, 2), (1.0,), (0.0,), ("a",))

    with pytest.raises(ValueError, match="finite and not negative"):
        write_attention(tmp_path / "a.arrow", [(7, [head])])
    assert not list(tmp_path.iterdir())


def test_a_file_from_before_gate_entropy_and_ablation_reads_without_them(writer: DissectionWriter) -> None:
    writer.write_captions("mami@scenery", {("fc", 1): made_caption("mami@scenery", np.random.default_rng(3), 0)}, {})
    attention = writer.path / layout.attention_file("mami@scenery", "fc")
    captions = writer.path / layout.captions_file("mami@scenery")
    older = pa.ipc.open_file(str(attention)).read_all().drop_columns(["norm", "entropy", "without"])
    with pa.ipc.new_file(str(attention), older.schema) as file:
        file.write_table(older)
    pq.write_table(pq.read_table(captions).drop_columns(["gate"]), captions)
    dissection = Dissection.open(writer.path)

    back = dissection.caption("mami@scenery", "fc", 1)

    assert back is not None
    assert back.gate == ()
    (head,) = back.heads
    assert (head.norm, head.entropy, head.without) == ((), (), ())
    assert len(head.share) == len(back.words)
    assert dissection.heads("mami@scenery", "fc")[["norm", "entropy", "without"]].isna().all(axis=None)


def test_a_layers_heads_read_as_a_table_without_their_weights(intact: Path) -> None:
    dissection = Dissection.open(intact)
    table = dissection.heads("mami@scenery", "features/2.block")

    assert not {"weights", "scale"} & set(table.columns)
    for unit, rows in table.groupby("unit", sort=False):
        heads = dissection.attention("mami@scenery", "features/2.block", unit)
        assert rows["head"].tolist() == [head.head for head in heads]
        assert [tuple(share) for share in rows["share"]] == [head.share for head in heads]
        assert [tuple(text.split()) for text in rows["caption"]] == [head.caption for head in heads]
    assert dissection.heads("nobody", "conv1").empty


@pytest.mark.parametrize("group", [1, 2, 1000])
def test_a_histogram_reads_alone_whatever_the_groups_it_was_written_in(tmp_path: Path, group: int, monkeypatch) -> None:
    monkeypatch.setattr("mami_core.store.writer.GROUP", group)
    path = make_dissection(tmp_path / "made")
    together = Dissection.open(path).units_with_counts()["histogram"]
    dissection = Dissection.open(path)
    for (layer, unit), counts in zip(dissection.unit_keys(), together, strict=True):
        assert dissection.histogram(layer, unit).tolist() == list(counts)
    assert "histogram" not in dissection.units


def test_the_images_of_a_set_come_with_their_units_rows_however_the_table_was_shuffled(intact: Path) -> None:
    dissection = Dissection.open(intact)
    rows, images = dissection.exemplar_images()
    table = dissection.exemplars.query("set == 'top'")
    expected = {(dissection.position(row.layer, row.unit), row.image_id) for row in table.itertuples()}
    assert len(rows) == len(table)
    assert set(zip(rows.tolist(), images.tolist(), strict=True)) == expected
