"""Things that grow or lie about: trees, bushes, flowers, cacti, rocks. `y` is where they meet the ground."""

from __future__ import annotations

from mami_core.scenery.canvas import Canvas
from mami_core.scenery.shapes import Shape, box, disc, line, polygon

LEAVES = ("green", "dark green", "green", "dark green", "teal")
AUTUMN = ("orange", "yellow", "red", "pink", "brown")
BLOSSOM = ("red", "yellow", "pink", "purple", "white", "orange", "light blue", "blue")
STONE = ("gray", "dark gray", "brown", "beige")

_FRONDS = ((1.00, 0.10), (0.86, -0.30), (0.42, -0.44), (-0.10, -0.46), (-0.56, -0.38), (-0.92, -0.18), (-0.98, 0.18))


def tree(canvas: Canvas, x: float, y: float, height: float) -> None:
    """Paint a leafy tree: a trunk and a round, oval or cloudy crown."""
    dice = canvas.dice
    canvas.shadow(x, y, height * 0.3)
    trunk = height * 0.055
    colour = dice.pick("brown", "brown", "dark gray", "beige")
    canvas.put("tree", colour, polygon((x - trunk * 0.7, y - height * 0.5), (x + trunk * 0.7, y - height * 0.5),
               (x + trunk, y), (x - trunk, y)), texture=dice.pick("plain", "wooden"), side=0.5, period=1.6)  # fmt: skip
    leaves = dice.pick(*AUTUMN) if dice.chance(0.28) else dice.pick(*LEAVES)
    texture = dice.pick("speckled", "speckled", "plain", "dotted", "wavy")
    canvas.put("tree", leaves, *_crown(canvas, x, y, height), texture=texture, contrast=0.5, shade=0.55, side=0.3)


def _crown(canvas: Canvas, x: float, y: float, height: float) -> list[Shape]:
    dice = canvas.dice
    kind = dice.count(0, 3)
    if kind == 0:
        return [disc(x, y - height * 0.66, height * dice.between(0.25, 0.33), height * 0.33)]
    if kind == 1:
        return [disc(x, y - height * 0.62, height * dice.between(0.13, 0.18), height * 0.38)]
    shapes = [disc(x, y - height * 0.68, height * 0.24)]
    for _ in range(5):
        across, up = dice.between(-0.2, 0.2) * height, height * dice.between(0.5, 0.8)
        shapes.append(disc(x + across, y - up, height * dice.between(0.14, 0.21)))
    return shapes


def pine_tree(canvas: Canvas, x: float, y: float, height: float, *, snowy: bool = False) -> None:
    """Paint a conifer of three or four tiers."""
    dice = canvas.dice
    canvas.shadow(x, y, height * 0.22)
    canvas.put("pine tree", "brown", box(x - height * 0.035, y - height * 0.24, x + height * 0.035, y), side=0.5)
    tiers, shapes = dice.count(3, 4), []
    for tier in range(tiers):
        base = y - height * (0.13 + 0.62 * tier / tiers)
        width = height * (0.27 - 0.17 * tier / tiers)
        shapes.append(polygon((x - width, base), (x, base - height * 0.38), (x + width, base)))
    white = snowy and dice.chance(0.4)
    colour = "white" if white else dice.pick("dark green", "dark green", "dark green", "teal", "green")
    texture = dice.pick("speckled", "speckled", "plain", "striped")
    canvas.put("pine tree", colour, *shapes, texture=texture, contrast=0.4, shade=0.3, side=0.5, period=2.2, way=1)


def palm_tree(canvas: Canvas, x: float, y: float, height: float) -> None:
    """Paint a palm with a bent, ringed trunk."""
    dice = canvas.dice
    bend = dice.between(-0.16, 0.16) * height
    canvas.shadow(x, y, height * 0.2)
    knees = ((x, y), (x + bend * 0.25, y - height * 0.4), (x + bend, y - height * 0.8))
    colour = dice.pick("brown", "brown", "beige", "dark gray")
    canvas.put("palm tree", colour, line(height * 0.06, *knees), texture="striped", period=1.4, way=1, side=0.4)
    top_x, top_y, reach = x + bend, y - height * 0.8, height * dice.between(0.3, 0.38)
    fronds = [
        polygon(
            (top_x, top_y - reach * 0.03),
            (top_x + reach * across * 0.55, top_y + reach * (down - 0.24)),
            (top_x + reach * across, top_y + reach * (down + 0.16)),
            (top_x + reach * across * 0.52, top_y + reach * (down - 0.02)),
        )
        for across, down in _FRONDS
    ]
    canvas.put("palm tree", dice.pick(*LEAVES), *fronds, shade=0.4)


def bush(canvas: Canvas, x: float, y: float, width: float) -> None:
    """Paint a low round shrub, at times clipped into a box."""
    dice = canvas.dice
    canvas.shadow(x, y, width * 1.3)
    shapes = [
        disc(x + (k - 1) * width * 0.55, y - width * dice.between(0.3, 0.5), width * dice.between(0.45, 0.62))
        for k in range(3)
    ]
    if dice.chance(0.2):
        shapes = [box(x - width, y - width, x + width, y)]
    colour = dice.pick(*AUTUMN) if dice.chance(0.15) else dice.pick(*LEAVES)
    canvas.put("bush", colour, *shapes, texture=dice.pick("speckled", "speckled", "dotted", "plain"),
               contrast=0.5, shade=0.5, side=0.2)  # fmt: skip


def flowers(canvas: Canvas, left: float, top: float, right: float, bottom: float, number: int) -> None:
    """Paint a bed of flowers of one colour."""
    dice = canvas.dice
    blossoms = []
    for _ in range(number):
        radius = dice.between(0.010, 0.018)
        blossoms.append(disc(dice.between(left, right), dice.between(top, bottom), radius))
    colour = dice.pick(*BLOSSOM)
    bed = canvas.put("flower", colour, *blossoms, shade=0.1, texture=dice.pick("plain", "plain", "speckled"))
    hearts = [disc((s.points[0][0] + s.points[1][0]) / 2, (s.points[0][1] + s.points[1][1]) / 2, 0.0045)
              for s in blossoms]  # fmt: skip
    canvas.add(bed, *hearts, rgb=(250, 220, 110) if colour != "yellow" else (170, 110, 50))


def cactus(canvas: Canvas, x: float, y: float, height: float) -> None:
    """Paint a saguaro with one or two arms."""
    dice = canvas.dice
    w = height * 0.1
    canvas.shadow(x, y, height * 0.3)
    shapes = [box(x - w, y - height + w, x + w, y), disc(x, y - height + w, w)]
    for mirror in (-1, 1) if dice.chance(0.7) else (dice.pick(-1, 1),):
        elbow, tip = y - height * dice.between(0.34, 0.5), y - height * dice.between(0.62, 0.82)
        arm = x + mirror * w * 2.7
        shapes += [
            line(w * 1.3, (x, elbow), (arm, elbow), (arm, tip)),
            disc(arm, tip, w * 0.65),
            disc(arm, elbow, w * 0.65),
        ]
    texture = dice.pick("striped", "striped", "plain", "speckled", "dotted")
    canvas.put("cactus", dice.pick("green", "dark green", "teal"), *shapes, texture=texture, way=0, period=1.3,
               contrast=0.4, side=0.4)  # fmt: skip


def rock(canvas: Canvas, x: float, y: float, width: float) -> None:
    """Paint a boulder."""
    dice = canvas.dice
    canvas.shadow(x, y, width * 1.2)
    lean = dice.between(-0.3, 0.3) * width
    corners = (
        (x - width, y),
        (x - width * 0.75, y - width * 0.55),
        (x + lean - width * 0.3, y - width * 0.9),
        (x + lean + width * 0.3, y - width * 0.82),
        (x + width * 0.8, y - width * 0.4),
        (x + width, y),
    )
    canvas.put("rock", dice.pick(*STONE), polygon(*corners), texture=dice.pick("speckled", "speckled", "plain"),
               contrast=0.45, shade=0.4, side=0.4)  # fmt: skip


TREES = (tree, tree, pine_tree)


def any_tree(canvas: Canvas, x: float, y: float, height: float) -> None:
    """Paint a tree or a pine tree."""
    canvas.dice.pick(*TREES)(canvas, x, y, height)
