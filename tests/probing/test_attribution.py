"""Attribution against closed forms, slow loops and its own axioms."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from mami_core.library.inputs import as_network
from mami_core.probing.attribution.answers import Answer, plain
from mami_core.probing.attribution.deletion import deletion, random_deletions
from mami_core.probing.attribution.exemplar import attribute, on_mask
from mami_core.probing.attribution.methods import METHODS, Effort, integrated_gradients, occlusion
from mami_core.probing.layer_probe import LayerProbe

captum = pytest.importorskip("captum", reason="attribution needs Captum: pip install 'mami[attribution]'")
SIDE = 24


def probe_of(module: nn.Module) -> LayerProbe:
    module.preprocessing = {"resize": SIDE, "crop": SIDE, "mean": (0.4, 0.5, 0.6), "std": (0.2, 0.25, 0.3)}  # type: ignore[assignment]
    network = as_network(module.eval())
    network.module.requires_grad_(False)
    return LayerProbe(network, "", (SIDE, SIDE))


@pytest.fixture
def pixels() -> torch.Tensor:
    return torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(3))


@pytest.fixture
def linear() -> Answer:
    """Two units that are plain weighted sums of their input."""
    torch.manual_seed(1)
    return Answer(probe_of(nn.Sequential(nn.Flatten(), nn.Linear(3 * SIDE * SIDE, 2))), 1)


@pytest.fixture
def bent() -> Answer:
    torch.manual_seed(2)
    layers = nn.Sequential(nn.Conv2d(3, 6, 5, 2), nn.Tanh(), nn.Conv2d(6, 4, 3), nn.Tanh())
    return Answer(probe_of(layers), 2, "mean")


def test_integrated_gradients_of_a_linear_unit_are_weight_times_difference(linear, pixels):
    weight = linear.probe.network.module[1].weight[1].view(3, SIDE, SIDE)
    deviation = torch.tensor([0.2, 0.25, 0.3]).view(3, 1, 1)
    expected = (weight / deviation * (pixels - plain(pixels))[0]).sum(0)
    found = integrated_gradients(linear, pixels, Effort(steps=3))
    assert torch.allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("reading", ["peak", "mean"])
def test_integrated_gradients_sum_to_the_difference_of_the_answers(bent, pixels, reading):
    answer = Answer(bent.probe, 2, reading)
    found = integrated_gradients(answer, pixels, Effort(steps=200))
    difference = answer(pixels) - answer(plain(pixels))
    assert float(found.sum()) == pytest.approx(float(difference), abs=2e-3)


def test_occlusion_is_what_a_loop_over_windows_finds(bent, pixels):
    side = SIDE // 8
    total, count = np.zeros((SIDE, SIDE)), np.zeros((SIDE, SIDE))
    whole = float(bent(pixels))
    starts = range(0, SIDE - side + 1, side // 2)
    for y in starts:
        for x in starts:
            covered = pixels.clone()
            covered[:, :, y : y + side, x : x + side] = plain(pixels)[:, :, y : y + side, x : x + side]
            total[y : y + side, x : x + side] += whole - float(bent(covered))
            count[y : y + side, x : x + side] += 1
    found = occlusion(bent, pixels, Effort(window=8)).numpy()
    assert np.allclose(found, total / np.maximum(count, 1), atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_finds_the_only_corner_that_counts_and_the_same_one_again(pixels, method):
    class Corner(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return (x[:, :, :6, :6] ** 2).sum((1, 2, 3), keepdim=True)[:, :, 0, 0]

    corner = nn.Sequential(Corner())
    pixels[:, :, :6, :6] = 1.0
    answer = Answer(probe_of(corner), 0)
    found = METHODS[method](answer, pixels, Effort(cells=4))
    assert torch.equal(found, METHODS[method](answer, pixels, Effort(cells=4)))
    inside = np.zeros((SIDE, SIDE), dtype=bool)
    inside[:7, :7] = True  # occlusion's windows reach beyond by less than themselves
    share = on_mask(found.detach().numpy(), inside)
    assert share is not None
    assert share > 0.9


def test_dice_that_others_throw_are_not_touched(bent, pixels):
    torch.manual_seed(5)
    np.random.seed(5)
    expected = (float(torch.rand(())), float(np.random.rand()))
    torch.manual_seed(5)
    np.random.seed(5)
    METHODS["gradient-shap"](bent, pixels, Effort(samples=2))
    METHODS["lime"](bent, pixels, Effort(drawn=8))
    assert (float(torch.rand(())), float(np.random.rand())) == expected


def test_deleting_by_the_true_map_beats_random_and_both_end_at_the_plain_picture(linear, pixels):
    attribution = integrated_gradients(linear, pixels, Effort(steps=3))
    found = deletion(linear, pixels, attribution, cells=8)
    random = random_deletions(linear, pixels, count=5, cells=8)
    assert found.curve[0] == pytest.approx(float(linear(pixels)), abs=1e-5)
    for one in (found, *random):
        assert one.curve[-1] == pytest.approx(float(linear(plain(pixels))), abs=1e-4)
    sign = 1 if found.curve[0] > found.curve[-1] else -1
    assert sign * found.auc < sign * min(one.auc for one in random)


def test_the_deletion_curve_of_a_linear_unit_is_the_running_sum_of_its_map(linear, pixels):
    attribution = integrated_gradients(linear, pixels, Effort(steps=3))
    found = deletion(linear, pixels, attribution, cells=4)  # 16 cells: fewer than steps, each step at most one
    cells = attribution.view(4, 6, 4, 6).sum((1, 3)).flatten().sort(descending=True).values
    left = float(linear(pixels)) - np.concatenate([[0], cells.cumsum(0).numpy()])
    assert found.curve == pytest.approx(left[np.round(found.deleted * 16).astype(int)], abs=1e-4)


def test_facts_say_what_was_found_and_an_unknown_method_is_refused(bent, pixels):
    mask = np.zeros((SIDE, SIDE), dtype=bool)
    mask[:12] = True
    facts = attribute(bent, pixels, ("occlusion",), mask=mask).facts()
    assert facts["answer"] == pytest.approx(float(bent(pixels)))
    assert facts["mask_share"] == 0.5
    assert 0 <= facts["methods"]["occlusion"]["on_mask"] <= 1
    with pytest.raises(ValueError, match="no method 'magic'; known: integrated-gradients"):
        attribute(bent, pixels, ("magic",))
