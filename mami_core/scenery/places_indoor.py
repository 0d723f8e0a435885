"""Public rooms.

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
from mami_core.scenery.shapes import Shape, box, disc, line, polygon

Zone = tuple[float, float]


def library(canvas: Canvas) -> Zone | None:
    """Shelves of books, a reading table, readers."""
    dice = canvas.dice
    floor = behind.room(canvas)
    x = dice.between(-0.15, 0.1)
    while x < 0.92:
        width = dice.between(0.24, 0.42)
        laid.bookshelf(canvas, x, dice.between(0.06, 0.2), x + width, floor + 0.03, dice.count(3, 4))
        x += width + (0.02 if dice.chance(0.6) else dice.between(0.1, 0.22))
    if dice.chance(0.25):
        built.clock(canvas, dice.between(0.2, 0.8), 0.12, 0.055)
    if dice.chance(0.35):
        home.rug(canvas, dice.between(0.3, 0.7), 0.88, 0.34, 0.08)
    at = dice.between(0.3, 0.7)
    if dice.chance(0.75):
        width, y = dice.between(0.36, 0.54), dice.between(0.92, 0.98)
        if dice.chance(0.5):
            folk.sitting_person(canvas, at + dice.between(-0.1, 0.1), y - 0.17, 0.26)
        laid.table(canvas, at, y, width, 0.17, cloth=0.05)
        props = partial(home.lamp, height=0.15), partial(laid.books, number=3), partial(laid.cactus_pot, height=0.12)
        laid.one_of(canvas, at + dice.pick(-0.1, 0.1), y - 0.19, *props)
        if dice.chance(0.5):
            laid.books(canvas, at, y - 0.19, dice.count(1, 2))
    if dice.chance(0.5):
        laid.chair(canvas, at + dice.pick(-0.32, 0.32), 0.97, 0.28)
    if dice.chance(0.3):
        folk.people(canvas, dice.count(1, 2), 0.9, 0.98, 0.42)
    if dice.chance(0.3):
        home.plant(canvas, dice.pick(0.07, 0.93), 0.9, 0.32)
    if dice.chance(0.3):
        home.hanging_lamp(canvas, dice.between(0.2, 0.8), 0.06, 0.22)
    return floor + 0.15, 0.98


def classroom(canvas: Canvas) -> Zone | None:
    """A blackboard, desks with chairs, a teacher, pupils."""
    dice = canvas.dice
    floor = behind.room(canvas)
    if dice.chance(0.4):
        home.picture(canvas, dice.pick(0.08, 0.92), dice.between(0.24, 0.36), 0.12, 0.14)
    _blackboard(
        canvas, dice.between(0.34, 0.66), dice.between(0.26, 0.32), dice.between(0.44, 0.64), dice.between(0.24, 0.3)
    )
    if dice.chance(0.45):
        built.clock(canvas, dice.pick(0.08, 0.5, 0.92), 0.09, 0.05)
    if dice.chance(0.35):
        home.framed_window(canvas, dice.pick(0.04, 0.96), 0.3, 0.16, 0.26, curtained=0.5)
    if dice.chance(0.45):
        folk.person(canvas, dice.between(0.12, 0.88), floor + 0.06, 0.38)
    if dice.chance(0.3):
        home.plant(canvas, dice.pick(0.07, 0.93), floor + 0.06, 0.26)
    columns = dice.count(2, 3)
    aisle = dice.between(-0.05, 0.05)
    for row, y in enumerate((floor + 0.15, floor + 0.33)[dice.count(0, 3) // 3 :]):
        for k in range(columns):
            _desk(canvas, (k + 0.5) / columns + aisle + dice.between(-0.02, 0.02), y, 0.22 + 0.04 * row)
    return floor + 0.28, 0.98


def _blackboard(canvas: Canvas, x: float, y: float, width: float, height: float) -> None:
    dice = canvas.dice
    colour = dice.pick("dark green", "dark green", "black", "black", "white", "green", "blue", "dark gray", "brown")
    canvas.put(
        "blackboard",
        dice.pick("brown", "beige", "gray", "white", "black"),
        box(x - width / 2 - 0.02, y - height / 2 - 0.02, x + width / 2 + 0.02, y + height / 2 + 0.02),
    )
    board = canvas.put(
        "blackboard",
        colour,
        box(x - width / 2, y - height / 2, x + width / 2, y + height / 2),
        texture=dice.pick("plain", "plain", "grid", "speckled"),
        contrast=0.12,
        shade=0.08,
    )
    chalk = (236, 236, 226) if colour != "white" else (44, 70, 150)
    writing: list[Shape] = []
    for row in range(dice.count(1, 3)):
        at, end = y - height * 0.3 + row * height * 0.24, dice.between(0.0, 0.4) * width
        writing.append(
            line(
                0.009,
                *[
                    (x - width * 0.42 + k * 0.022, at + dice.between(-0.01, 0.01))
                    for k in range(2 + int((width * 0.42 + end) / 0.022))
                ],
            )
        )
    if dice.chance(0.4):
        writing.append(
            line(
                0.009,
                (x + width * 0.2, y + height * 0.3),
                (x + width * 0.3, y),
                (x + width * 0.4, y + height * 0.3),
                (x + width * 0.2, y + height * 0.3),
            )
        )
    canvas.add(board, *writing, rgb=chalk)


def _desk(canvas: Canvas, x: float, y: float, width: float) -> None:
    dice = canvas.dice
    if dice.chance(0.3):
        folk.sitting_person(canvas, x, y - 0.08, 0.18)
    else:
        laid.chair(canvas, x + dice.between(-0.03, 0.03), y + 0.01, 0.2)
    laid.table(canvas, x, y + 0.03, width, 0.12, cloth=0.0)
    if dice.chance(0.45):
        laid.books(canvas, x + dice.between(-0.04, 0.04), y - 0.1, dice.count(1, 2))


def gallery(canvas: Canvas) -> Zone | None:
    """Framed pictures on the wall, benches, visitors, a sculpture."""
    dice = canvas.dice
    floor = behind.room(canvas)
    number, large = dice.count(2, 4), dice.between(0.7, 1)
    for k in range(number):
        home.picture(
            canvas,
            (k + 0.5) / number + dice.between(-0.02, 0.02),
            dice.between(0.28, 0.36),
            0.75 / number * large * dice.between(0.8, 1),
            dice.between(0.2, 0.36),
        )
    for k in range(dice.count(0, 3)):
        home.hanging_lamp(canvas, 0.2 + 0.3 * k, 0.03, 0.14)
    if dice.chance(0.35):
        _sculpture(canvas, dice.between(0.15, 0.85), floor + dice.between(0.08, 0.2))
    if dice.chance(0.5):
        x, y = dice.between(0.3, 0.7), floor + dice.between(0.16, 0.22)
        canvas.shadow(x, y, 0.2)
        legs = [box(x - 0.14, y - 0.06, x - 0.12, y), box(x + 0.12, y - 0.06, x + 0.14, y)]
        canvas.put(
            "bench",
            dice.pick("black", "brown", "red", "white", "gray"),
            box(x - 0.17, y - 0.1, x + 0.17, y - 0.05),
            *legs,
            texture=dice.pick("plain", "wooden"),
            way=0,
        )
    if dice.chance(0.35):
        home.rug(canvas, dice.between(0.3, 0.7), 0.88, 0.3, 0.07)
    folk.people(canvas, dice.count(0, 3), 0.88, 0.98, 0.44)
    if dice.chance(0.4):
        home.plant(canvas, dice.pick(0.08, 0.92), floor + 0.12, 0.32)
    return floor + 0.18, 0.98


def _sculpture(canvas: Canvas, x: float, y: float) -> None:
    dice = canvas.dice
    canvas.shadow(x, y, 0.12)
    canvas.put("crate", dice.pick("white", "gray", "black", "beige"), box(x - 0.07, y - 0.16, x + 0.07, y), side=0.3)
    r = dice.between(0.06, 0.09)
    shapes = dice.pick(
        (disc(x, y - 0.16 - r, r),),
        (polygon((x - r, y - 0.16), (x, y - 0.16 - r * 2.4), (x + r, y - 0.16)),),
        (disc(x, y - 0.16 - r * 0.5, r, r * 0.5), disc(x, y - 0.16 - r * 1.4, r * 0.5, r * 0.6)),
    )
    canvas.put(
        "rock",
        dice.pick("white", "gray", "brown", "black", "beige"),
        *shapes,
        texture=dice.pick("speckled", "plain"),
        side=0.5,
        shade=0.3,
        contrast=0.4,
    )


def restaurant(canvas: Canvas) -> Zone | None:
    """Laid tables with chairs and guests under lamps."""
    dice = canvas.dice
    floor = behind.room(canvas)
    home.pictures(canvas, dice.count(0, 2))
    if dice.chance(0.5):
        home.framed_window(canvas, dice.between(0.2, 0.8), 0.3, dice.between(0.22, 0.34), 0.26)
    if dice.chance(0.3):
        _bar(canvas, dice.pick(0.16, 0.84), floor + 0.03)
    for _ in range(dice.count(1, 4)):
        home.hanging_lamp(canvas, dice.between(0.08, 0.92), dice.between(0.08, 0.22), 0.22)
    if dice.chance(0.35):
        home.plant(canvas, dice.pick(0.05, 0.95), floor + 0.06, 0.3)
    tables = [
        (dice.between(0.2, 0.35), floor + 0.13, 0.26),
        (dice.between(0.65, 0.8), floor + 0.13, 0.26),
        (dice.between(0.35, 0.65), 0.98, 0.4),
    ]
    for x, y, width in tables[dice.count(0, 1) :]:
        _laid_table(canvas, x, y, width)
    if dice.chance(0.3):
        folk.person(canvas, dice.pick(0.08, 0.92), 0.97, 0.46)
    return floor + 0.24, 0.98


def _laid_table(canvas: Canvas, x: float, y: float, width: float) -> None:
    dice = canvas.dice
    for m in (-1, 1):
        if dice.chance(0.35):
            folk.sitting_person(canvas, x + m * width * 0.36, y - 0.13, 0.24)
        else:
            laid.chair(canvas, x + m * width * 0.62, y + 0.01, 0.26)
    laid.table(canvas, x, y, width, 0.16, cloth=0.7)
    laid.plates(canvas, x, y - 0.175, 2, width * 0.5)
    top = y - 0.172
    wine, bowl, pot = (
        partial(laid.bottles, number=1, height=0.13),
        partial(laid.fruit, number=2),
        partial(home.plant, height=0.12),
    )
    laid.one_of(canvas, x, top, wine, bowl, pot, None)


def _bar(canvas: Canvas, x: float, y: float) -> None:
    dice = canvas.dice
    for row in (0.22, 0.36):
        canvas.put("cupboard", dice.pick(*WOOD), box(x - 0.15, row, x + 0.15, row + 0.018))
        laid.bottles(canvas, x, row, dice.count(3, 5), 0.11)
    canvas.put(
        "cupboard",
        dice.pick(*WOOD),
        box(x - 0.17, y - 0.2, x + 0.17, y),
        texture=dice.pick("wooden", "plain"),
        way=0,
        contrast=0.5,
    )
