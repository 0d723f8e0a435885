"""A user's module is borrowed: it comes back as it was."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import nn


@contextlib.contextmanager
def left_as_it_was(module: nn.Module) -> Iterator[None]:
    """Give a module back in the mode, on the device and with the gradients in which it came."""
    modes = {part: part.training for part in module.modules()}
    wanted = {parameter: parameter.requires_grad for parameter in module.parameters()}
    device = next((parameter.device for parameter in module.parameters()), torch.device("cpu"))
    try:
        yield
    finally:
        module.to(device)
        for part, training in modes.items():
            part.training = training
        for parameter, gradient in wanted.items():
            parameter.requires_grad_(gradient)
