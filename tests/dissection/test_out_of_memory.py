"""A batch that does not fit is run in halves: the dissection is the one that enough memory would have given."""

from __future__ import annotations

import logging
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from made_images import Noise
from made_networks import tiny
from torch import Tensor, nn

from mami_core.config import DissectConfig
from mami_core.dissection import dissect
from mami_core.inputs import Network, Preprocess
from mami_core.store import Dissection

LAYERS = ("conv1", "conv2")


class Cramped(nn.Sequential):
    """The tiny network with room for so many images: more of them fail as on a full GPU, after the first layer."""

    room = 1000

    def __init__(self) -> None:
        super().__init__(OrderedDict(tiny().named_children()))

    def forward(self, images: Tensor) -> Tensor:
        after_first = self.conv1(images)
        if len(images) > self.room:
            raise torch.OutOfMemoryError(f"no room for {len(images)} images")
        for part in list(self.children())[1:]:
            after_first = part(after_first)
        return after_first


def run(room: int, out: Path, images: Noise) -> Dissection:
    module = Cramped().eval()
    module.room = room
    network = Network("cramped", module, Preprocess(resize=16, crop=16))
    return dissect(network, images, DissectConfig("t", "t", out, layers=LAYERS, k=4, batch_size=8), out)


@pytest.mark.parametrize(("room", "halvings"), [(5, ["8", "4"]), (2, ["8", "4", "4", "2"])])
def test_a_batch_that_does_not_fit_is_halved_and_nothing_is_counted_twice(tmp_path, caplog, room, halvings):
    images = Noise(45, broken=[3, 21])
    whole = run(1000, tmp_path / "whole", images)
    with caplog.at_level(logging.WARNING):
        found = run(room, tmp_path / "halved", images)
    said = " ".join(record.getMessage() for record in caplog.records)
    assert [word for word in said.split() if word.isdecimal()] == halvings
    assert found.exemplars["image_id"].tolist() == whole.exemplars["image_id"].tolist()
    for name in ("threshold", "max", "mean", "variance", "kurtosis", "fraction_positive"):
        assert found.units[name].to_numpy() == pytest.approx(whole.units[name].to_numpy(), rel=1e-4, abs=1e-5), name
    assert found.verify() == []


def test_one_image_that_does_not_fit_is_said_in_one_sentence(tmp_path):
    class Full(Cramped):
        def forward(self, images: Tensor) -> Tensor:
            self.room = 0 if getattr(self, "surveyed", False) else 2
            self.surveyed = True
            return super().forward(images)

    network = Network("full", Full().eval(), Preprocess(resize=16, crop=16))
    with pytest.raises(ValueError, match="no memory for one image: no room for 1 images; use --device cpu"):
        dissect(network, Noise(9), DissectConfig("t", "t", tmp_path / "out", layers=LAYERS), tmp_path / "out")
