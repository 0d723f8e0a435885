"""Batches: every caption exactly once, each beside its own unit."""

from __future__ import annotations

import dataclasses
from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from made_dissection import make_dissection
from training_world import concept_units

from mami_core.captioning.vocabulary import Vocabulary
from mami_core.records import Reference
from mami_core.store import Dissection, DissectionWriter
from mami_core.training.batches import (
    CaptionBatches,
    DescribedUnits,
    caption_length,
    described_units,
    reference_texts,
    split_places,
)

CUTS = ("by_unit", "by_length", "by_similar_length")


def said(batches, vocabulary):
    return Counter(
        (int(batch.units[owner]), vocabulary.decode(row))
        for batch in batches
        for owner, row in zip(batch.owner.tolist(), batch.tokens, strict=True)
    )


@given(
    count=st.integers(1, 30),
    size=st.integers(1, 9),
    seed=st.integers(0, 99),
    cut=st.sampled_from(CUTS),
)
def test_every_caption_is_met_once_beside_its_unit(count, size, seed, cut):
    units = concept_units(count, seed)
    vocabulary = Vocabulary.from_texts(reference_texts(units))
    batches = CaptionBatches(units, vocabulary, length=9)
    generator = torch.Generator().manual_seed(seed)
    found = getattr(batches, cut)(size, generator)

    expected = Counter((unit, tuple(text.split())) for unit, texts in enumerate(units.texts) for text in texts)
    assert said(found, vocabulary) == expected
    assert all(batch.owner.tolist() == sorted(batch.owner.tolist()) for batch in found)


def test_batches_of_one_length_have_no_padding(train_units, vocabulary):
    batches = CaptionBatches(train_units, vocabulary, length=9).by_length(8, torch.Generator().manual_seed(0))
    assert all(not (batch.tokens == vocabulary.pad).any() for batch in batches)
    assert all(len(batch.tokens) <= 8 for batch in batches)


def test_batches_of_similar_length_are_fewer_and_hold_little_padding(train_units, vocabulary):
    batches = CaptionBatches(train_units, vocabulary, length=9)
    similar = batches.by_similar_length(8, torch.Generator().manual_seed(0))
    padding = sum(int((batch.tokens == vocabulary.pad).sum()) for batch in similar)
    assert len(similar) == -(-len(reference_texts(train_units)) // 8)
    assert padding < 0.3 * sum(batch.tokens.numel() for batch in similar)


def test_a_long_caption_is_cut_and_still_ends(train_units, vocabulary):
    batch = CaptionBatches(train_units, vocabulary, length=2).by_unit(48)[0]
    assert batch.tokens.shape[1] == 3
    assert (batch.tokens == vocabulary.stop).any(1).all()


def test_the_caption_length_holds_the_given_share_of_references(train_units):
    assert caption_length(train_units, quantile=1.0) == 5
    assert caption_length(train_units, quantile=0.0) == 1


def test_a_seed_fixes_the_order_and_another_changes_it(train_units, vocabulary):
    batches = CaptionBatches(train_units, vocabulary, length=9)

    def order(seed):
        return torch.cat([b.units for b in batches.by_unit(4, torch.Generator().manual_seed(seed))]).tolist()

    assert order(1) == order(1) != order(2)


def test_units_are_described_by_the_sets_asked_for(tmp_path, train_units):
    dissection = Dissection.open(make_dissection(tmp_path / "made"))
    layer = {key: row for row, key in enumerate(dissection.unit_keys())}
    writer = DissectionWriter.open(dissection.path)
    first, second, third = list(layer)[:3]
    writer.write_references({
        first: [Reference("long", 0, "a red roof"), Reference("short", 0, "roof")],
        second: [Reference("long", 0, "grass")],
        third: [Reference("short", 0, "sea")],
    })  # fmt: skip
    dissection = Dissection.open(dissection.path)
    features = dataclasses.replace(train_units.features, keys=(second, first, third, *train_units.features.keys[3:]))

    def texts(references):
        found = described_units(dissection, features, [first, second, third], references=references)
        return dict(zip([features.keys[row] for row in found.rows], found.texts, strict=True))

    assert texts("long") == {first: ("a red roof",), second: ("grass",)}
    assert texts("short+long") == {first: ("a red roof", "roof"), second: ("grass",), third: ("sea",)}
    with pytest.raises(ValueError, match="references of set 'human'; sets: long, short"):
        texts("human")


def test_a_split_that_was_not_made_is_refused():
    keys = [("conv1", 0), ("conv1", 1)]
    assert split_places(keys, {"val": [("conv1", 1)]}, "val") == [("conv1", 1)]
    with pytest.raises(ValueError, match="no unit is in split 'test'; the splits are val"):
        split_places(keys, {"val": [("conv1", 1)]}, "test")


def test_a_unit_without_references_is_refused(train_units):
    with pytest.raises(ValueError, match="1 units have no reference"):
        DescribedUnits(train_units.features, (0, 1), (("a",), ()))
