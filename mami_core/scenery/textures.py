"""Textures: how much of a second colour lies at each pixel.

Pixels must be the same on every machine, so nothing here calls a vectorised sine or exponential, whose last bit
depends on the processor; a rounded table stands in for the sine and a fixed tile of bytes for noise.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

import numpy as np

Array = np.ndarray
TILE = 512  # side of the noise tile, a power of two

_SINE = np.array([round(math.sin(2 * math.pi * k / 256), 5) for k in range(256)], np.float32)


def _noise_tile() -> Array:
    """Make the grain that speckled surfaces cut pieces from: (TILE, TILE) float32 in 0..1, grains two pixels wide."""
    half = TILE // 2
    draws = np.frombuffer(Random(20).randbytes(half * half), np.uint8).reshape(half, half)
    fine = (draws.astype(np.float32) / 255) ** 2
    return np.ascontiguousarray(fine.repeat(2, 0).repeat(2, 1))


def _bell_tile() -> Array:
    """Make the camera noise: (TILE, TILE) float32 of mean 0 and standard deviation 1."""
    draws = np.frombuffer(Random(21).randbytes(4 * TILE * TILE), np.uint8).reshape(4, TILE, TILE)
    return (draws.astype(np.float32).sum(0) - 510) / np.float32(147.8)


GRAIN = _noise_tile()
BELL = _bell_tile()


def _cells(along: Array, period: float) -> Array:
    return (along * (1 / period)).astype(np.int32)  # coordinates are never negative, so this rounds down


def _fraction(along: Array, period: float) -> Array:
    steps = along * (1 / period)
    return steps - steps.astype(np.int32)


def _striped(x: Array, y: Array, period: float, way: int) -> Array:
    return _cells((x, y, x + y)[way % 3], period) & 1


def _dotted(x: Array, y: Array, period: float, _way: int) -> Array:
    across, down = _fraction(x, period * 1.7) - 0.5, _fraction(y, period * 1.7) - 0.5
    return across * across + down * down < 0.085


def _checkered(x: Array, y: Array, period: float, _way: int) -> Array:
    return (_cells(x, period) ^ _cells(y, period)) & 1


def _brick(x: Array, y: Array, period: float, _way: int) -> Array:
    row = _cells(y, period) & 1
    return (_fraction(y, period) < 0.24) | (_fraction(x + row * period, 2 * period) < 0.13)


def _wooden(x: Array, y: Array, period: float, way: int) -> Array:
    across = (x, y)[way % 2]
    tone = ((_cells(across, period) * 7) % 5).astype(np.float32) * np.float32(0.11)  # planks differ a little
    return np.where(_fraction(across, period) < 0.2, np.float32(1), tone)


def _tiled(x: Array, y: Array, period: float, _way: int) -> Array:
    return (_fraction(x, period * 1.5) < 0.17) | (_fraction(y, period * 1.5) < 0.17)


def _grid(x: Array, y: Array, period: float, _way: int) -> Array:
    return (_fraction(x, period * 1.5) < 0.52) & (_fraction(y, period * 1.5) < 0.52)


def _speckled(x: Array, y: Array, _period: float, way: int) -> Array:
    top, left = (way * 37) % 128, (way * 101) % 128
    if x.shape[0] == 1:
        return GRAIN[top : top + y.shape[0], left : left + x.shape[1]]
    return GRAIN[y.astype(np.int32) % TILE, x.astype(np.int32) % TILE]


def _wavy(x: Array, y: Array, period: float, _way: int) -> Array:
    phase = (x * (40 / period)).astype(np.int32) & 255
    return _cells(y + _SINE[phase] * np.float32(period * 0.45) + period, period * 0.8) & 1


PATTERNS: dict[str, Callable[[Array, Array, float, int], Array]] = {
    "striped": _striped,
    "dotted": _dotted,
    "checkered": _checkered,
    "brick": _brick,
    "wooden": _wooden,
    "speckled": _speckled,
    "wavy": _wavy,
    "tiled": _tiled,
    "grid": _grid,
}


def second_colour(texture: str, base: Array) -> Array:
    """Give the colour (3,) that a texture lays over `base` where the painter names none: mortar, joint, shadow."""
    if texture in ("brick", "tiled"):
        return base * np.float32(0.72) + np.float32(48)
    if texture in ("wooden", "speckled", "wavy"):
        return base * np.float32(0.68)
    dark = float(base.mean()) < 110
    return base * np.float32(0.6) + np.float32(95) if dark else base * np.float32(0.6)
