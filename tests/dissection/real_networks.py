"""The networks that the JSON files beside real weights describe: `real_networks.py:described` with `{"file": …}`."""

from __future__ import annotations

import json
from collections import OrderedDict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision import models


def described(file: str) -> nn.Module:
    """Build the network of one JSON file, with its preprocessing."""
    facts = json.loads(Path(file).read_text())
    module = _build(facts)
    module.preprocessing = _preprocessing(facts["preprocessing"])  # type: ignore[assignment]
    module.name = facts["name"]  # type: ignore[assignment]
    return module


def _build(facts: dict[str, Any]) -> nn.Module:
    if "layers" in facts:
        parts = ((e["name"], getattr(nn, e["type"])(*e["args"], **e.get("kwargs", {}))) for e in facts["layers"])
        return nn.Sequential(OrderedDict(parts))
    if "resnet20" in facts["name"]:
        return CifarResNet(blocks=3)
    kind = "squeezenet1_1" if "squeezenet1_1" in facts["architecture"] else "squeezenet1_0"
    module = models.get_model(kind, weights=None, num_classes=365 if "365" in facts["architecture"] else 1000)
    return _leaky(module) if "LeakyReLU" in facts["architecture"] else module


def _leaky(module: nn.Module) -> nn.Module:
    """The Places SqueezeNet: padded first convolution, floor pooling, leaky ReLUs."""
    module.features[0].padding = (1, 1)
    for name, part in list(module.named_modules()):
        if isinstance(part, nn.MaxPool2d):
            part.ceil_mode = False
        if isinstance(part, nn.ReLU):
            parent, _, last = name.rpartition(".")
            setattr(module.get_submodule(parent), last, nn.LeakyReLU(0.55))
    return module


def _preprocessing(facts: dict[str, Any]) -> dict[str, Any]:
    plain = {"mean": facts["mean"], "std": facts["std"]}
    if "size" in facts:
        return plain | {"resize": facts["size"], "crop": facts["size"]}
    return plain | {"resize": facts["resize_short_side"], "crop": facts["center_crop"]}


class CifarResNet(nn.Module):
    """He et al. 2015, section 4.2, shortcuts of option A."""

    def __init__(self, blocks: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        widths = [16, 16, 32, 64]
        for stage in (1, 2, 3):
            first = CifarBlock(widths[stage - 1], widths[stage], stride=1 if stage == 1 else 2)
            rest = [CifarBlock(widths[stage], widths[stage], stride=1) for _ in range(blocks - 1)]
            self.add_module(f"layer{stage}", nn.Sequential(first, *rest))
        self.linear = nn.Linear(64, 10)

    def forward(self, images: Tensor) -> Tensor:
        x = torch.relu(self.bn1(self.conv1(images)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(x.mean((2, 3)))


class CifarBlock(nn.Module):
    def __init__(self, before: int, after: int, *, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.stride, self.added = stride, (after - before) // 2

    def forward(self, x: Tensor) -> Tensor:
        out = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        shortcut = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.added, self.added))
        return torch.relu(out + shortcut)
