"""Slopes, farms, gardens, parks.

Each painter paints onto the canvas and returns where a guest may stand (y from, y to).
"""

from __future__ import annotations

from mami_core.scenery import backdrops as behind
from mami_core.scenery import props_buildings as built
from mami_core.scenery import props_nature as nature
from mami_core.scenery import props_people as folk
from mami_core.scenery import props_street as street
from mami_core.scenery.canvas import Canvas
from mami_core.scenery.shapes import box, disc, line, polygon

Zone = tuple[float, float]


def ski_slope(canvas: Canvas) -> Zone | None:
    """Snow, peaks, pines, a lift, people, a hut."""
    dice = canvas.dice
    horizon = dice.between(0.33, 0.5)
    behind.sky(canvas, horizon)
    behind.mountains(canvas, horizon, dice.count(1, 3), snowy=1)
    tilt = dice.between(-0.15, 0.15)
    behind.ground(canvas, "snow", "white", horizon, texture="plain")
    slope = polygon(
        (-0.1, horizon - tilt * 0.4),
        (0.3, horizon - tilt * 0.3),
        (0.7, horizon + tilt * 0.3),
        (1.1, horizon + tilt * 0.4),
        (1.1, 1.1),
        (-0.1, 1.1),
    )
    canvas.put(
        "snow",
        dice.pick("white", "white", "white", "light blue"),
        slope,
        texture=dice.pick("plain", "speckled", "wavy"),
        contrast=0.12,
        shade=-0.08,
    )
    if dice.chance(0.35):
        built.house(canvas, dice.between(0.1, 0.9), dice.between(horizon + 0.12, 0.7), 0.2, 0.12)
    for y in dice.rows(dice.count(2, 7), horizon + 0.06, 0.97):
        nature.pine_tree(canvas, dice.between(0, 1), y, 0.15 + 0.4 * (y - horizon), snowy=True)
    if dice.chance(0.6):
        _ski_lift(canvas, horizon)
    folk.people(canvas, dice.count(1, 4), horizon + 0.15, 0.96, 0.14, 0.2)
    if dice.chance(0.3):
        nature.rock(canvas, dice.between(0, 1), dice.between(0.7, 1), dice.between(0.05, 0.09))
    if dice.chance(0.25):
        built.flag(canvas, dice.between(0.1, 0.9), dice.between(0.7, 0.95), 0.2)
    return horizon + 0.25, 0.97


def _ski_lift(canvas: Canvas, horizon: float) -> None:
    dice = canvas.dice
    y, tilt, mast = dice.between(0.1, 0.26), dice.between(-0.16, 0.16), dice.between(0.25, 0.75)
    cable_at = y - tilt + 2 * tilt * mast
    metal = dice.pick("dark gray", "gray", "black", "green")
    canvas.put(
        "ski lift",
        metal,
        line(0.01, (-0.1, y - 1.2 * tilt), (1.1, y + 1.2 * tilt)),
        box(mast - 0.012, cable_at - 0.02, mast + 0.012, horizon + 0.26),
        box(mast - 0.06, cable_at - 0.01, mast + 0.06, cable_at + 0.01),
    )
    hangers, cabins = [], []
    for k in range(4):
        x = (k + 0.5) / 4 + dice.between(-0.04, 0.04)
        at = y - tilt + 2 * tilt * x
        hangers.append(box(x - 0.004, at, x + 0.004, at + 0.05))
        cabins.append(box(x - 0.034, at + 0.045, x + 0.034, at + 0.105))
    canvas.put("ski lift", metal, *hangers)
    canvas.put(
        "ski lift",
        dice.pick("red", "yellow", "blue", "orange", "green", "purple"),
        *cabins,
        texture=dice.pick("plain", "striped"),
        period=1.5,
        contrast=0.5,
    )


def farm(canvas: Canvas) -> Zone | None:
    """Fields, a barn, a silo, hay and cows."""
    dice = canvas.dice
    horizon = dice.between(0.33, 0.48)
    behind.sky(canvas, horizon)
    behind.hills(canvas, horizon, dice.count(1, 3))
    texture = dice.pick("striped", "striped", "speckled", "plain", "wavy", "checkered")
    behind.ground(
        canvas, "field", dice.pick("green", "yellow", "brown", "orange"), horizon, texture=texture, contrast=0.4
    )
    x, y = dice.between(0.15, 0.85), horizon + dice.between(0.06, 0.14)
    barn_width = dice.between(0.24, 0.36)
    if dice.chance(0.45):
        _silo(
            canvas, x + dice.pick(-0.75, 0.75) * barn_width, y, barn_width * 0.32, barn_width * dice.between(0.9, 1.25)
        )
    if dice.chance(0.35):
        built.house(canvas, dice.between(0, 1), horizon + 0.05, 0.15, 0.1)
    for _ in range(dice.count(0, 3)):
        nature.any_tree(canvas, dice.between(0, 1), horizon + 0.08, dice.between(0.22, 0.34))
    _barn(canvas, x, y, barn_width)
    for at in dice.rows(dice.count(3, 6), y + 0.06, 0.96):
        where, size = dice.between(0.05, 0.95), dice.between(0.07, 0.1) + 0.1 * (at - horizon)
        dice.pick(_haystack, folk.cow, folk.cow)(canvas, where, at, size)
    if dice.chance(0.3):
        folk.person(canvas, dice.between(0.1, 0.9), dice.between(y + 0.1, 0.93), 0.24)
    if dice.chance(0.45):
        street.fence(canvas, dice.between(0.88, 1), dice.between(0.1, 0.15))
    return y + 0.1, 0.97


def _barn(canvas: Canvas, x: float, y: float, width: float) -> None:
    dice = canvas.dice
    w = width
    canvas.shadow(x, y, w * 0.62, 0.25)
    gable = (
        (x - w / 2, y),
        (x - w / 2, y - w * 0.55),
        (x - w * 0.3, y - w * 0.82),
        (x, y - w * 0.95),
        (x + w * 0.3, y - w * 0.82),
        (x + w / 2, y - w * 0.55),
        (x + w / 2, y),
    )
    canvas.put(
        "barn",
        dice.pick("red", "red", "brown", "white", "green", "gray", "blue"),
        polygon(*gable),
        texture=dice.pick("wooden", "wooden", "striped", "plain"),
        way=0,
        period=2.2,
        side=0.2,
        contrast=0.5,
    )
    eaves = line(
        0.028,
        (x - w * 0.57, y - w * 0.49),
        (x - w * 0.3, y - w * 0.82),
        (x, y - w * 0.96),
        (x + w * 0.3, y - w * 0.82),
        (x + w * 0.57, y - w * 0.49),
    )
    canvas.put("roof", dice.pick(*built.ROOFS), eaves)
    built.windows(canvas, x - w * 0.1, y - w * 0.8, x + w * 0.1, y - w * 0.58, 1, 1)
    built.door(canvas, x, y, w * 0.35, w * 0.4)


def _silo(canvas: Canvas, x: float, y: float, width: float, height: float) -> None:
    dice = canvas.dice
    body, cap = box(x - width / 2, y - height, x + width / 2, y), disc(x, y - height, width / 2, width * 0.42)
    canvas.put(
        "silo",
        dice.pick("gray", "white", "beige", "light blue", "red", "dark gray"),
        body,
        cap,
        texture=dice.pick("striped", "brick", "plain", "tiled"),
        way=1,
        period=2.4,
        side=0.6,
        contrast=0.4,
    )


def _haystack(canvas: Canvas, x: float, y: float, size: float) -> None:
    dice = canvas.dice
    canvas.shadow(x, y, size)
    colour, texture = dice.pick("yellow", "beige", "orange", "brown"), dice.pick("striped", "speckled", "wooden")
    shape = dice.pick(
        disc(x, y - size * 0.55, size * 0.7, size * 0.6),
        box(x - size * 0.8, y - size * 0.8, x + size * 0.8, y),
        polygon(
            (x - size * 0.8, y),
            (x - size * 0.45, y - size * 0.9),
            (x, y - size * 1.2),
            (x + size * 0.45, y - size * 0.9),
            (x + size * 0.8, y),
        ),
    )
    canvas.put("haystack", colour, shape, texture=texture, period=1.6, contrast=0.5, side=0.3)


def garden(canvas: Canvas) -> Zone | None:
    """Flower beds, shrubs and a way to a house."""
    dice = canvas.dice
    horizon = dice.between(0.36, 0.5)
    behind.sky(canvas, horizon)
    lawn = horizon + 0.05
    if dice.chance(0.4):
        behind.hills(canvas, horizon + 0.05, 1)
    canvas.put(
        "bush",
        dice.pick("dark green", "green", "teal"),
        box(-0.1, horizon, 1.1, lawn + 0.02),
        texture="speckled",
        contrast=0.5,
    )
    for _ in range(dice.count(1, 3)):
        nature.tree(canvas, dice.between(0, 1), lawn + 0.01, dice.between(0.22, 0.42))
    if dice.chance(0.6):
        built.house(canvas, dice.between(0.2, 0.8), lawn + 0.03, dice.between(0.25, 0.4), dice.between(0.2, 0.3))
    behind.grass(canvas, lawn)
    if dice.chance(0.5):
        street.fence(canvas, lawn + 0.04, dice.between(0.08, 0.12))
    if dice.chance(0.55):
        behind.path(canvas, lawn + 0.02)
    for y in dice.rows(dice.count(1, 4), lawn + 0.1, 0.97):
        nature.bush(canvas, dice.between(0, 1), y, dice.between(0.06, 0.11))
    for _ in range(dice.count(2, 5)):
        x, y = dice.between(0, 0.8), dice.between(lawn + 0.12, 0.92)
        nature.flowers(canvas, x, y, x + 0.22, y + 0.07, dice.count(8, 16))
    if dice.chance(0.3):
        street.umbrella(canvas, dice.between(0.2, 0.8), dice.between(0.75, 0.95), 0.16)
    if dice.chance(0.35):
        street.bench(canvas, dice.between(0.15, 0.85), dice.between(0.7, 0.92), dice.between(0.2, 0.26))
    if dice.chance(0.3):
        folk.person(canvas, dice.between(0.1, 0.9), dice.between(0.75, 0.96), 0.27)
    return lawn + 0.2, 0.97


def park(canvas: Canvas) -> Zone | None:
    """Lawns with trees, a path, benches, walkers and at times a pond."""
    dice = canvas.dice
    horizon = dice.between(0.32, 0.48)
    behind.sky(canvas, horizon)
    if dice.chance(0.4):
        for _ in range(dice.count(2, 4)):
            built.skyscraper(
                canvas, dice.between(0, 1), horizon + 0.01, dice.between(0.08, 0.13), dice.between(0.12, 0.26)
            )
    crowns = [disc(x * 0.12 - 0.1, horizon - dice.between(0.0, 0.05), 0.1, 0.09) for x in range(11)]
    canvas.put(
        "tree", dice.pick("dark green", "green", "orange", "teal"), *crowns, texture="speckled", contrast=0.5, shade=0.4
    )
    behind.grass(canvas, horizon + 0.02)
    if dice.chance(0.75):
        behind.path(canvas, horizon + 0.03)
    if dice.chance(0.35):
        x, y = dice.between(0.1, 0.9), dice.between(horizon + 0.15, 0.8)
        canvas.put(
            "water",
            dice.pick("blue", "teal", "light blue"),
            disc(x, y, dice.between(0.18, 0.28), dice.between(0.05, 0.09)),
            texture="wavy",
            way=1,
            contrast=0.3,
        )
    for y in dice.rows(dice.count(2, 5), horizon + 0.06, 0.95):
        nature.any_tree(canvas, dice.between(0, 1), y, 0.25 + 0.55 * (y - horizon))
    for y in dice.rows(dice.count(1, 2), horizon + 0.18, 0.92):
        street.bench(canvas, dice.between(0.1, 0.9), y, 0.14 + 0.2 * (y - horizon))
    if dice.chance(0.5):
        street.street_lamp(
            canvas, dice.between(0.08, 0.92), dice.between(horizon + 0.15, 0.85), dice.between(0.35, 0.48)
        )
    folk.people(canvas, dice.count(1, 3), horizon + 0.2, 0.96, 0.17, 0.2)
    if dice.chance(0.3):
        y = dice.between(horizon + 0.25, 0.95)
        street.bicycle(canvas, dice.between(0.15, 0.85), y, 0.1 + 0.14 * (y - horizon))
    if dice.chance(0.3):
        nature.flowers(canvas, dice.between(0, 0.5), 0.9, dice.between(0.6, 1), 0.98, 12)
    return horizon + 0.2, 0.97
