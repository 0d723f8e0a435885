"""Bridges, stadiums, stations.

Each painter paints onto the canvas and returns where a guest may stand (y from, y to).
"""

from __future__ import annotations

import numpy as np

from mami_core.scenery import backdrops as behind
from mami_core.scenery import props_buildings as built
from mami_core.scenery import props_nature as nature
from mami_core.scenery import props_people as folk
from mami_core.scenery import props_street as street
from mami_core.scenery.canvas import Canvas
from mami_core.scenery.shapes import Shape, box, disc, line, polygon

Zone = tuple[float, float]
FLOODLIT = np.array([1.6, 1.5, 1.12], np.float32)  # what floodlights do to the colours of a pitch at night


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
        if dice.chance(0.5):
            for _ in range(dice.count(1, 3)):
                built.house(
                    canvas, dice.between(0, 1), horizon + 0.01, dice.between(0.09, 0.14), dice.between(0.07, 0.11)
                )
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
    for y in dice.rows(dice.count(1, 3), min(deck + 0.2, 0.85), 0.94):
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


def stadium(canvas: Canvas) -> Zone | None:
    """Stands, a marked pitch, a goal, floodlights and players."""
    dice = canvas.dice
    horizon = dice.between(0.4, 0.52)
    behind.sky(canvas, horizon - 0.1)
    _stands(canvas, horizon)
    for x in (dice.between(0.04, 0.2), dice.between(0.8, 0.96)):
        if dice.chance(0.8):
            _floodlight(canvas, x, horizon - 0.02, dice.between(0.3, 0.38))
    if canvas.light == "night":
        canvas.ambient = canvas.ambient * FLOODLIT
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


def _stands(canvas: Canvas, horizon: float) -> None:
    dice = canvas.dice
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
        built.row_of_houses(canvas, horizon + 0.07, 0.12, 0.26, 0.9)
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
