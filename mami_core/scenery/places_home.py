"""Rooms one lives in.

Each painter paints onto the canvas and returns where a guest may stand (y from, y to).
"""

from __future__ import annotations

from functools import partial

from mami_core.scenery import backdrops as behind
from mami_core.scenery import props_buildings as built
from mami_core.scenery import props_home as home
from mami_core.scenery import props_people as folk
from mami_core.scenery import props_table as laid
from mami_core.scenery.canvas import Canvas
from mami_core.scenery.materials import WOOD
from mami_core.scenery.shapes import box, disc

Zone = tuple[float, float]


def bedroom(canvas: Canvas) -> Zone | None:
    """A bed with pillows, a window or pictures, a lamp at the bedside."""
    dice = canvas.dice
    floor = behind.room(canvas)
    x, width = dice.between(0.3, 0.7), dice.between(0.36, 0.52)
    bed_y, high = floor + dice.between(0.2, 0.26), dice.between(0.22, 0.28)
    home.pictures(canvas, dice.count(0, 2))
    if dice.chance(0.6):
        home.framed_window(
            canvas,
            dice.pick(0.18, x, 0.82) + dice.between(-0.05, 0.05),
            dice.between(0.24, 0.3),
            dice.between(0.18, 0.26),
            0.22,
        )
    if dice.chance(0.5):
        home.rug(canvas, x + dice.between(-0.1, 0.1), bed_y + 0.03, dice.between(0.34, 0.46), dice.between(0.06, 0.1))
    side = dice.pick(-1, 1)
    if dice.chance(0.3):
        at = 0.08 if x > 0.5 else 0.92
        canvas.put(
            "cupboard",
            dice.pick(*WOOD, "red", "green"),
            box(at - 0.13, 0.16, at + 0.13, floor + 0.05),
            texture=dice.pick("wooden", "plain", "striped"),
            way=0,
            side=0.3,
        )
        canvas.put("cupboard", "yellow", disc(at - 0.02, floor - 0.16, 0.01), disc(at + 0.02, floor - 0.16, 0.01))
    home.bed(canvas, x, bed_y, width, high)
    if dice.chance(0.7):
        at = x + side * (width / 2 + 0.13)
        laid.table(canvas, at, floor + 0.12, 0.14, 0.13, cloth=0.15)
        dice.pick(home.lamp, home.lamp, home.plant)(canvas, at, floor - 0.02, dice.between(0.16, 0.2))
    if dice.chance(0.4):
        home.rug(canvas, dice.between(0.2, 0.8), dice.between(0.93, 0.98), dice.between(0.2, 0.35), 0.05)
    if dice.chance(0.4):
        home.hanging_lamp(canvas, dice.between(0.3, 0.7), dice.between(0.08, 0.14), 0.2)
    if dice.chance(0.2):
        folk.person(canvas, dice.pick(0.12, 0.88), 0.95, 0.5)
    return bed_y + 0.05, 0.98


def living_room(canvas: Canvas) -> Zone | None:
    """A sofa, a rug, pictures, lamps, plants, shelves."""
    dice = canvas.dice
    floor = behind.room(canvas)
    x = dice.between(0.35, 0.65)
    home.pictures(canvas, dice.count(0, 3))
    if dice.chance(0.5):
        home.framed_window(
            canvas, dice.pick(0.22, 0.5, 0.78) + dice.between(-0.06, 0.06), 0.3, dice.between(0.2, 0.32), 0.24
        )
    if dice.chance(0.3):
        side = dice.pick(0.0, 0.74)
        laid.bookshelf(canvas, side, dice.between(0.15, 0.3), side + 0.26, floor + 0.03, dice.count(3, 4))
    if dice.chance(0.25):
        built.clock(canvas, dice.between(0.15, 0.85), 0.2, 0.055)
    home.rug(canvas, x, floor + dice.between(0.22, 0.27), dice.between(0.3, 0.46), dice.between(0.07, 0.1))
    if dice.chance(0.5):
        home.lamp(
            canvas, dice.pick(dice.between(0.04, 0.14), dice.between(0.86, 0.96)), floor + 0.08, dice.between(0.4, 0.5)
        )
    home.sofa(canvas, x, floor + dice.between(0.12, 0.17), dice.between(0.34, 0.56))
    if dice.chance(0.3):
        home.sofa(canvas, dice.pick(0.1, 0.9), floor + 0.26, 0.24)
    if dice.chance(0.5):
        home.plant(
            canvas,
            dice.pick(dice.between(0.04, 0.14), dice.between(0.86, 0.96)),
            floor + dice.between(0.1, 0.2),
            dice.between(0.28, 0.42),
        )
    if dice.chance(0.55):
        at, y = x + dice.between(-0.08, 0.08), floor + dice.between(0.29, 0.33)
        laid.table(canvas, at, y, dice.between(0.26, 0.36), 0.1, cloth=0.2)
        bottle = partial(laid.bottles, number=1, height=0.12)
        laid.one_of(canvas, at, y - 0.115, partial(laid.fruit, number=3), partial(laid.books, number=2), bottle, None)
    if dice.chance(0.4):
        home.hanging_lamp(canvas, dice.between(0.2, 0.8), dice.between(0.06, 0.14), 0.22)
    if dice.chance(0.25):
        folk.person(canvas, dice.between(0.1, 0.9), 0.97, 0.48)
    return floor + 0.28, 0.98


def kitchen(canvas: Canvas) -> Zone | None:
    """Cupboards above and below a worktop with a stove and a sink."""
    dice = canvas.dice
    floor = behind.room(canvas)
    top, foot = floor - 0.1, floor + dice.between(0.12, 0.17)
    if dice.chance(0.4):
        home.framed_window(canvas, dice.between(0.25, 0.75), 0.26, 0.24, 0.22, curtained=0.4)
    else:
        _wall_cupboards(canvas, dice.between(0.1, 0.14))
    if dice.chance(0.25):
        built.clock(canvas, dice.between(0.1, 0.9), 0.14, 0.05)
    _counter(canvas, top, foot)
    left_first = dice.chance(0.5)
    a, b = dice.between(0.16, 0.34), dice.between(0.64, 0.84)
    stove_x, sink_x = (a, b) if left_first else (b, a)
    laid.stove(canvas, stove_x, foot, dice.between(0.2, 0.25), foot - top + 0.01)
    laid.sink(canvas, sink_x, top - 0.005, dice.between(0.18, 0.24))
    middle = (a + b) / 2
    plate, bottles = partial(laid.plates, number=1, spread=0.0), partial(laid.bottles, number=2, height=0.12)
    for x in (middle - 0.07, middle + 0.07):
        laid.one_of(
            canvas, x, top, plate, partial(laid.fruit, number=3), bottles, partial(home.plant, height=0.13), None
        )
    if dice.chance(0.5):
        x, y = dice.between(0.3, 0.7), 0.98
        laid.chair(canvas, x - 0.28, y - 0.02, 0.28)
        laid.table(canvas, x, y, 0.42, 0.16, cloth=0.5)
        if dice.chance(0.7):
            laid.plates(canvas, x, y - 0.175, 2, 0.16)
        laid.fruit(canvas, x, y - 0.17, 3, 0.022)
    if dice.chance(0.4):
        home.hanging_lamp(canvas, dice.between(0.3, 0.7), dice.between(0.08, 0.16), 0.22)
    if dice.chance(0.25):
        folk.person(canvas, dice.between(0.3, 0.7), 0.96, 0.52)
    return foot + 0.06, 0.98


def _wall_cupboards(canvas: Canvas, top: float) -> None:
    dice = canvas.dice
    number, low = dice.count(3, 5), top + dice.between(0.17, 0.22)
    wide = 1.0 / number
    colour, texture = (
        dice.pick(*WOOD, "teal", "red", "green", "blue", "yellow"),
        dice.pick("wooden", "plain", "plain", "striped"),
    )
    skip = dice.count(0, number)
    doors = [box(k * wide + 0.008, top, (k + 1) * wide - 0.008, low) for k in range(number) if k != skip]
    canvas.put("cupboard", colour, *doors, texture=texture, way=0, contrast=0.4, shade=0.2, period=3)
    canvas.put(
        "cupboard",
        dice.pick("gray", "black", "yellow"),
        *[box((k + 0.8) * wide, low - 0.07, (k + 0.8) * wide + 0.012, low - 0.03) for k in range(number) if k != skip],
    )


def _counter(canvas: Canvas, top: float, foot: float) -> None:
    dice = canvas.dice
    colour, number = dice.pick(*WOOD, "teal", "red", "green", "blue", "yellow", "orange"), dice.count(4, 6)
    body = canvas.put(
        "cupboard",
        colour,
        box(-0.1, top, 1.1, foot),
        texture=dice.pick("wooden", "plain", "plain", "striped"),
        way=0,
        contrast=0.4,
        period=3,
        shade=0.25,
    )
    seams = [box(k / number - 0.004, top + 0.05, k / number + 0.004, foot) for k in range(1, number)]
    canvas.add(body, *seams, rgb=(62, 56, 54))
    canvas.put(
        "cupboard",
        dice.pick("white", "gray", "black", "brown", "beige"),
        box(-0.1, top, 1.1, top + 0.035),
        texture=dice.pick("plain", "speckled"),
        contrast=0.4,
    )
