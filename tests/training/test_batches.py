"""Batches: every caption exactly once, each beside its own unit."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from training_world import concept_units

from mami_core.captioning.vocabulary import Vocabulary
from mami_core.training.batches import CaptionBatches, DescribedUnits, caption_length, reference_texts


def said(batches, vocabulary):
    return Counter(
        (int(batch.units[owner]), vocabulary.decode(row))
        for batch in batches
        for owner, row in zip(batch.owner.tolist(), batch.tokens, strict=True)
    )


@given(count=st.integers(1, 30), size=st.integers(1, 9), seed=st.integers(0, 99), bucketed=st.booleans())
def test_every_caption_is_met_once_beside_its_unit(count, size, seed, bucketed):
    units = concept_units(count, seed)
    vocabulary = Vocabulary.from_texts(reference_texts(units))
    batches = CaptionBatches(units, vocabulary, length=9)
    generator = torch.Generator().manual_seed(seed)
    found = batches.by_length(size, generator) if bucketed else batches.by_unit(size, generator)

    expected = Counter((unit, tuple(text.split())) for unit, texts in enumerate(units.texts) for text in texts)
    assert said(found, vocabulary) == expected
    assert all(batch.owner.tolist() == sorted(batch.owner.tolist()) for batch in found)


def test_batches_of_one_length_have_no_padding(train_units, vocabulary):
    batches = CaptionBatches(train_units, vocabulary, length=9).by_length(8, torch.Generator().manual_seed(0))
    assert all(not (batch.tokens == vocabulary.pad).any() for batch in batches)
    assert all(len(batch.tokens) <= 8 for batch in batches)


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


def test_a_unit_without_references_is_refused(train_units):
    with pytest.raises(ValueError, match="1 units have no reference"):
        DescribedUnits(train_units.features, (0, 1), (("a",), ()))
