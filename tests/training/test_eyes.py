"""An encoder that learns with its captioner: the same regions at first, others after, and the captions are better."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from uneven_dissection import make_dissection

from mami_core.captioning.encoder import fit_encoder
from mami_core.captioning.features import unit_features
from mami_core.captioning.image_encoder import load_fit, parts_grid, save_image_encoder
from mami_core.captioning.vocabulary import Vocabulary
from mami_core.scenery.images import SceneryImages
from mami_core.scenery.networks import PartsEncoder
from mami_core.store import Dissection
from mami_core.training.batches import DescribedUnits, reference_texts
from mami_core.training.captioner import CaptionerRecipe, train_captioner
from mami_core.training.eyes import ImageEyes, UnitEyes, live
from mami_core.training.images import captioned_units, image_features
from mami_core.training.loop import LoopSettings

RECIPE = CaptionerRecipe(
    hidden_size=12, embedding_size=8, attention_size=6, dropout=0.0, feature_dropout=0.0, regions=20, batch_size=2,
    loop=LoopSettings(epochs=2, learning_rate=1e-2),
)  # fmt: skip


@pytest.fixture
def encoder():
    torch.manual_seed(1)
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 112, 112), dtype=np.uint8)
    return dataclasses.replace(fit_encoder(PartsEncoder(), images), sha256="1" * 64)


@pytest.fixture
def scenes():
    return SceneryImages(6, 3)


@pytest.fixture
def images(encoder, scenes):
    fitted = parts_grid(encoder).fitted([scenes.load(row) for row in range(4)])
    features = image_features(scenes, fitted, cache=False)
    captions = [
        ("a red roof", "a roof"),
        ("green grass",),
        ("the sea",),
        ("tall trees",),
        ("a red roof",),
        ("the sea",),
    ]
    return fitted, captioned_units(features, captions, range(4)), captioned_units(features, captions, [4, 5])


def weights_of(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def test_eyes_see_the_regions_that_the_frozen_encoder_sees(images, scenes):
    fitted, train, _ = images
    seen = live(train, ImageEyes(fitted, scenes)).regions([2, 0], drawn=np.random.default_rng(1).random((2, 9)))
    frozen = train.regions([2, 0], drawn=np.random.default_rng(1).random((2, 9)))
    torch.testing.assert_close(seen.features.detach(), frozen.features, atol=5e-3, rtol=5e-3)
    assert torch.equal(seen.cells, frozen.cells)
    assert seen.features.requires_grad


def test_units_are_seen_as_the_frozen_encoder_sees_them(encoder, tmp_path):
    dissection = Dissection.open(make_dissection(tmp_path / "made"))
    features = unit_features(dissection, encoder, cache=False)
    units = DescribedUnits(features, tuple(range(len(features))), (("a roof",),) * len(features))
    eyes = UnitEyes(encoder, [(dissection, key) for key in features.keys])
    seen, frozen = live(units, eyes).regions(range(len(units))), units.regions(range(len(units)))
    torch.testing.assert_close(seen.features.detach(), frozen.features, atol=2e-2, rtol=2e-2)


def test_the_encoder_learns_with_the_captioner_and_is_kept_with_it(images, scenes, encoder, tmp_path):
    fitted, train, validation = images
    eyes = ImageEyes(fitted, scenes)
    before = weights_of(eyes.backbone)
    vocabulary = Vocabulary.from_texts(reference_texts(train))

    _, history = train_captioner(
        "sat-soft", live(train, eyes), live(validation, eyes), vocabulary, length=4, recipe=RECIPE, eyes=eyes
    )

    after = weights_of(eyes.backbone)
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert {"conv1", "merge1"} <= {name.partition(".")[0] for name in changed}
    assert not any(name.startswith("head.") or "running" in name for name in changed)  # not behind the regions; frozen
    assert np.isfinite(history.epochs[-1]["val_nll"])

    tuned = fitted.finetuned()
    assert tuned.sha256 != fitted.sha256
    save_image_encoder(tuned, tmp_path / "encoder")
    other = PartsEncoder().eval()
    other.load_state_dict(before)
    again = load_fit(parts_grid(dataclasses.replace(encoder, backbone=other)), tmp_path / "encoder")
    assert again.sha256 == tuned.sha256
    picture = [scenes.load(0)]
    assert torch.equal(again.encode(picture), tuned.encode(picture))
