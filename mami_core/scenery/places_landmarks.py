"""Churches, castles, playgrounds.

Each painter paints onto the canvas and returns where a guest may stand (y from, y to).
"""

from __future__ import annotations

from mami_core.scenery import backdrops as behind
from mami_core.scenery import props_buildings as built
from mami_core.scenery import props_nature as nature
from mami_core.scenery import props_people as folk
from mami_core.scenery import props_street as street
from mami_core.scenery.canvas import Canvas
from mami_core.scenery.shapes import box, disc, line

Zone = tuple[float, float]


def church(canvas: Canvas) -> Zone | None:
    """A nave with a steeple, its yard and graves."""
    dice = canvas.dice
    horizon = dice.between(0.46, 0.58)
    behind.sky(canvas, horizon)
    if dice.chance(0.7):
        behind.hills(canvas, horizon, dice.count(1, 2))
    behind.grass(canvas, horizon)
    if dice.chance(0.5):
        behind.path(canvas, horizon + 0.1)
    _church(canvas, dice.between(0.3, 0.7), horizon + 0.1, dice.pick(-1, 1))
    for _ in range(dice.count(0, 3)):
        nature.any_tree(
            canvas,
            dice.pick(dice.between(0, 0.2), dice.between(0.8, 1)),
            dice.between(horizon + 0.1, 0.85),
            dice.between(0.26, 0.42),
        )
    if dice.chance(0.35):
        for y in dice.rows(dice.count(2, 4), horizon + 0.18, 0.92):
            _grave(canvas, dice.between(0.08, 0.92), y, 0.1)
    if dice.chance(0.4):
        nature.flowers(canvas, dice.between(0, 0.5), 0.84, dice.between(0.6, 1), 0.92, 14)
    folk.people(canvas, dice.count(0, 2), horizon + 0.2, 0.93, 0.18, 0.2)
    if dice.chance(0.4):
        street.fence(canvas, dice.between(0.93, 1), dice.between(0.1, 0.14))
    return horizon + 0.22, 0.96


def _church(canvas: Canvas, x: float, y: float, m: int) -> None:
    dice = canvas.dice
    width, high, colour = (
        dice.between(0.26, 0.4),
        dice.between(0.17, 0.24),
        dice.pick("white", "beige", "gray", "yellow", "brown", "pink", "light blue", "red"),
    )
    texture = dice.pick("plain", "plain", "brick", "tiled", "wooden")
    canvas.shadow(x, y, width * 0.75, 0.25)
    canvas.put(
        "house",
        colour,
        box(x - width / 2, y - high, x + width / 2, y),
        texture=texture,
        period=2.2,
        side=0.25,
        contrast=0.4,
    )
    built.roof(canvas, x - width / 2, x + width / 2, y - high, dice.between(0.1, 0.17))
    _church_windows(canvas, x, y, width, high)
    at, wide, tall = x + m * width * 0.56, dice.between(0.11, 0.15), dice.between(0.34, 0.44)
    built.tower(canvas, at, y, wide, tall, colour, texture)
    peak = dice.between(0.12, 0.18) if dice.chance(0.8) else 0.07
    built.spire(canvas, at, y - tall, wide * 1.05, peak)
    tip = y - tall - peak + 0.02
    shape = (box(at - 0.008, tip - 0.13, at + 0.008, tip), box(at - 0.035, tip - 0.1, at + 0.035, tip - 0.084))
    canvas.put("cross", dice.pick("yellow", "white", "black", "brown"), *shape)
    if dice.chance(0.4):
        built.clock(canvas, at, y - tall * 0.82, wide * 0.3)
    built.door(canvas, at, y, wide * 0.5, 0.11)


def _church_windows(canvas: Canvas, x: float, y: float, width: float, high: float) -> None:
    dice = canvas.dice
    panes = [
        shape
        for k in range(3)
        for shape in (
            box(
                x + (k - 1) * width * 0.28 - 0.022, y - high * 0.66, x + (k - 1) * width * 0.28 + 0.022, y - high * 0.25
            ),
            disc(x + (k - 1) * width * 0.28, y - high * 0.66, 0.022),
        )
    ]
    night = canvas.light == "night"
    canvas.put(
        "window",
        dice.pick("yellow", "orange") if night else dice.pick("light blue", "blue", "red", "yellow", "purple"),
        *panes,
        texture=dice.pick("plain", "checkered"),
        period=1.6,
        glow=night,
    )


def _grave(canvas: Canvas, x: float, y: float, height: float) -> None:
    dice = canvas.dice
    canvas.shadow(x, y, height * 0.4)
    shape = (
        box(x - height * 0.1, y - height, x + height * 0.1, y),
        box(x - height * 0.36, y - height * 0.76, x + height * 0.36, y - height * 0.56),
    )
    canvas.put(
        "cross",
        dice.pick("white", "gray", "brown", "black", "dark gray"),
        *shape,
        texture=dice.pick("plain", "speckled", "wooden"),
        period=1.4,
        contrast=0.4,
    )


def castle(canvas: Canvas) -> Zone | None:
    """Walls with battlements between towers, on a lawn or behind a moat."""
    dice = canvas.dice
    horizon = dice.between(0.52, 0.64)
    behind.sky(canvas, horizon)
    if dice.chance(0.4):
        behind.mountains(canvas, horizon, dice.count(1, 2))
    if dice.chance(0.6):
        behind.hills(canvas, horizon + 0.02, dice.count(1, 2))
    behind.grass(canvas, horizon)
    _castle(canvas, dice.between(0.35, 0.65), horizon + 0.06)
    moat = dice.chance(0.4)
    if moat:
        behind.water(canvas, horizon + 0.12, horizon + dice.between(0.24, 0.5))
    elif dice.chance(0.6):
        behind.path(canvas, horizon + 0.06)
    for _ in range(dice.count(0, 3)):
        nature.any_tree(
            canvas,
            dice.pick(dice.between(0, 0.25), dice.between(0.75, 1)),
            dice.between(0.9, 1),
            dice.between(0.22, 0.36),
        )
    if not moat:
        folk.people(canvas, dice.count(0, 3), horizon + 0.15, 0.95, 0.14, 0.3)
    return None if moat else (horizon + 0.15, 0.97)


def _castle(canvas: Canvas, x: float, y: float) -> None:
    dice = canvas.dice
    colour, texture = (
        dice.pick(*built.MASONRY, "red", "light blue"),
        dice.pick("brick", "brick", "plain", "tiled", "speckled"),
    )
    half, high = dice.between(0.22, 0.34), dice.between(0.18, 0.26)
    merlons = [
        box(x - half + k * half / 4.5, y - high - 0.035, x - half + (k + 0.55) * half / 4.5, y - high) for k in range(9)
    ]
    if dice.chance(0.5):
        built.tower(canvas, x + dice.between(-0.1, 0.1), y, 0.16, high + dice.between(0.12, 0.2), colour, texture)
    canvas.put(
        "castle wall",
        colour,
        box(x - half, y - high, x + half, y),
        *merlons,
        texture=texture,
        period=2.4,
        contrast=0.45,
        shade=0.25,
    )
    built.door(canvas, x + dice.between(-0.06, 0.06), y, 0.12, 0.12)
    for at in (x - half, x + half):
        _corner_tower(canvas, at, y + 0.01, high + dice.between(0.06, 0.18), colour, texture)


def _corner_tower(canvas: Canvas, x: float, y: float, height: float, colour: str, texture: str) -> None:
    """Paint a tower of a castle: a spire or battlements on it, often a flag on top."""
    dice = canvas.dice
    width, top = dice.between(0.1, 0.15), y - height
    built.tower(canvas, x, y, width, height, colour, texture)
    peak = top
    if dice.chance(0.65):
        rise = dice.between(0.1, 0.17)
        built.spire(canvas, x, top, width * 1.15, rise)
        peak = top - rise + 0.02
    else:
        teeth = [(x + (k / 3 - 0.5) * width, x + (k / 3 - 0.3) * width) for k in range(3)]
        canvas.put("tower", colour, *[box(left, top - 0.03, right, top) for left, right in teeth])
    if dice.chance(0.6):
        built.flag(canvas, x, peak, dice.between(0.11, 0.16))


def playground(canvas: Canvas) -> Zone | None:
    """A slide, swings, balls and children."""
    dice = canvas.dice
    horizon = dice.between(0.38, 0.5)
    behind.sky(canvas, horizon)
    for _ in range(dice.count(1, 4)):
        nature.tree(canvas, dice.between(0, 1), horizon + 0.03, dice.between(0.2, 0.36))
    if dice.chance(0.3):
        built.house(canvas, dice.between(0.1, 0.9), horizon + 0.03, 0.22, 0.18)
    if dice.chance(0.4):
        street.fence(canvas, horizon + 0.04, 0.1)
    behind.grass(canvas, horizon + 0.03)
    x, y = dice.between(0.35, 0.65), dice.between(0.76, 0.86)
    canvas.put(
        "sand",
        dice.pick("beige", "yellow", "orange"),
        disc(x, y, dice.between(0.3, 0.42), dice.between(0.1, 0.15)),
        texture=dice.pick("speckled", "plain"),
        contrast=0.25,
    )
    side = dice.pick(-1, 1)
    if dice.chance(0.85):
        _slide(canvas, x + side * 0.17, y + dice.between(0, 0.06), dice.between(0.34, 0.44), dice.pick(-1, 1))
    if dice.chance(0.8):
        _swing(canvas, x - side * 0.24, y - dice.between(0.02, 0.1), dice.between(0.34, 0.42))
    if dice.chance(0.25):
        street.bench(canvas, dice.between(0.1, 0.9), dice.between(horizon + 0.14, 0.7), 0.18)
    folk.people(canvas, dice.count(1, 4), horizon + 0.25, 0.97, 0.15, 0.15)
    for _ in range(dice.count(0, 2)):
        street.ball(canvas, dice.between(0.05, 0.95), dice.between(0.8, 0.98), dice.between(0.025, 0.045))
    return horizon + 0.25, 0.97


def _slide(canvas: Canvas, x: float, y: float, height: float, m: int) -> None:
    dice = canvas.dice
    canvas.shadow(x, y, height * 0.55)
    top = y - height
    rungs = [line(0.01, (x - m * 0.05, y - k * height / 5), (x + m * 0.045, y - k * height / 5)) for k in range(1, 5)]
    canvas.put(
        "slide",
        dice.pick("gray", "dark gray", "white", "yellow"),
        line(0.016, (x - m * 0.06, y), (x - m * 0.04, top)),
        line(0.016, (x + m * 0.05, y), (x + m * 0.05, top)),
        *rungs,
    )
    chute = line(
        0.05,
        (x, top + 0.02),
        (x + m * height * 0.35, y - height * 0.45),
        (x + m * height * 0.62, y - height * 0.12),
        (x + m * height * 0.82, y - height * 0.06),
    )
    canvas.put(
        "slide",
        dice.pick("red", "yellow", "blue", "orange", "green", "purple", "teal"),
        chute,
        texture=dice.pick("plain", "plain", "striped"),
        way=0,
        period=2.2,
        contrast=0.4,
        shade=0.3,
    )
    if dice.chance(0.3):
        built.spire(canvas, x, top - 0.06, 0.16, 0.08)
        canvas.put(
            "slide",
            "gray",
            box(x - 0.06, top - 0.07, x - 0.045, top + 0.02),
            box(x + 0.045, top - 0.07, x + 0.06, top + 0.02),
        )


def _swing(canvas: Canvas, x: float, y: float, height: float) -> None:
    dice = canvas.dice
    wide, top = height * 0.42, y - height
    canvas.shadow(x, y, wide * 1.2, 0.22)
    frame = [line(0.017, (x + m * (wide + 0.05), y), (x + m * wide, top), (x + m * (wide - 0.05), y)) for m in (-1, 1)]
    canvas.put(
        "swing",
        dice.pick("red", "blue", "green", "gray", "brown", "yellow"),
        *frame,
        line(0.019, (x - wide, top), (x + wide, top)),
    )
    for k in (-0.5, 0.45):
        sway, low = dice.between(-0.05, 0.05), y - height * 0.24
        ropes = [line(0.007, (x + k * wide + d, top), (x + k * wide + d + sway, low)) for d in (-0.035, 0.035)]
        seat = box(x + k * wide + sway - 0.05, low - 0.008, x + k * wide + sway + 0.05, low + 0.016)
        canvas.put("swing", dice.pick("black", "red", "yellow", "blue", "brown"), *ropes, seat)
