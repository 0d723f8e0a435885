"""Whatever a layer puts out, as maps (B, U, h, w): convolutions, tokens of a transformer, fully connected outputs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor

Kind = Literal["maps", "maps-last", "tokens", "vector", "heads"]


@dataclass(frozen=True, slots=True)
class Layout:
    """How a layer's output is to be read: what its axes are, how many units, the size of their maps."""

    kind: Kind
    units: int
    height: int
    width: int
    prefix: int = 0  # class and register tokens before the grid
    batch_axis: int = 0  # 1: (tokens, batch, units), as CLIP's own transformer has it
    calls: int = 1  # how often the module runs in one forward pass; the last call is read

    @property
    def shape(self) -> tuple[int, ...]:
        """Return (units, height, width), or (units,) for a fully connected output."""
        return (self.units,) if self.kind == "vector" else (self.units, self.height, self.width)


def first_tensor(output: Any) -> Tensor | None:
    """Return the first tensor of what a module gave: itself, of a tuple, of a mapping; None where there is none."""
    if isinstance(output, Tensor):
        return output
    if isinstance(output, Mapping):
        output = list(output.values())
    if isinstance(output, Sequence) and not isinstance(output, str):
        return next((found for entry in output if (found := first_tensor(entry)) is not None), None)
    return None


def layout_of(output: Tensor, *, batch: int, grid: tuple[int, int] | None, channels_last: bool) -> Layout | None:
    """Work out a layer's layout from its output for `batch` images; None when it holds nothing like units.

    `grid` is the network's patch grid where it has one; tokens beyond it are class and register tokens in front.
    """
    shape = tuple(output.shape)
    if not output.is_floating_point():
        return None
    if len(shape) == 4 and shape[0] == batch:
        if channels_last:
            return Layout("maps-last", shape[3], shape[1], shape[2])
        return Layout("maps", shape[1], shape[2], shape[3])
    if len(shape) == 2 and shape[0] == batch:
        return Layout("vector", shape[1], 1, 1)
    if len(shape) == 3 and batch in shape[:2]:
        axis = 0 if shape[0] == batch else 1
        return _tokens(shape[1 - axis], shape[2], axis, grid)
    return None


def _tokens(tokens: int, units: int, batch_axis: int, grid: tuple[int, int] | None) -> Layout | None:
    if grid is None or tokens < grid[0] * grid[1]:
        side = math.isqrt(tokens)  # no patch embedding seen: the largest square, the rest stands in front
        grid = (side, side)
    prefix = tokens - grid[0] * grid[1]
    if prefix > 16:  # no network has that many registers: these tokens are not the patches
        return None
    return Layout("tokens", units, grid[0], grid[1], prefix=prefix, batch_axis=batch_axis)


def as_maps(output: Tensor, layout: Layout) -> Tensor:
    """Return a layer's output as (B, U, h, w), a view wherever possible.

    ValueError when the output no longer has the shape that was surveyed: images of different sizes cannot be mixed.
    """
    if layout.kind == "vector":
        maps = output[:, :, None, None]  # (B, U, 1, 1)
    elif layout.kind == "tokens":
        batched = output.transpose(0, 1) if layout.batch_axis else output  # (B, P + h·w, U)
        maps = batched[:, layout.prefix :].transpose(1, 2)  # (B, U, h·w)
        if maps.shape[-1] != layout.height * layout.width:
            raise ValueError(f"a layer gave {maps.shape[-1]} patches instead of {layout.height * layout.width}")
        maps = maps.unflatten(2, (layout.height, layout.width))  # (B, U, h, w)
    elif layout.kind == "heads":
        maps = output[..., layout.prefix :].unflatten(2, (layout.height, layout.width))  # from (B, heads, P + h·w)
    else:
        maps = output.permute(0, 3, 1, 2) if layout.kind == "maps-last" else output
    if tuple(maps.shape[1:]) != (layout.units, layout.height, layout.width):
        expected = (layout.units, layout.height, layout.width)
        raise ValueError(f"a layer gave maps {tuple(maps.shape[1:])} instead of {expected}; use one image size")
    return maps
