"""Fixtures of a tiny world that is easy to learn."""

from __future__ import annotations

import pytest
from training_world import blocks, concept_units

from mami_core.captioning.vocabulary import Vocabulary
from mami_core.training.batches import DescribedUnits, reference_texts
from mami_core.training.painted import Painted


@pytest.fixture(scope="session")
def small_world() -> Painted:
    return blocks(48, seed=1)


@pytest.fixture(scope="session")
def train_units() -> DescribedUnits:
    return concept_units(48, seed=1)


@pytest.fixture(scope="session")
def val_units() -> DescribedUnits:
    return concept_units(16, seed=2)


@pytest.fixture(scope="session")
def vocabulary(train_units) -> Vocabulary:
    return Vocabulary.from_texts(reference_texts(train_units))
