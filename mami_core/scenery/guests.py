"""Guests: things painted where one does not expect them, so that no part belongs to one place only."""

from __future__ import annotations

from collections.abc import Callable

from mami_core.scenery import props_home as home
from mami_core.scenery import props_nature as nature
from mami_core.scenery import props_people as folk
from mami_core.scenery import props_street as street
from mami_core.scenery import props_table as laid
from mami_core.scenery.canvas import Canvas

Prop = Callable[[Canvas, float, float, float], None]

# each prop with the size it has at the lower edge of an outdoor picture; things in a room are nearer, so larger
GUESTS: tuple[tuple[Prop, float], ...] = (
    (street.ball, 0.04), (folk.dog, 0.085), (folk.dog, 0.085), (home.plant, 0.2), (street.bicycle, 0.19),
    (laid.chair, 0.2), (street.crate, 0.11), (folk.standing_bird, 0.06), (folk.standing_bird, 0.06),
    (street.bench, 0.22), (nature.rock, 0.07), (folk.cow, 0.12), (nature.bush, 0.09), (street.umbrella, 0.14),
    (street.sign, 0.24), (laid.cactus_pot, 0.12), (nature.cactus, 0.2), (nature.palm_tree, 0.4),
)  # fmt: skip
INDOORS = 1.25
CLOSE_GUEST = 0.32  # chance of one on the ground
FLYING_GUEST = 0.12  # chance of birds in an outdoor sky


def invite(canvas: Canvas, zone: tuple[float, float] | None) -> None:
    """Perhaps paint a guest between the two ground lines of `zone`, and birds in the sky."""
    dice = canvas.dice
    inside = canvas.light == "indoor"
    if not inside and dice.chance(FLYING_GUEST):
        folk.birds(canvas, dice.count(1, 5), 0.08, 0.3)
    if zone is None or not dice.chance(CLOSE_GUEST):
        return
    prop, size = dice.pick(*GUESTS)
    top, bottom = zone
    y = dice.between(top, max(top, bottom))
    nearness = 0.75 + 0.3 * (y - top) / max(0.05, bottom - top)
    prop(canvas, dice.between(0.1, 0.9), y, size * nearness * (INDOORS if inside else 1.0))
