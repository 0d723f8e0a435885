"""MILAN's pyramid encoder: the reference's own features, and the vectors that a dissection's units get."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch
from made_dissection import make_dissection
from torch.nn import functional as F
from torchvision import models

from mami_core.captioning.encoders import open_encoder
from mami_core.captioning.features import unit_features
from mami_core.captioning.pyramid import SIZE, build_pyramid, mask_share, save_pyramid
from mami_core.store import Dissection, DissectionWriter


def drawn_weights(config: str, seed: int) -> dict[str, torch.Tensor]:
    """Weights as tests/golden/README.md says to make them."""
    rng, made = np.random.default_rng(seed), {}
    for name, tensor in models.get_model(config, weights=None).state_dict().items():
        if name.endswith("num_batches_tracked"):
            made[name] = tensor
            continue
        if tensor.numel() > 5_000_000:
            made[name] = torch.zeros_like(tensor)
            continue
        if name.endswith("running_mean"):
            values = rng.normal(0, 0.1, tensor.shape)
        elif name.endswith("running_var"):
            values = rng.uniform(0.5, 1.5, tensor.shape)
        elif tensor.ndim >= 2:
            values = rng.normal(0, np.sqrt(2 / tensor[0].numel()), tensor.shape)
        elif "weight" in name:
            values = rng.uniform(0.5, 1.5, tensor.shape)
        else:
            values = rng.normal(0, 0.05, tensor.shape)
        made[name] = torch.from_numpy(values.astype(np.float32))
    return made


@pytest.fixture(scope="module")
def reference(golden_dir):
    folder = golden_dir / "encoder"
    if not folder.is_dir():
        pytest.skip("this golden set has no encoder")
    with np.load(folder / "expected.npz") as stored:
        arrays = {name: torch.from_numpy(stored[name]) for name in stored.files}
    with np.load(golden_dir / "exemplars" / "images.npz") as stored:
        small = torch.from_numpy(stored["images"][: len(arrays["masks64"])])
    images = F.interpolate(small.float(), (SIZE, SIZE)) / 255
    masks = F.interpolate(arrays["masks64"].float(), (SIZE, SIZE))
    return json.loads((folder / "expected.json").read_text())["seed"], images, masks, arrays


@pytest.mark.parametrize("config", ["alexnet", "resnet18"])
def test_features_are_the_reference_s(reference, config):
    seed, images, masks, expected = reference
    encoder = build_pyramid(config, drawn_weights(config, seed))

    found = encoder.pool(images, masks)

    theirs = expected[f"{config}_masked"]
    assert found.shape == theirs.shape
    torch.testing.assert_close(found, theirs, rtol=1e-5, atol=1e-5 * float(theirs.abs().max()))
    whole = expected[f"{config}_nomask"]
    torch.testing.assert_close(encoder.pool(images[:2]), whole, rtol=1e-5, atol=1e-5 * float(whole.abs().max()))


def test_a_mask_that_covers_nothing_gives_zeros_and_any_other_sums_to_one():
    masks = torch.zeros(3, 1, 32, 32)
    masks[1, 0, 5, 7], masks[2] = 1, 1
    totals = mask_share(masks, (16, 16)).sum((1, 2, 3))
    assert totals.tolist() == pytest.approx([0, 1, 1], abs=1e-6)


@pytest.fixture
def dissection(tmp_path, monkeypatch) -> Dissection:
    monkeypatch.setenv("MAMI_HOME", str(tmp_path / "home"))
    folder = make_dissection(tmp_path / "made")
    units = Dissection.open(folder).units
    DissectionWriter.open(folder).write_units(units.assign(threshold=np.where(units["state"] == "alive", 0.5, np.nan)))
    return Dissection.open(folder)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    made = build_pyramid("alexnet", drawn_weights("alexnet", 1))
    return save_pyramid(made, tmp_path_factory.mktemp("encoder") / "milan-pyramid")


def test_a_unit_s_vectors_are_those_of_its_exemplars_one_by_one(dissection, encoder):
    found = unit_features(dissection, encoder, cache=False)

    assert found.grid[1:] == (1, 1)
    key = found.keys[1]
    rows, weight = found.dense(1)
    for rank, exemplar in enumerate(dissection.exemplars_of(*key)["top"]):
        picture = dissection.images.image(exemplar.image_id).resize((SIZE, SIZE), 2)
        pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1).float()[None] / 255
        small = torch.from_numpy(np.array(dissection.maps(key[0])[dissection.row(*key), rank], dtype=np.float32))
        mask = F.interpolate(small[None, None], (SIZE, SIZE), mode="bilinear") > 0.5
        torch.testing.assert_close(torch.from_numpy(rows[rank]), encoder.pool(pixels, mask)[0], rtol=1e-4, atol=1e-5)
    assert weight == pytest.approx(np.full(len(rows), 1 / len(rows)))


def test_it_reads_back_the_same_and_its_features_are_kept(dissection, encoder, tmp_path):
    save_pyramid(encoder, tmp_path / "copy")
    again = open_encoder(tmp_path / "copy")
    assert again.sha256 == encoder.sha256
    first = unit_features(dissection, encoder)
    broken = dataclasses.replace(again, network=torch.nn.Identity())  # would fail if anything were encoded again
    second = unit_features(dissection, broken)
    assert np.array_equal(first.values, second.values)


def test_weights_of_another_network_are_refused(encoder):
    with pytest.raises(ValueError, match="do not fit a resnet18 encoder: conv1"):
        build_pyramid("resnet18", encoder.network.state_dict())
    with pytest.raises(ValueError, match="MILAN has alexnet"):
        build_pyramid("vgg16", {})
