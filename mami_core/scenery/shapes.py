"""Outlines in scene coordinates: x runs from 0 (left) to 1 (right), y from 0 (top) to 1 (bottom)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

Point = tuple[float, float]


class Shape(NamedTuple):
    """One outline: `kind` says how `points` are read; `width` is the thickness of a line, in scene units."""

    kind: str  # box, ellipse (both: two opposite corners), polygon (its corners), line (its knees)
    points: Sequence[Point]
    width: float = 0.0


def box(left: float, top: float, right: float, bottom: float) -> Shape:
    """Give an upright rectangle."""
    return Shape("box", ((left, top), (right, bottom)))


def disc(x: float, y: float, radius: float, tall: float | None = None) -> Shape:
    """Give an ellipse about (x, y) of half-width `radius` and half-height `tall` (a circle where it is left out)."""
    height = radius if tall is None else tall
    return Shape("ellipse", ((x - radius, y - height), (x + radius, y + height)))


def polygon(*points: Point) -> Shape:
    """Give the area inside `points`."""
    return Shape("polygon", points)


def line(width: float, *points: Point) -> Shape:
    """Give a stroke along `points`."""
    return Shape("line", points, width)


def moved(points: Sequence[Point], x: float, y: float, size: float, mirror: int = 1) -> Shape:
    """Give a polygon drawn in units of `size` about (x, y), mirrored where `mirror` is -1."""
    return Shape("polygon", tuple((x + mirror * dx * size, y + dy * size) for dx, dy in points))
