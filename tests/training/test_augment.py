"""Sums of two channels as units of their own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mami_core.config import DissectConfig
from mami_core.dissection import dissect
from mami_core.inputs.networks import Network
from mami_core.scenery.images import SceneryImages
from mami_core.scenery.networks import LAYERS, build, to_input
from mami_core.training.augment import Polysemantic


@pytest.fixture(scope="module")
def images():
    pixels = torch.randint(0, 256, (4, 3, 112, 112), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    return to_input(pixels)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return build("alexnet").eval()


def seen(module, names, images):
    modules, found = dict(module.named_modules()), {}
    hooks = [
        modules[name].register_forward_hook(lambda _m, _i, out, name=name: found.update({name: out})) for name in names
    ]
    with torch.no_grad():
        found["out"] = module(images)
    for hook in hooks:
        hook.remove()
    return found


def test_a_sum_unit_is_the_sum_of_its_two_channels_in_their_spreads(network, images):
    wrapped = Polysemantic(network, ["conv2", "conv4"], images, share=0.25, seed=3)
    found = seen(wrapped, [*wrapped.sum_layers, "network.conv2"], images)

    assert wrapped.sum_layers == ("sums.conv2", "sums.conv4")
    sums, maps = found["sums.conv2"], found["network.conv2"]
    assert sums.shape[1] == 24
    pair = wrapped.sums["conv2"]
    for unit in (0, 7, 23):
        a, b = int(pair.first[unit]), int(pair.second[unit])
        assert a != b
        expected = maps[:, a] / maps[:, a].std() + maps[:, b] / maps[:, b].std()
        assert torch.allclose(sums[:, unit], expected, atol=1e-4)


def test_the_network_itself_puts_out_what_it_did(network, images):
    with torch.no_grad():
        alone = network(images)
    wrapped = Polysemantic(network, LAYERS["alexnet"], images)
    assert torch.equal(seen(wrapped, [], images)["out"], alone)


def test_units_that_are_left_out_are_in_no_pair(network, images):
    wrapped = Polysemantic(network, ["conv3"], images, share=2.0, leave_out={"conv3": range(10, 128)})
    pair = wrapped.sums["conv3"]
    assert int(pair.first.max()) < 10
    assert int(pair.second.max()) < 10
    assert len(pair.first) == 256


def test_a_seed_fixes_the_pairs(network, images):
    pairs = [Polysemantic(network, ["conv3"], images, seed=seed).sums["conv3"].first for seed in (1, 1, 2)]
    assert torch.equal(pairs[0], pairs[1])
    assert not torch.equal(pairs[0], pairs[2])


def test_a_layer_that_is_not_there_is_refused(network, images):
    with pytest.raises(ValueError, match="SceneryAlexNet has no layer 'conv9'"):
        Polysemantic(network, ["conv9"], images)


def test_a_layer_without_channels_to_pair_is_refused(network, images):
    with pytest.raises(ValueError, match="has 1 channels that may be paired"):
        Polysemantic(network, ["conv3"], images, leave_out={"conv3": range(1, 128)})


def test_sums_are_dissected_like_any_layer(images, tmp_path):
    torch.manual_seed(0)
    wrapped = Polysemantic(build("alexnet").eval(), ["conv3"], images, share=0.1).eval()
    scenes = SceneryImages(12, seed=1)
    network = Network("sums", wrapped, lambda image: to_input(np.asarray(image).transpose(2, 0, 1)[None])[0])
    config = DissectConfig("sums", "scenery:12:1", tmp_path / "d", layers=wrapped.sum_layers, k=3)
    dissection = dissect(network, scenes, config, tmp_path / "d")

    assert dissection.layers == ("sums.conv3",)
    assert len(dissection.unit_keys()) == 13
    with torch.no_grad():
        pixels = torch.stack([network.preprocess(scenes.load(index)) for index in range(12)])
        sums = seen(wrapped, wrapped.sum_layers, pixels)["sums.conv3"]
    best = dissection.exemplars_of("sums.conv3", 4)["top"][0]
    assert best.image_id == int(sums[:, 4].amax((1, 2)).argmax())
    assert best.activation == pytest.approx(float(sums[:, 4].max()), rel=1e-3)
