"""Regions of whole images: a grid of any backbone's features, standardised."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from mami_core.captioning.encoder import fit_encoder, save_encoder
from mami_core.captioning.encoders import open_encoder
from mami_core.captioning.image_encoder import load_fit, network_grid, parts_grid, save_image_encoder
from mami_core.inputs.networks import Network
from mami_core.inputs.preprocess import Preprocess
from mami_core.scenery.networks import PartsEncoder


@pytest.fixture(scope="module")
def pictures():
    rng = np.random.default_rng(3)
    return [Image.fromarray(rng.integers(0, 256, (112, 112, 3), dtype=np.uint8)) for _ in range(5)]


@pytest.fixture(scope="module")
def parts(pictures, tmp_path_factory):
    torch.manual_seed(1)
    images = np.stack([np.asarray(picture).transpose(2, 0, 1) for picture in pictures])
    return save_encoder(fit_encoder(PartsEncoder(), images), tmp_path_factory.mktemp("encoder") / "parts")


@pytest.fixture
def network() -> Network:
    torch.manual_seed(2)
    module = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(4, 6, 3, stride=4, padding=1),
                           nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3))  # fmt: skip
    return Network("small", module.eval(), Preprocess(resize=56, crop=56), weights_sha256="1" * 64)


def test_a_parts_encoder_s_map_is_averaged_to_196_standardised_regions(parts, pictures):
    encoder = parts_grid(parts).fitted(pictures)
    found = encoder.encode(pictures)
    assert found.shape == (5, 196, 96)
    assert found.dtype == torch.float16
    assert found.float().mean((0, 1)).abs().max() < 0.1
    maps = parts_grid(parts).maps(pictures[:1])[0].detach()  # (96, 28, 28)
    corner = maps[:, 2:4, 4:6].mean((1, 2))  # cell (1, 2)
    expected = ((corner - encoder.mean) / encoder.scale).clamp(-5, 5)
    torch.testing.assert_close(found[0, 1 * 14 + 2].float(), expected, atol=5e-3, rtol=5e-3)


def test_a_picture_s_regions_do_not_depend_on_its_batch(parts, pictures):
    encoder = parts_grid(parts).fitted(pictures)
    torch.testing.assert_close(encoder.encode(pictures)[3:4], encoder.encode(pictures[3:4]), atol=2e-3, rtol=1e-3)


def test_a_network_s_last_layer_with_enough_places_is_taken(network, pictures):
    encoder = network_grid(network)
    assert encoder.facts["layer"] == "1"  # 28 x 28; the next has 7 x 7
    assert encoder.encode(pictures[:2]).shape == (2, 196, 4)
    coarse = network_grid(network, "2")
    assert coarse.encode(pictures[:2]).shape == (2, 196, 6)
    with pytest.raises(ValueError, match="has no layer '9' with a map of places; the last ones are 0, 1, 2"):
        network_grid(network, "9")


def test_a_fit_is_kept_and_belongs_to_its_backbone(network, parts, pictures, tmp_path):
    encoder = network_grid(network).fitted(pictures)
    save_image_encoder(encoder, tmp_path / "kept")
    again = load_fit(network_grid(network), tmp_path / "kept")
    assert again.sha256 == encoder.sha256
    assert torch.equal(again.encode(pictures), encoder.encode(pictures))
    with pytest.raises(ValueError, match="was fitted to another backbone"):
        load_fit(parts_grid(parts), tmp_path / "kept")
    with pytest.raises(ValueError, match="belongs to a captioner of images"):
        open_encoder(tmp_path / "kept")
