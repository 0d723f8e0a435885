"""Networks for tests, opened as a user would: `networks.py:factory` with JSON arguments."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import torch
from torch import nn


def listed(architecture: list[list[Any]]) -> nn.Module:
    """Build a plain chain from [dotted name, torch.nn class, arguments] rows; dots nest."""
    root: OrderedDict[str, Any] = OrderedDict()
    for name, kind, arguments in architecture:
        *path, last = name.split(".")
        place = root
        for step in path:
            place = place.setdefault(step, OrderedDict())
        place[last] = getattr(nn, kind)(**arguments)
    return _chain(root)


def _chain(tree: OrderedDict[str, Any]) -> nn.Sequential:
    parts = {name: _chain(part) if isinstance(part, OrderedDict) else part for name, part in tree.items()}
    return nn.Sequential(OrderedDict(parts))


def tiny(units: int = 6, seed: int = 1) -> nn.Module:
    """Two convolutions with an in-place ReLU between them, and a linear layer."""
    torch.manual_seed(seed)
    module = nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, units, 3, padding=1),
            relu1=nn.ReLU(inplace=True),
            conv2=nn.Conv2d(units, units + 1, 3, stride=2),
            pool=nn.AdaptiveAvgPool2d(1),
            flat=nn.Flatten(),
            fc=nn.Linear(units + 1, 5),
        )
    )
    module.preprocessing = {"resize": 16, "crop": 16}  # type: ignore[assignment]
    return module
