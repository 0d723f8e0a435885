"""Streets and squares.

Each painter paints onto the canvas and returns where a guest may stand (y from, y to).
"""

from __future__ import annotations

from mami_core.scenery import backdrops as behind
from mami_core.scenery import props_buildings as built
from mami_core.scenery import props_nature as nature
from mami_core.scenery import props_people as folk
from mami_core.scenery import props_street as street
from mami_core.scenery import props_table as laid
from mami_core.scenery.canvas import Canvas
from mami_core.scenery.shapes import Shape, box, disc, polygon

Zone = tuple[float, float]


def city_street(canvas: Canvas) -> Zone | None:
    """A row of houses, a pavement, a street with traffic."""
    dice = canvas.dice
    horizon = dice.between(0.46, 0.6)
    behind.sky(canvas, horizon)
    built.row_of_houses(canvas, horizon + 0.04, 0.22, dice.between(0.32, 0.5), dice.between(0.2, 0.9))
    kerb = horizon + dice.between(0.12, 0.18)
    behind.ground(
        canvas,
        "sidewalk",
        dice.pick("gray", "beige", "white", "brown", "dark gray"),
        horizon + 0.03,
        texture=dice.pick("tiled", "plain", "brick", "checkered"),
    )
    behind.cross_road(canvas, kerb, dice.between(0.94, 1.05))
    curb_y = kerb - 0.02
    if dice.chance(0.35):
        nature.tree(canvas, dice.between(0, 1), curb_y, dice.between(0.3, 0.45))
    if dice.chance(0.6):
        street.street_lamp(canvas, dice.between(0.06, 0.94), curb_y, dice.between(0.3, 0.42))
    if dice.chance(0.5):
        street.traffic_light(canvas, dice.between(0.06, 0.94), curb_y, dice.between(0.28, 0.38))
    if dice.chance(0.4):
        street.sign(canvas, dice.between(0.08, 0.92), curb_y, 0.24)
    folk.people(canvas, dice.count(0, 3), curb_y - 0.03, curb_y, dice.between(0.17, 0.21))
    if dice.chance(0.25):
        street.bicycle(canvas, dice.between(0.1, 0.9), curb_y + 0.03, 0.12)
    for y in dice.rows(dice.count(1, 2), kerb + 0.1, 0.95):
        vehicle, share = dice.pick((street.car, 1.0), (street.car, 1.0), (street.bus, 1.45))
        vehicle(canvas, dice.between(0.1, 0.9), y, share * dice.between(0.24, 0.36))
    return kerb + 0.05, 0.98


def skyline(canvas: Canvas) -> Zone | None:
    """Tower blocks behind water, a lawn or a road."""
    dice = canvas.dice
    horizon = dice.between(0.62, 0.82)
    behind.sky(canvas, horizon)
    if dice.chance(0.2):
        behind.mountains(canvas, horizon, 1)
    for _ in range(dice.count(6, 10)):
        built.skyscraper(canvas, dice.between(0, 1), horizon + 0.01, dice.between(0.08, 0.17), dice.between(0.18, 0.55))
    front = dice.count(0, 3)
    if front <= 1:
        behind.water(canvas, horizon)
        if dice.chance(0.5):
            street.boat(canvas, dice.between(0.1, 0.9), dice.between(horizon + 0.06, 0.94), dice.between(0.13, 0.2))
        return None
    if front == 2:
        behind.grass(canvas, horizon)
        for _ in range(dice.count(2, 6)):
            nature.any_tree(canvas, dice.between(0, 1), dice.between(horizon + 0.02, 0.95), dice.between(0.12, 0.22))
        return horizon + 0.08, 0.97
    behind.ground(canvas, "sidewalk", dice.pick("gray", "beige"), horizon)
    behind.cross_road(canvas, horizon + 0.04, 1.02)
    street.car(canvas, dice.between(0.2, 0.8), dice.between(0.92, 0.97), 0.22)
    return None


def highway(canvas: Canvas) -> Zone | None:
    """A road that runs to the horizon through open country."""
    dice = canvas.dice
    horizon = dice.between(0.33, 0.5)
    behind.sky(canvas, horizon)
    if dice.chance(0.4):
        behind.mountains(canvas, horizon, dice.count(1, 3))
    if dice.chance(0.5):
        behind.hills(canvas, horizon, dice.count(1, 2))
    part, colours = dice.pick(
        ("grass", ("green", "dark green")),
        ("field", ("yellow", "brown", "green")),
        ("sand", ("orange", "beige", "yellow")),
        ("snow", ("white", "light blue")),
    )
    behind.ground(
        canvas,
        part,
        dice.pick(*colours),
        horizon,
        texture=dice.pick("plain", "striped", "speckled", "wavy"),
        contrast=0.3,
    )
    x, vanish = dice.between(0.25, 0.75), dice.between(0.35, 0.65)
    near = dice.between(0.32, 0.55)
    behind.straight_road(canvas, horizon, 0.02, near, x=x, vanish=vanish)
    if dice.chance(0.5):
        for y in dice.rows(dice.count(2, 5), horizon + 0.03, 0.75):
            side = (
                vanish
                + (x - vanish) * (y - horizon) / (1 - horizon)
                + dice.pick(-1, 1) * (near * (y - horizon) / (1 - horizon) + dice.between(0.1, 0.3))
            )
            nature.any_tree(canvas, side, y, 0.12 + 0.5 * (y - horizon))
    if dice.chance(0.5):
        _overhead_sign(canvas, horizon, dice.pick(-1, 1))
    for y in dice.rows(dice.count(1, 4), horizon + 0.08, 0.95):
        share = (y - horizon) / (1 - horizon)
        middle = vanish + (x - vanish) * share + dice.pick(-0.5, 0.5) * near * share
        vehicle = dice.pick(street.car, street.car, street.car, street.bus)
        vehicle(canvas, middle, y, 0.1 + 0.28 * share)
    return None


def _overhead_sign(canvas: Canvas, horizon: float, m: int) -> None:
    dice = canvas.dice
    x, y = 0.5 + m * dice.between(0.25, 0.4), horizon - dice.between(0.02, 0.1)
    canvas.put("sign", "gray", box(x - 0.1, y, x - 0.085, horizon + 0.16), box(x + 0.085, y, x + 0.1, horizon + 0.16))
    index = canvas.put(
        "sign",
        dice.pick("blue", "green", "white", "yellow"),
        box(x - 0.13, y - 0.08, x + 0.13, y + 0.05),
        texture=dice.pick("plain", "plain", "striped"),
        contrast=0.3,
    )
    canvas.add(
        index,
        box(x - 0.1, y - 0.05, x + 0.05, y - 0.032),
        box(x - 0.1, y - 0.01, x + 0.09, y + 0.008),
        rgb=(238, 238, 232),
    )


def market(canvas: Canvas) -> Zone | None:
    """Stalls with fruit under awnings before a row of houses."""
    dice = canvas.dice
    horizon = dice.between(0.4, 0.5)
    behind.sky(canvas, horizon)
    built.row_of_houses(canvas, horizon + 0.06, 0.18, 0.36, 0.85)
    part = dice.pick("sidewalk", "sidewalk", "path", "sand")
    behind.ground(
        canvas,
        part,
        dice.pick("gray", "beige", "brown", "orange", "white"),
        horizon + 0.05,
        texture=dice.pick("tiled", "brick", "checkered", "plain"),
    )
    if dice.chance(0.5):
        x = dice.between(0.1, 0.4)
        while x < 0.95:
            _stall(canvas, x, horizon + 0.2, dice.between(0.22, 0.28))
            x += dice.between(0.3, 0.42)
    else:
        for y in dice.rows(2, horizon + 0.17, 0.72):
            _stall(canvas, dice.between(0.18, 0.82), y, dice.between(0.26, 0.36))
    if dice.chance(0.5):
        street.crate(canvas, dice.between(0.1, 0.9), dice.between(0.78, 0.92), dice.between(0.09, 0.13))
    folk.people(canvas, dice.count(1, 4), horizon + 0.27, 0.98, 0.2, 0.3)
    if dice.chance(0.25):
        street.umbrella(canvas, dice.between(0.1, 0.9), 0.85, 0.15)
    return horizon + 0.3, 0.98


def _stall(canvas: Canvas, x: float, y: float, width: float) -> None:
    dice = canvas.dice
    left, right, counter = x - width / 2, x + width / 2, y - 0.12
    canvas.shadow(x, y, width * 0.6)
    canvas.put("awning", "gray", box(left, y - 0.28, left + 0.012, y), box(right - 0.012, y - 0.28, right, y))
    if dice.chance(0.5):
        folk.sitting_person(canvas, x + dice.between(-0.2, 0.2) * width, counter, 0.15)
    canvas.put(
        "crate",
        dice.pick("brown", "beige", "brown", "green", "blue"),
        box(left, counter + 0.02, right, y),
        texture=dice.pick("wooden", "wooden", "striped", "grid"),
        period=2.4,
        contrast=0.6,
    )
    wares = dice.count(2, 3)
    for k in range(wares):
        middle = left + width * (k + 0.5) / wares
        if dice.chance(0.16):
            laid.bottles(canvas, middle, counter + 0.025, 2, 0.09)
        elif dice.chance(0.14):
            nature.flowers(canvas, middle - 0.04, counter - 0.03, middle + 0.04, counter + 0.01, 7)
        else:
            laid.fruit(canvas, middle, counter + 0.03, 3, width / wares * 0.15)
    top = y - 0.28
    scallops: list[Shape] = [
        disc(left - 0.03 + (k + 0.5) * (width + 0.06) / 6, top, (width + 0.06) / 12, 0.022) for k in range(6)
    ]
    cloth = polygon((left + 0.02, top - 0.09), (right - 0.02, top - 0.09), (right + 0.03, top), (left - 0.03, top))
    canvas.put(
        "awning",
        dice.pick("red", "yellow", "blue", "green", "orange", "white", "purple", "teal"),
        cloth,
        *scallops,
        second=dice.pick("white", "white", "yellow", "beige"),
        texture=dice.pick("striped", "striped", "striped", "plain", "dotted", "checkered"),
        way=0,
        period=width * 11,
        shade=0.2,
    )
