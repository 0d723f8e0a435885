"""What ReLUs hide from an optimiser: gradients of silent units, and how far below zero a unit would be."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

_RELUS = (F.relu, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_)
Rectify = Callable[[Tensor], Tensor]


class _Waking(torch.autograd.Function):
    """Lucid's "redirected" ReLU: where a picture's gradient would die, what would raise its inputs passes."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.clamp_min(0)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """Gradients are of a loss that falls: a negative one raises its input."""
        (x,) = ctx.saved_tensors
        own = gradient * (x > 0)
        stuck = ~own.flatten(1).any(1).view(-1, *[1] * (x.ndim - 1))  # per picture
        return torch.where(stuck, gradient.clamp_max(0), own)


class _Instead(TorchFunctionMode):
    """Computes every ReLU, of a module or a function, by `rectify`, never in place."""

    def __init__(self, rectify: Rectify) -> None:
        super().__init__()
        self.rectify = rectify

    def __torch_function__(
        self,
        function: Callable[..., Any],
        _types: Sequence[type],
        arguments: Sequence[Any] = (),
        keywords: Mapping[str, Any] | None = None,
    ) -> Any:
        if function in _RELUS:
            return self.rectify(arguments[0] if arguments else (keywords or {})["input"])
        return function(*arguments, **(keywords or {}))


@contextlib.contextmanager
def woken() -> Iterator[None]:
    """Inside, every ReLU passes gradients to pictures for which it is silent everywhere."""
    with _Instead(_Waking.apply):
        yield


class Rectified:
    """The last ReLU that ran: what went in and what came out."""

    def __init__(self) -> None:
        self._last: tuple[Tensor, Tensor] | None = None

    def __call__(self, x: Tensor) -> Tensor:
        """Rectify and remember."""
        self._last = (x, x.clamp_min(0))
        return self._last[1]

    def behind(self, output: Tensor) -> Tensor | None:
        """Return what the last ReLU made `output` of, in its shape; None where a ReLU did not make it."""
        if self._last is None or self._last[1].data_ptr() != output.data_ptr():
            return None
        return self._last[0].view_as(output) if self._last[0].numel() == output.numel() else None


@contextlib.contextmanager
def remembered() -> Iterator[Rectified]:
    """Inside, ReLUs are remembered, so that what they cut off can be asked for."""
    rectified = Rectified()
    with _Instead(rectified):
        yield rectified
