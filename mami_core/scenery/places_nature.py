"""Places by the water and in the wild.

Each painter paints onto the canvas and returns where a guest may stand (y from, y to).
"""

from __future__ import annotations

from mami_core.scenery import backdrops as behind
from mami_core.scenery import props_buildings as built
from mami_core.scenery import props_nature as nature
from mami_core.scenery import props_people as folk
from mami_core.scenery import props_street as street
from mami_core.scenery.canvas import Canvas
from mami_core.scenery.shapes import box, disc, polygon

Zone = tuple[float, float]


def harbour(canvas: Canvas) -> Zone | None:
    """Houses by the water, boats, at times a pier or a lighthouse."""
    dice = canvas.dice
    horizon = dice.between(0.36, 0.54)
    behind.sky(canvas, horizon)
    if dice.chance(0.55):
        behind.hills(canvas, horizon, 2)
    for _ in range(dice.count(2, 5)):
        built.house(canvas, dice.between(0, 1), horizon + 0.01, dice.between(0.11, 0.2), dice.between(0.1, 0.21))
    behind.water(canvas, horizon)
    if dice.chance(0.3):
        built.lighthouse(canvas, dice.between(0.12, 0.88), horizon + 0.05, dice.between(0.28, 0.42))
    for y in dice.rows(dice.count(2, 5), horizon + 0.08, 0.86):
        street.boat(canvas, dice.between(0.05, 0.95), y, dice.between(0.12, 0.18) + (y - horizon) * 0.28)
    if dice.chance(0.6):
        x, top = dice.between(-0.1, 0.7), dice.between(0.8, 0.88)
        planks = polygon((x, top), (x + 0.4, top), (x + 0.55, 1.02), (x - 0.15, 1.02))
        canvas.put(
            "pier",
            dice.pick("brown", "brown", "gray", "beige"),
            planks,
            texture="wooden",
            way=dice.count(0, 1),
            period=3,
            contrast=0.7,
        )
        if dice.chance(0.5):
            street.crate(canvas, x + dice.between(0.05, 0.35), 0.97, dice.between(0.08, 0.12))
        if dice.chance(0.4):
            folk.person(canvas, x + dice.between(0.05, 0.35), 0.96, dice.between(0.2, 0.27))
    return None


def beach(canvas: Canvas) -> Zone | None:
    """Sea, sand, sunshades, palms and bathers."""
    dice = canvas.dice
    horizon = dice.between(0.28, 0.45)
    shore = horizon + dice.between(0.12, 0.28)
    behind.sky(canvas, horizon)
    if dice.chance(0.25):
        behind.hills(canvas, horizon, 1)
    behind.water(canvas, horizon, shore + 0.08)
    for _ in range(dice.count(0, 2)):
        street.boat(
            canvas,
            dice.between(0.1, 0.9),
            dice.between(horizon + 0.04, shore - 0.03),
            dice.between(0.1, 0.16),
            sailing=0.7,
        )
    lean = dice.between(-0.06, 0.06)
    edge = (
        (-0.1, shore - lean),
        (0.3, shore + 0.02),
        (0.7, shore - 0.02),
        (1.1, shore + lean),
        (1.1, 1.1),
        (-0.1, 1.1),
    )
    foam = tuple((x, y - 0.018 if y < 1 else y) for x, y in edge)
    canvas.put("water", "white", polygon(*foam))
    canvas.put(
        "sand",
        dice.pick("beige", "beige", "yellow", "orange", "white"),
        polygon(*edge),
        texture=dice.pick("speckled", "plain", "wavy"),
        shade=-0.12,
        contrast=0.22,
    )
    _beach_life(canvas, shore)
    return shore + 0.15, 0.97


def _beach_life(canvas: Canvas, shore: float) -> None:
    dice = canvas.dice
    for _ in range(dice.count(0, 3)):
        if dice.chance(0.55):
            nature.palm_tree(
                canvas,
                dice.pick(dice.between(0.03, 0.3), dice.between(0.7, 0.97)),
                dice.between(shore + 0.1, 0.95),
                dice.between(0.4, 0.62),
            )
    for y in dice.rows(dice.count(0, 3), shore + 0.2, 0.98):
        street.umbrella(canvas, dice.between(0.1, 0.9), y, dice.between(0.1, 0.18))
    folk.people(canvas, dice.count(0, 4), shore + 0.1, 0.97, 0.15, 0.2)
    if dice.chance(0.35):
        street.ball(canvas, dice.between(0.1, 0.9), dice.between(shore + 0.18, 0.95), dice.between(0.03, 0.05))
    if dice.chance(0.3):
        nature.rock(canvas, dice.between(0, 1), dice.between(shore + 0.05, 0.95), dice.between(0.05, 0.1))


def mountain_lake(canvas: Canvas) -> Zone | None:
    """Peaks and pines about a lake."""
    dice = canvas.dice
    horizon = dice.between(0.44, 0.6)
    behind.sky(canvas, horizon)
    behind.mountains(canvas, horizon, dice.count(2, 4))
    if dice.chance(0.3):
        behind.hills(canvas, horizon, 1)
    dense = dice.between(0.2, 0.7)
    for k in range(12):
        if dice.chance(dense):
            nature.pine_tree(canvas, k * 0.09 + dice.between(-0.03, 0.03), horizon + 0.015, dice.between(0.08, 0.15))
    if dice.chance(0.25):
        built.house(canvas, dice.between(0.15, 0.85), horizon + 0.015, 0.14, 0.09)
    behind.water(canvas, horizon)
    for _ in range(dice.count(0, 2)):
        street.boat(
            canvas, dice.between(0.1, 0.9), dice.between(horizon + 0.1, 0.82), dice.between(0.12, 0.22), sailing=0.4
        )
    zone = None
    if dice.chance(0.6):
        a, b, c = (dice.between(0.84, 0.94) for _ in range(3))
        bank = polygon((-0.1, a), (0.4, b), (1.1, c), (1.1, 1.1), (-0.1, 1.1))
        canvas.put(
            "grass",
            dice.pick("green", "dark green", "brown", "yellow"),
            bank,
            texture=dice.pick("speckled", "plain"),
            contrast=0.4,
        )
        if dice.chance(0.6):
            nature.flowers(canvas, 0, 0.94, 1, 1, 14)
        zone = (0.95, 0.99)
    for _ in range(dice.count(0, 2)):
        nature.rock(canvas, dice.between(0, 1), dice.between(0.9, 1.0), dice.between(0.05, 0.12))
    for _ in range(dice.count(0, 2)):
        nature.pine_tree(
            canvas,
            dice.pick(dice.between(0, 0.2), dice.between(0.8, 1)),
            dice.between(0.96, 1.05),
            dice.between(0.4, 0.7),
        )
    return zone


def forest(canvas: Canvas) -> Zone | None:
    """Trees behind trees, at times a clearing with a way through it."""
    dice = canvas.dice
    horizon = dice.between(0.36, 0.55)
    behind.sky(canvas, horizon)
    wall = [disc(x * 0.09, horizon - dice.between(0.1, 0.2), 0.1, 0.14) for x in range(12)]
    canvas.put(
        "tree",
        dice.pick("dark green", "green", "teal", "brown"),
        *wall,
        box(-0.1, horizon - 0.14, 1.1, horizon + 0.02),
        texture="speckled",
        contrast=0.6,
    )
    colour = dice.pick("green", "dark green", "brown", "orange")
    behind.ground(canvas, "grass", colour, horizon, texture=dice.pick("speckled", "plain", "wavy"), contrast=0.4)
    if dice.chance(0.5):
        behind.path(canvas, horizon)
    kind = dice.pick(nature.tree, nature.pine_tree, nature.any_tree)
    gap = dice.between(0.2, 0.8) if dice.chance(0.6) else -1.0
    for y in dice.rows(dice.count(7, 12), horizon + 0.02, 0.98):
        x = dice.between(0, 1)
        if abs(x - gap) > 0.16 or y < horizon + 0.1:
            kind(canvas, x, y, 0.28 + 0.75 * (y - horizon))
    for _ in range(dice.count(0, 3)):
        dice.pick(nature.bush, nature.bush, nature.rock)(
            canvas, dice.between(0, 1), dice.between(0.85, 1), dice.between(0.06, 0.1)
        )
    if dice.chance(0.35):
        nature.flowers(canvas, 0, 0.8, 1, 1, 16)
    if dice.chance(0.25):
        folk.person(canvas, max(0.15, gap), dice.between(0.75, 0.95), 0.27)
    return horizon + 0.3, 0.98


def desert(canvas: Canvas) -> Zone | None:
    """Dunes, cacti, rocks; rarely an oasis."""
    dice = canvas.dice
    horizon = dice.between(0.33, 0.5)
    behind.sky(canvas, horizon)
    if dice.chance(0.4):
        behind.mountains(canvas, horizon, 2, snowy=0)
    sand = dice.pick("orange", "beige", "yellow", "brown", "pink")
    behind.ground(canvas, "sand", sand, horizon, texture=dice.pick("plain", "speckled", "wavy"), contrast=0.2)
    for y in dice.rows(dice.count(2, 5), horizon + 0.05, 0.95):
        _dune(canvas, y)
    if dice.chance(0.2):
        canvas.put(
            "water",
            dice.pick("blue", "teal", "light blue"),
            disc(dice.between(0.2, 0.8), dice.between(0.7, 0.85), 0.22, 0.05),
        )
        nature.palm_tree(canvas, dice.between(0.2, 0.8), 0.8, 0.4)
    for y in dice.rows(dice.count(1, 7), horizon + 0.08, 0.97):
        nature.cactus(canvas, dice.between(0.05, 0.95), y, 0.12 + 0.36 * (y - horizon))
    for y in dice.rows(dice.count(1, 4), horizon + 0.1, 1):
        nature.rock(canvas, dice.between(0, 1), y, dice.between(0.03, 0.08))
    return horizon + 0.2, 0.97


def _dune(canvas: Canvas, y: float) -> None:
    dice = canvas.dice
    x, width, height = dice.between(-0.1, 1.1), dice.between(0.3, 0.6), dice.between(0.08, 0.18)
    crest, colour = dice.between(-0.3, 0.3) * width, dice.pick("orange", "beige", "yellow", "brown", "red")
    back = (
        (x - width, y + 0.02),
        (x - width * 0.5, y - height * 0.55),
        (x + crest, y - height),
        (x + width * 0.6, y - height * 0.4),
        (x + width, y + 0.02),
    )
    face = (
        (x + crest, y - height),
        (x + crest + width * 0.1, y - height * 0.4),
        (x + crest - width * 0.05, y + 0.02),
        (x + width, y + 0.02),
        (x + width * 0.6, y - height * 0.4),
    )
    index = canvas.put(
        "dune", colour, polygon(*back), texture=dice.pick("plain", "wavy", "speckled"), side=0.3, contrast=0.3, way=1
    )
    if index >= 0:
        dark = canvas.shade_of(colour, spread=4, glow=True) * 0.74
        canvas.add(index, polygon(*face), rgb=(float(dark[0]), float(dark[1]), float(dark[2])))
