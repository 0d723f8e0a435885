"""Built places. Each painter paints onto the canvas and returns where a guest may stand (y from, y to)."""

from __future__ import annotations

from mami_core.scenery import backdrops as behind
from mami_core.scenery import props_buildings as built
from mami_core.scenery import props_home as home
from mami_core.scenery import props_nature as nature
from mami_core.scenery import props_people as folk
from mami_core.scenery import props_street as street
from mami_core.scenery.canvas import Canvas
from mami_core.scenery.shapes import Shape, box, disc, line, polygon

Zone = tuple[float, float]


def _row_of_houses(canvas: Canvas, ground: float, low: float, high: float, roofed: float) -> None:
    dice = canvas.dice
    x = dice.between(-0.15, 0.0)
    while x < 1:
        width = dice.between(0.16, 0.3)
        built.house(
            canvas,
            x + width / 2,
            ground,
            width * dice.between(0.92, 1.0),
            dice.between(low, high),
            roofed=dice.chance(roofed),
        )
        x += width + (dice.between(0.02, 0.12) if dice.chance(0.15) else 0)


def city_street(canvas: Canvas) -> Zone | None:
    """A row of houses, a pavement, a street with traffic."""
    dice = canvas.dice
    horizon = dice.between(0.46, 0.6)
    behind.sky(canvas, horizon)
    _row_of_houses(canvas, horizon + 0.04, 0.22, dice.between(0.32, 0.5), dice.between(0.2, 0.9))
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


def bridge(canvas: Canvas) -> Zone | None:
    """A bridge over water: suspension, arches or girders."""
    dice = canvas.dice
    horizon = dice.between(0.44, 0.56)
    behind.sky(canvas, horizon)
    if dice.chance(0.35):
        for _ in range(dice.count(1, 4)):
            built.skyscraper(
                canvas, dice.between(0, 1), horizon + 0.01, dice.between(0.08, 0.13), dice.between(0.15, 0.28)
            )
    else:
        behind.hills(canvas, horizon, dice.count(1, 3))
    behind.water(canvas, horizon)
    deck, colour = (
        dice.between(horizon - 0.04, horizon + 0.14),
        dice.pick("red", "gray", "dark gray", "brown", "orange", "white", "green", "blue", "beige"),
    )
    texture = dice.pick("plain", "plain", "brick", "striped", "tiled")
    dice.pick(_suspension, _suspension, _arches, _girder)(canvas, deck, colour, texture)
    if dice.chance(0.6):
        street.car(canvas, dice.between(0.15, 0.85), deck - 0.005, dice.between(0.13, 0.17))
    if dice.chance(0.25):
        street.train(canvas, dice.between(0.6, 1.1), deck - 0.005, dice.between(0.4, 0.8), 0.11)
    for y in dice.rows(dice.count(0, 2), min(deck + 0.2, 0.85), 0.92):
        street.boat(canvas, dice.between(0.1, 0.9), y, dice.between(0.14, 0.24))
    return None


def _suspension(canvas: Canvas, deck: float, colour: str, texture: str) -> None:
    dice = canvas.dice
    first, last, high = dice.between(0.15, 0.28), dice.between(0.7, 0.85), dice.between(0.28, 0.4)
    pylons = [box(x - 0.022, deck - high, x + 0.022, deck + 0.2) for x in (first, last)]
    canvas.put("bridge", colour, *pylons, texture=texture, period=2, side=0.3, contrast=0.4)
    middle, half = (first + last) / 2, (last - first) / 2
    sag = [
        (
            first + k * (last - first) / 12,
            deck - high + (high - 0.03) * (1 - ((first + k * (last - first) / 12 - middle) / half) ** 2),
        )
        for k in range(13)
    ]
    ropes = [
        line(0.013, *sag),
        line(0.013, (-0.1, deck - 0.04), (first, deck - high)),
        line(0.013, (last, deck - high), (1.1, deck - 0.04)),
    ]
    hangers = [box(x - 0.003, y, x + 0.003, deck) for x, y in sag]
    canvas.put("bridge", colour, *ropes, *hangers, box(-0.2, deck - 0.02, 1.2, deck + 0.035))


def _arches(canvas: Canvas, deck: float, colour: str, texture: str) -> None:
    dice = canvas.dice
    number, high = dice.count(2, 4), dice.between(0.14, 0.2)
    wide = 1.0 / number
    spans: list[Shape] = [box(-0.2, deck - 0.05, 1.2, deck + 0.03)]
    for k in range(-1, number + 1):
        left, right = k * wide + 0.035, (k + 1) * wide - 0.035
        curve = [
            (left + (right - left) * t / 10, deck + high - (high - 0.02) * (1 - (t / 5 - 1) ** 2) ** 0.5)
            for t in range(11)
        ]
        spans.append(
            polygon(
                (k * wide, deck),
                (k * wide, deck + high + 0.03),
                (left, deck + high + 0.03),
                *curve,
                (right, deck + high + 0.03),
                ((k + 1) * wide, deck + high + 0.03),
                ((k + 1) * wide, deck),
            )
        )
    canvas.put("bridge", colour, *spans, texture=texture, period=2.4, contrast=0.4, shade=0.3)


def _girder(canvas: Canvas, deck: float, colour: str, texture: str) -> None:
    dice = canvas.dice
    high, number = dice.between(0.13, 0.2), dice.count(4, 7)
    wide = 1.4 / number
    zigzag = [(-0.2 + k * wide / 2, deck - (high if k % 2 else 0)) for k in range(2 * number + 1)]
    piers = [box(x - 0.035, deck, x + 0.035, deck + 0.24) for x in (0.2, 0.8)]
    canvas.put("bridge", "gray", *piers, texture="brick", period=2, side=0.4, contrast=0.4)
    canvas.put(
        "bridge",
        colour,
        line(0.018, *zigzag),
        box(-0.2, deck - high - 0.014, 1.2, deck - high + 0.014),
        box(-0.2, deck - 0.02, 1.2, deck + 0.035),
        texture=texture,
        contrast=0.3,
    )


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
    _row_of_houses(canvas, horizon + 0.06, 0.18, 0.36, 0.85)
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
            home.bottles(canvas, middle, counter + 0.025, 2, 0.09)
        elif dice.chance(0.14):
            nature.flowers(canvas, middle - 0.04, counter - 0.03, middle + 0.04, counter + 0.01, 7)
        else:
            home.fruit(canvas, middle, counter + 0.03, 3, width / wares * 0.15)
    top = y - 0.28
    scallops: list[Shape] = [
        disc(left - 0.03 + (k + 0.5) * (width + 0.06) / 6, top, (width + 0.06) / 12, 0.022) for k in range(6)
    ]
    cloth = polygon((left + 0.02, top - 0.09), (right - 0.02, top - 0.09), (right + 0.03, top), (left - 0.03, top))
    canvas.put("awning", dice.pick("red", "yellow", "blue", "green", "orange", "white", "purple", "teal"), cloth, *scallops, second=dice.pick("white", "white", "yellow", "beige"),
               texture=dice.pick("striped", "striped", "striped", "plain", "dotted", "checkered"), way=0, period=width * 11, shade=0.2)  # fmt: skip


def stadium(canvas: Canvas) -> Zone | None:
    """Stands, a marked pitch, a goal, floodlights and players."""
    dice = canvas.dice
    horizon = dice.between(0.4, 0.52)
    behind.sky(canvas, horizon - 0.1)
    colour, texture = (
        dice.pick("red", "blue", "orange", "yellow", "gray", "green", "purple", "white", "teal"),
        dice.pick("dotted", "speckled", "grid", "checkered", "striped"),
    )
    dip = dice.between(-0.08, 0.1)
    stand = (
        (-0.1, horizon - 0.26),
        (0.25, horizon - 0.26 + dip),
        (0.75, horizon - 0.26 + dip),
        (1.1, horizon - 0.26),
        (1.1, horizon + 0.01),
        (-0.1, horizon + 0.01),
    )
    canvas.put("seat", colour, polygon(*stand), texture=texture, period=dice.between(1.5, 2.2), contrast=0.7)
    roof_y = horizon - 0.26 + min(0.0, dip)
    if dice.chance(0.4):
        canvas.put(
            "roof",
            dice.pick(*built.ROOFS),
            polygon((-0.1, roof_y - 0.06), (1.1, roof_y - 0.06), (1.1, roof_y), (-0.1, roof_y)),
            texture=dice.pick("plain", "striped"),
            way=0,
        )
    canvas.put(
        "wall",
        dice.pick("white", "blue", "yellow", "gray", "red"),
        box(-0.1, horizon - 0.03, 1.1, horizon + 0.01),
        texture=dice.pick("plain", "checkered", "striped"),
        period=4,
        way=0,
    )
    for x in (dice.between(0.04, 0.2), dice.between(0.8, 0.96)):
        if dice.chance(0.8):
            _floodlight(canvas, x, horizon - 0.02, dice.between(0.3, 0.38))
    behind.ground(
        canvas,
        "pitch",
        dice.pick("green", "green", "dark green", "orange", "teal"),
        horizon,
        texture=dice.pick("striped", "plain", "checkered", "speckled"),
        contrast=0.22,
        period=5,
    )
    _pitch_lines(canvas, horizon)
    if dice.chance(0.75):
        _goal(canvas, dice.between(0.25, 0.75), horizon + dice.between(0.06, 0.12), dice.between(0.22, 0.3))
    folk.people(canvas, dice.count(1, 5), horizon + 0.12, 0.97, 0.13, 0.24)
    if dice.chance(0.55):
        street.ball(canvas, dice.between(0.1, 0.9), dice.between(horizon + 0.2, 0.96), dice.between(0.022, 0.034))
    if dice.chance(0.3):
        built.flag(canvas, dice.between(0.05, 0.95), horizon + 0.08, 0.16)
    return horizon + 0.2, 0.97


def _floodlight(canvas: Canvas, x: float, y: float, height: float) -> None:
    dice = canvas.dice
    top = y - height
    canvas.put(
        "floodlight",
        dice.pick("gray", "dark gray", "white"),
        box(x - 0.008, top, x + 0.008, y),
        box(x - 0.07, top - 0.07, x + 0.07, top + 0.01),
    )
    lamps = [disc(x - 0.045 + k * 0.03, top - 0.048 + row * 0.034, 0.011) for k in range(4) for row in range(2)]
    canvas.put("floodlight", dice.pick("white", "yellow"), *lamps, glow=True)
    if canvas.light in ("night", "dusk"):
        canvas.halo(x, top - 0.03, 0.24, (140, 138, 110))


def _pitch_lines(canvas: Canvas, horizon: float) -> None:
    dice = canvas.dice
    x, y = dice.between(0.3, 0.7), (horizon + 1) / 2 + dice.between(-0.02, 0.08)
    circle = (
        (1, 0),
        (0.92, 0.38),
        (0.71, 0.71),
        (0.38, 0.92),
        (0, 1),
        (-0.38, 0.92),
        (-0.71, 0.71),
        (-0.92, 0.38),
        (-1, 0),
    )
    ring = [(x + 0.2 * a, y + 0.075 * b) for a, b in circle] + [(x - 0.2 * a, y - 0.075 * b) for a, b in circle]
    shapes = [
        line(0.011, *ring),
        box(-0.1, y - 0.005, 1.1, y + 0.005),
        box(-0.1, horizon + 0.035, 1.1, horizon + 0.043),
    ]
    if dice.chance(0.5):
        shapes.append(
            line(
                0.01,
                (x - 0.28, horizon + 0.04),
                (x - 0.33, horizon + 0.13),
                (x + 0.33, horizon + 0.13),
                (x + 0.28, horizon + 0.04),
            )
        )
    canvas.put("pitch", "white", *shapes)


def _goal(canvas: Canvas, x: float, y: float, width: float) -> None:
    dice = canvas.dice
    high = width * 0.5
    frame = line(0.014, (x - width / 2, y), (x - width / 2, y - high), (x + width / 2, y - high), (x + width / 2, y))
    mesh = [box(x - width / 2 + k * width / 8, y - high, x - width / 2 + k * width / 8 + 0.004, y) for k in range(1, 8)]
    mesh += [
        box(x - width / 2, y - high + k * high / 4, x + width / 2, y - high + k * high / 4 + 0.004) for k in range(1, 4)
    ]
    canvas.put("goal", dice.pick("white", "white", "yellow", "red"), frame, *mesh)


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
    at, wide, tall = x + m * width * 0.56, dice.between(0.11, 0.15), dice.between(0.34, 0.44)
    built.tower(canvas, at, y, wide, tall, colour, texture)
    built.spire(canvas, at, y - tall, wide * 1.05, dice.between(0.12, 0.18) if dice.chance(0.8) else 0.07)
    tip = y - tall - 0.1
    shape = (box(at - 0.008, tip - 0.13, at + 0.008, tip), box(at - 0.035, tip - 0.1, at + 0.035, tip - 0.084))
    canvas.put("cross", dice.pick("yellow", "white", "black", "brown"), *shape)
    if dice.chance(0.4):
        built.clock(canvas, at, y - tall * 0.82, wide * 0.3)
    built.door(canvas, at, y, wide * 0.5, 0.11)


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
        wide, tall = dice.between(0.1, 0.15), high + dice.between(0.06, 0.18)
        built.tower(canvas, at, y + 0.01, wide, tall, colour, texture)
        if dice.chance(0.65):
            built.spire(canvas, at, y + 0.01 - tall, wide * 1.15, dice.between(0.1, 0.17))
        else:
            crown = [
                box(
                    at - wide / 2 + k * wide / 3,
                    y - tall - 0.025,
                    at - wide / 2 + (k + 0.6) * wide / 3,
                    y + 0.012 - tall,
                )
                for k in range(3)
            ]
            canvas.put("tower", colour, *crown)
        if dice.chance(0.6):
            built.flag(canvas, at, y + 0.01 - tall - 0.06, dice.between(0.12, 0.17))


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


def railway_station(canvas: Canvas) -> Zone | None:
    """Rails, a train, a platform with travellers, a clock and benches."""
    dice = canvas.dice
    horizon = dice.between(0.34, 0.44)
    behind.sky(canvas, horizon)
    _station_back(canvas, horizon)
    edge = dice.between(0.68, 0.76)
    colour = dice.pick("dark gray", "brown", "gray", "beige")
    behind.ground(canvas, "path", colour, horizon + 0.05, texture="speckled", contrast=0.4)
    for y in dice.rows(2, horizon + 0.2, edge - 0.04):
        _rails(canvas, y)
    if dice.chance(0.7):
        street.train(canvas, dice.between(0.55, 1.25), edge - 0.05, dice.between(0.6, 1.3), dice.between(0.22, 0.28))
    behind.ground(
        canvas,
        "sidewalk",
        dice.pick("gray", "beige", "white", "dark gray", "orange"),
        edge,
        texture=dice.pick("tiled", "plain", "checkered", "brick"),
    )
    behind.platform_edge(canvas, edge + 0.025)
    if dice.chance(0.5):
        street.bench(canvas, dice.between(0.12, 0.88), dice.between(edge + 0.12, 0.95), dice.between(0.22, 0.28))
    if dice.chance(0.6):
        _platform_clock(canvas, dice.between(0.12, 0.88), edge + 0.08, dice.between(0.42, 0.55))
    if dice.chance(0.35):
        street.street_lamp(canvas, dice.between(0.1, 0.9), edge + 0.08, 0.45)
    if dice.chance(0.3):
        street.sign(canvas, dice.between(0.1, 0.9), edge + 0.1, 0.3)
    folk.people(canvas, dice.count(0, 3), edge + 0.08, 0.98, 0.26, 0.4)
    return edge + 0.1, 0.98


def _station_back(canvas: Canvas, horizon: float) -> None:
    dice = canvas.dice
    kind = dice.count(0, 2)
    if kind == 0:
        _row_of_houses(canvas, horizon + 0.07, 0.12, 0.26, 0.9)
    elif kind == 1:
        x, wide = dice.between(0.3, 0.7), dice.between(0.4, 0.6)
        built.house(canvas, x, horizon + 0.07, wide, dice.between(0.18, 0.24))
        built.clock(canvas, x, horizon - 0.14, 0.05)
    else:
        behind.hills(canvas, horizon + 0.05, 2)
        for _ in range(dice.count(2, 4)):
            nature.any_tree(canvas, dice.between(0, 1), horizon + 0.07, dice.between(0.15, 0.25))


def _rails(canvas: Canvas, y: float) -> None:
    dice = canvas.dice
    sleepers = [
        polygon(
            (k * 0.08, y - 0.02),
            (k * 0.08 + 0.035, y - 0.02),
            (k * 0.08 + 0.025, y + 0.03),
            (k * 0.08 - 0.015, y + 0.03),
        )
        for k in range(-1, 14)
    ]
    canvas.put("rail", dice.pick("brown", "gray", "dark gray", "black"), *sleepers)
    canvas.put(
        "rail",
        dice.pick("gray", "dark gray", "white", "brown"),
        box(-0.2, y - 0.017, 1.2, y - 0.007),
        box(-0.2, y + 0.014, 1.2, y + 0.026),
    )


def _platform_clock(canvas: Canvas, x: float, y: float, height: float) -> None:
    canvas.shadow(x, y, 0.05)
    canvas.put("clock", canvas.dice.pick("dark gray", "black", "green"), box(x - 0.009, y - height, x + 0.009, y))
    built.clock(canvas, x, y - height, canvas.dice.between(0.06, 0.08))
