"""Dissection on a GPU: the exemplars of a CPU, in less time. Skipped, saying so, where there is no GPU."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from made_images import Noise
from made_networks import tiny

from mami_core.config import BenchDissectConfig, DissectConfig
from mami_core.dissection import dissect
from mami_core.dissection.batches import batches
from mami_core.dissection.bench_gpu import gpu_speeds
from mami_core.inputs import Network, Preprocess, open_network
from mami_core.store import Dissection

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU here; these run where there is one"),
]
LAYERS = ("conv1", "conv2", "fc")


def run(device: str, out: Path, **changes) -> Dissection:
    network = Network("tiny", tiny().eval(), Preprocess(resize=16, crop=16))
    config = DissectConfig("t", "t", out, layers=LAYERS, k=5, batch_size=8, device=device, **changes)
    return dissect(network, Noise(60, broken=[7]), config, out)


def expect_same_exemplars(found: Dissection, truth: Dissection, tolerance: float) -> None:
    """Each unit's exemplars are the CPU's but for images whose peaks differ by less than `tolerance` of the largest."""
    for layer in LAYERS:
        peaks = np.asarray(truth.peaks(layer), dtype=np.float32)  # (images, U)
        for unit in range(peaks.shape[1]):
            scale = np.nanmax(np.abs(peaks[:, unit]))
            chosen, best = (
                [entry.image_id for entry in dissection.exemplars_of(layer, unit)["top"]]
                for dissection in (found, truth)
            )
            assert np.abs(peaks[chosen, unit] - peaks[best, unit]).max() <= tolerance * scale, (layer, unit)


def test_exemplars_are_those_of_a_cpu_within_bfloat16(tmp_path):
    found, truth = run("cuda", tmp_path / "gpu"), run("cpu", tmp_path / "cpu")
    expect_same_exemplars(found, truth, 2e-2)  # eight bits of mantissa, through two convolutions
    assert found.verify() == []
    assert (found.units["state"] == truth.units["state"]).all()


def test_in_single_precision_ids_are_equal_but_for_ties(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    found = run("cuda", tmp_path / "gpu", mixed_precision=False)
    expect_same_exemplars(found, run("cpu", tmp_path / "cpu"), 1e-3)


def test_batches_wait_in_pinned_memory():
    network = Network("tiny", tiny().eval(), Preprocess(resize=16, crop=16))
    (batch,) = batches(network, Noise(3), [range(3)], workers=1, pin=True)
    assert all(part.is_pinned() for part in batch.inputs)


def test_a_networks_weights_lie_channels_last(tmp_path):
    network = open_network("torchvision:resnet18", crop=64)
    config = DissectConfig("t", "t", tmp_path / "out", layers=("layer4",), k=2, batch_size=4, device="cuda")
    dissect(network, Noise(6, side=64), config, config.out)
    assert network.module.layer1[0].conv1.weight.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.slow
def test_dissecting_keeps_nineteen_twentieths_of_the_forward_passs_speed():
    for found in gpu_speeds(BenchDissectConfig())["networks"]:
        assert found["share_of_forward"] >= 0.95, found
