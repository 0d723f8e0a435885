"""Silenced units say what stands in for them and nothing else changes, as can be computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from mami_core.dissection.layers import survey
from mami_core.inputs import Network
from mami_core.inputs.weights import sha256_of_weights
from mami_core.probing.intervention.judge import METHODS, Judge, one_right_answer
from mami_core.probing.intervention.silencing import silenced

LAYER = "features"


@pytest.mark.parametrize("unit", range(4))
def test_silencing_the_unit_that_a_class_depends_on_breaks_this_class_and_no_other(judge, labels, unit):
    found = judge.correct({LAYER: [unit]}, "zero")
    assert found.tolist() == (labels != unit).tolist()


@pytest.mark.parametrize("method", METHODS)
def test_nothing_silenced_is_the_baseline_exactly(judge, method):
    assert judge.answers({LAYER: []}, method).tolist() == judge.answers({}, method).tolist()
    assert judge.whole.all()


@pytest.mark.parametrize("method", METHODS)
def test_the_network_is_as_it_was_to_the_bit_afterwards(judge, method):
    module = judge.network.module
    before, weights = module(judge.inputs[0]), sha256_of_weights(module)
    judge.correct({LAYER: [0, 1, 5]}, method)
    assert torch.equal(module(judge.inputs[0]), before)
    assert sha256_of_weights(module) == weights
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in module.modules())


def test_hooks_are_gone_after_an_error_inside_the_block(judge):
    module = judge.network.module
    with pytest.raises(RuntimeError, match="ours"), silenced(module, judge.layouts, {LAYER: [0]}, _zeros):
        raise RuntimeError("ours")
    assert not module.features._forward_hooks


def test_the_mean_of_a_constant_unit_changes_nothing(judge):
    means = judge.means[LAYER][[4, 5, 6, 7], None, None]
    with silenced(judge.network.module, judge.layouts, {LAYER: [4, 5, 6, 7]}, lambda _layer, _units: means):
        inside = judge.network.module(judge.inputs[0])
    assert torch.equal(inside, judge.network.module(judge.inputs[0]))


def test_means_are_those_of_a_slow_loop(judge):
    maps = judge.network.module.features(judge.inputs[0]).double()
    expected = [np.mean([maps[image, unit].mean().item() for image in range(judge.count)]) for unit in range(8)]
    assert judge.means[LAYER].tolist() == pytest.approx(expected, abs=1e-7)


def test_resampling_keeps_the_marginal_and_gives_no_image_its_own(judge):
    assert sorted(judge.donors.tolist()) == list(range(judge.count))
    assert (judge.donors != np.arange(judge.count)).all()
    assert set(judge.layouts) == {LAYER}  # surveyed now: the survey runs the network too
    seen = []
    hook = judge.network.module.pool.register_forward_hook(lambda _m, inputs, _o: seen.append(inputs[0].clone()))
    judge.answers({LAYER: [2]}, "resample")
    hook.remove()
    got = torch.cat(seen)  # the pass that gathers donors ends before the pool
    true = judge.network.module.features(judge.inputs[0])
    assert torch.equal(got[:, 2], true[torch.from_numpy(judge.donors), 2])
    assert torch.equal(got[:, [0, 1, 3]], true[:, [0, 1, 3]])


@given(st.sets(st.integers(0, 7)), st.integers(1, 50))
def test_the_batch_size_changes_no_answer(units, batch):
    labels = np.arange(12) % 4
    images = torch.rand(12, 4, 4, 4, generator=torch.Generator().manual_seed(3))
    module = nn.Sequential(nn.Conv2d(4, 8, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4)).eval()
    network = Network(name="small", module=module, preprocess=as_it_is)
    right = one_right_answer(labels, 4)
    one, other = (Judge(network, (images,), right, ("1",), batch_size=size) for size in (batch, 12))
    chosen = {"1": sorted(units)}
    for method in METHODS:
        assert one.answers(chosen, method).tolist() == other.answers(chosen, method).tolist()


class Tokens(nn.Module):
    """A transformer's layout: (B, 1 + 4, U) tokens, the first of which is no patch."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 6, 2, stride=2)
        self.block = nn.Identity()
        self.head = nn.Linear(6, 3)

    def forward(self, x):
        tokens = self.patches(x).flatten(2).transpose(1, 2)  # (B, 4, 6)
        return self.head(self.block(torch.cat([tokens.mean(1, keepdim=True), tokens], 1)).mean(1))


def test_a_unit_of_a_transformer_is_silenced_in_every_patch():
    images = torch.rand(5, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    module = Tokens().eval()
    layouts = survey(Network(name="tokens", module=module, preprocess=as_it_is), (images[0],))
    seen = []
    module.head.register_forward_pre_hook(lambda _m, inputs: seen.append(inputs[0]))
    with silenced(module, {"block": layouts["block"]}, {"block": [1]}, _zeros):
        module(images)
    with torch.no_grad():
        patches = module.patches(images).flatten(2).transpose(1, 2)
        whole = torch.cat([patches.mean(1, keepdim=True), patches], 1)
        whole[:, 1:, 1] = 0
    assert torch.allclose(seen[0], whole.mean(1), atol=1e-6)


def test_an_unknown_layer_and_an_unknown_method_are_refused(judge):
    with pytest.raises(ValueError, match="no layer 'nowhere' to silence units in; there are features"):
        judge.correct({"nowhere": [0]}, "zero")
    with pytest.raises(ValueError, match="told has no layer 'conv9'; it has features"):
        Judge(judge.network, judge.inputs, judge.right, ("conv9",)).correct({"conv9": [0]}, "zero")
    with pytest.raises(ValueError, match="zero, mean, resample, not by 'half'"):
        judge.correct({LAYER: [0]}, "half")


def test_a_network_without_a_score_for_each_class_is_refused(judge, labels):
    with pytest.raises(ValueError, match=r"told gives \(4,\), not a score for each of 9 classes"):
        Judge(judge.network, judge.inputs, one_right_answer(labels, 9), (LAYER,)).correct({}, "zero")


def _zeros(_layer, _units):
    return torch.zeros(())


def as_it_is(image):
    return image
