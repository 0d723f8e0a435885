"""Seeded choices. Only `Random.random` is used: its stream is the same on every machine and Python version."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

Option = TypeVar("Option")


class Dice:
    """Draws for one scene: every choice of a painter comes from here, in order."""

    def __init__(self, seed: int) -> None:
        if seed < 0:
            raise ValueError(f"a scene's seed is 0 or more, got {seed}")  # Random would take it for its absolute value
        self.random = Random(seed).random

    def between(self, low: float, high: float) -> float:
        """Give a number spread evenly over low..high."""
        return low + (high - low) * self.random()

    def count(self, low: int, high: int) -> int:
        """Give a whole number from low to high, both included."""
        return low + int(self.random() * (high - low + 1))

    def chance(self, probability: float) -> bool:
        """Say yes with this probability."""
        return self.random() < probability

    def pick(self, *options: Option) -> Option:
        """Give one of the options."""
        return options[int(self.random() * len(options))]

    def bell(self, spread: float) -> float:
        """Give a number about 0 with standard deviation `spread` (a sum of three uniforms: no log, no cosine)."""
        return (self.random() + self.random() + self.random() - 1.5) * 2 * spread

    def rows(self, number: int, low: float, high: float) -> Sequence[float]:
        """Give `number` sorted places in low..high: far things first, so that near ones cover them."""
        return sorted(self.between(low, high) for _ in range(number))
