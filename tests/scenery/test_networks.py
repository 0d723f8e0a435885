"""The painted world's networks: shapes, names, and weights that come back as they were stored."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mami_core.scenery.networks import (
    ARCHITECTURES,
    LAYERS,
    SceneryGenerator,
    build,
    load_network,
    save_network,
    to_input,
    to_layout,
)
from mami_core.scenery.parts import PARTS, PLACES


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randint(0, 256, (2, 3, 112, 112), dtype=torch.uint8, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("name", ["resnet", "alexnet"])
def test_a_classifier_scores_every_place_and_its_layers_are_silent_at_zero(name, images):
    network = build(name).eval()
    modules = dict(network.named_modules())
    outputs = {}
    for layer in LAYERS[name]:
        modules[layer].register_forward_hook(lambda _m, _i, out, layer=layer: outputs.update({layer: out}))

    with torch.no_grad():
        assert network(to_input(images)).shape == (2, len(PLACES))
    assert list(outputs) == list(LAYERS[name])  # in the order the data meets them
    assert all(float(output.min()) >= 0 for output in outputs.values())
    assert sum(output.shape[1] for output in outputs.values()) >= 450


def test_the_generator_paints_an_image_of_the_layouts_size(images):
    parts = torch.randint(0, len(PARTS), (2, 56, 56), generator=torch.Generator().manual_seed(1))
    layout = to_layout(parts, images)

    assert layout.shape == (2, len(PARTS) + 3, 28, 28)
    assert torch.allclose(layout[:, : len(PARTS)].sum(1), torch.ones(2, 28, 28))  # shares of a cell
    assert SceneryGenerator().eval()(layout).shape == (2, 3, 112, 112)


def test_a_layout_keeps_the_mean_colour_of_each_block(images):
    layout = to_layout(torch.zeros(2, 28, 28, dtype=torch.uint8), images)
    block = images[1, 2, 8:16, 24:32].float().mean() / 127.5 - 1
    assert float(layout[1, -1, 3, 7]) == pytest.approx(float(block), abs=1e-5)


def test_the_parts_encoder_labels_every_four_pixels(images):
    encoder = build("parts-encoder").eval()
    assert encoder(to_input(images)).shape == (2, sum(encoder.groups), 28, 28)
    assert encoder.trunk(to_input(images)).shape == (2, 96, 28, 28)


@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_weights_saved_as_float16_come_back_rounded_and_nothing_else(name, tmp_path):
    torch.manual_seed(0)
    network = build(name)
    save_network(network, tmp_path / "w.safetensors")
    again = load_network(name, tmp_path / "w.safetensors")

    for key, value in network.state_dict().items():
        expected = value.half().float() if value.is_floating_point() else value
        assert torch.equal(again.state_dict()[key], expected), key
    assert not again.training


def test_weights_of_another_network_are_refused_by_name(tmp_path):
    save_network(build("alexnet"), tmp_path / "w.safetensors")
    with pytest.raises(ValueError, match=r"does not fit scenery:resnet: .*\d+ keys"):
        load_network("resnet", tmp_path / "w.safetensors")


def test_an_unknown_network_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="no scenery network 'vgg'; there are resnet, alexnet"):
        build("vgg")


def test_missing_weights_say_how_to_make_them(tmp_path):
    with pytest.raises(FileNotFoundError, match="mami demo"):
        load_network("resnet", tmp_path / "none.safetensors")


def test_images_that_are_not_bytes_are_refused():
    with pytest.raises(ValueError, match="uint8 images"):
        to_input(np.zeros((2, 3, 8, 8), dtype=np.float32))
