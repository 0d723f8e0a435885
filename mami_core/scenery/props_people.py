"""People and animals. `y` is where their feet stand, `height` their height."""

from __future__ import annotations

from mami_core.scenery.canvas import RGB, Canvas
from mami_core.scenery.shapes import box, disc, line, moved, polygon

CLOTHES = ("red", "blue", "yellow", "white", "green", "purple", "pink", "orange", "teal", "black", "light blue")
TROUSERS = ("blue", "black", "dark gray", "brown", "beige", "teal", "purple")
SKIN: tuple[tuple[str, RGB], ...] = (
    ("beige", (238, 204, 174)), ("beige", (214, 168, 130)), ("brown", (150, 106, 76)), ("brown", (112, 78, 56)),
)  # fmt: skip
HAIR: tuple[RGB, ...] = ((38, 32, 30), (96, 62, 38), (206, 164, 84), (150, 150, 150), (150, 70, 36))
FUR = ("brown", "white", "black", "beige", "orange", "gray")


def person(canvas: Canvas, x: float, y: float, height: float) -> None:
    """Paint a standing person in trousers or a dress."""
    dice = canvas.dice
    w = height * 0.125
    canvas.shadow(x, y, w * 2.4)
    dressed = dice.chance(0.3)
    colour, texture = dice.pick(*CLOTHES), dice.pick("plain", "plain", "striped", "dotted", "checkered", "speckled")
    stride = dice.between(0.15, 0.6) * w
    legs = (
        polygon(
            (x - w, y - height * 0.46), (x, y - height * 0.46), (x - stride + w * 0.2, y), (x - stride - w * 0.6, y)
        ),
        polygon(
            (x, y - height * 0.46), (x + w, y - height * 0.46), (x + stride + w * 0.6, y), (x + stride - w * 0.2, y)
        ),
    )
    canvas.put("person", dice.pick(*TROUSERS), *legs, shade=0.2, side=0.2)
    waist = 0.24 if dressed else 0.42
    hem = w * (1.7 if dressed else 1.05)
    torso = polygon(
        (x - w, y - height * 0.8),
        (x + w, y - height * 0.8),
        (x + hem, y - height * waist),
        (x - hem, y - height * waist),
    )
    arms = [
        line(w * 0.6, (x + m * w * 0.95, y - height * 0.76), (x + m * w * 1.55, y - height * dice.between(0.46, 0.56)))
        for m in (-1, 1)
    ]
    canvas.put("person", colour, torso, *arms, texture=texture, period=1.7, side=0.3)
    _head(canvas, x, y - height * 0.88, w)


def _head(canvas: Canvas, x: float, y: float, w: float) -> None:
    dice = canvas.dice
    name, skin = dice.pick(*SKIN)
    head = canvas.put("person", name, disc(x, y, w * 0.82, w), rgb=skin, shade=0.1, side=0.2)
    hair = dice.pick(*HAIR)
    long = w * (0.9 if dice.chance(0.35) else 0.1)
    canvas.add(head, polygon((x - w * 0.86, y + long * 0.6), (x - w * 0.84, y - w * 0.55), (x - w * 0.4, y - w * 1.1),
               (x + w * 0.4, y - w * 1.1), (x + w * 0.84, y - w * 0.55), (x + w * 0.86, y + long * 0.6),
               (x + w * 0.5, y - w * 0.4), (x - w * 0.5, y - w * 0.4)), rgb=hair)  # fmt: skip


def sitting_person(canvas: Canvas, x: float, y: float, height: float) -> None:
    """Paint the upper part of a person who sits behind something at `y`."""
    dice = canvas.dice
    w = height * 0.2
    texture = dice.pick("plain", "plain", "striped", "dotted", "checkered")
    torso = polygon((x - w, y - height * 0.55), (x + w, y - height * 0.55), (x + w * 1.3, y), (x - w * 1.3, y))
    canvas.put("person", dice.pick(*CLOTHES), torso, texture=texture, period=1.8, side=0.3)
    _head(canvas, x, y - height * 0.72, w * 0.95)


def people(canvas: Canvas, number: int, top: float, bottom: float, height: float, growth: float = 0.0) -> None:
    """Paint a number of people standing between two lines; near ones are taller by `growth` per unit of y."""
    dice = canvas.dice
    for y in dice.rows(number, top, bottom):
        person(canvas, dice.between(0.06, 0.94), y, (height + growth * (y - top)) * dice.between(0.85, 1.12))


_COW = ((-1.0, -0.95), (0.55, -1.0), (0.75, -0.75), (0.68, -0.32), (-1.0, -0.35))
_DOG = ((-0.8, -0.72), (0.5, -0.75), (0.55, -0.36), (-0.8, -0.4))


def cow(canvas: Canvas, x: float, y: float, size: float) -> None:
    """Paint a cow; spotted ones are dotted."""
    dice = canvas.dice
    mirror = dice.pick(-1, 1)
    canvas.shadow(x, y, size * 1.1)
    colour, texture = dice.pick(("white", "dotted"), ("brown", "plain"), ("black", "plain"), ("beige", "dotted"),
                                ("white", "speckled"))  # fmt: skip
    legs = [box(x + mirror * k * size - size * 0.09, y - size * 0.5, x + mirror * k * size + size * 0.09, y)
            for k in (-0.85, -0.55, 0.3, 0.58)]  # fmt: skip
    head = (disc(x + mirror * size * 0.95, y - size * 0.98, size * 0.3, size * 0.24),
            moved(((0.72, -1.15), (0.78, -1.42), (0.86, -1.15)), x, y, size, mirror))  # fmt: skip
    second = "black" if texture == "dotted" else None
    body = canvas.put("cow", colour, moved(_COW, x, y, size, mirror), *head, *legs, texture=texture, second=second,
                      period=2.6, side=0.15, shade=0.3)  # fmt: skip
    canvas.add(body, disc(x + mirror * size * 1.12, y - size * 0.92, size * 0.13), rgb=(228, 170, 160))


def dog(canvas: Canvas, x: float, y: float, size: float) -> None:
    """Paint a dog of half-length `size`."""
    dice = canvas.dice
    mirror = dice.pick(-1, 1)
    canvas.shadow(x, y, size)
    colour, texture = dice.pick(*FUR), dice.pick("plain", "plain", "dotted", "speckled")
    legs = [box(x + mirror * k * size - size * 0.09, y - size * 0.5, x + mirror * k * size + size * 0.09, y)
            for k in (-0.68, -0.42, 0.2, 0.44)]  # fmt: skip
    tail = moved(((-0.75, -0.65), (-1.15, -1.05), (-1.0, -1.1), (-0.62, -0.72)), x, y, size, mirror)
    skull = disc(x + mirror * size * 0.68, y - size * 0.9, size * 0.27, size * 0.24)
    snout = moved(((0.7, -0.98), (1.12, -0.86), (1.08, -0.72), (0.68, -0.72)), x, y, size, mirror)
    body = canvas.put("dog", colour, moved(_DOG, x, y, size, mirror), skull, snout, tail, *legs, texture=texture,
                      period=2.0, contrast=0.7, side=0.2)  # fmt: skip
    ear = moved(((0.42, -1.12), (0.62, -1.1), (0.6, -0.72), (0.44, -0.74)), x, y, size, mirror)
    canvas.add(body, ear, disc(x + mirror * size * 1.08, y - size * 0.84, size * 0.07), rgb=(58, 44, 40))


def birds(canvas: Canvas, number: int, top: float, bottom: float) -> None:
    """Paint birds on the wing as one flock of one colour."""
    dice = canvas.dice
    size, shapes = dice.between(0.022, 0.042), []
    x, y = dice.between(0.15, 0.85), dice.between(top, bottom)
    for _ in range(number):
        a, b, lift = x + dice.between(-0.2, 0.2), y + dice.between(-0.07, 0.07), dice.between(0.4, 0.9)
        wings = (
            (-1.3, -lift),
            (-0.5, -lift * 0.75),
            (0, -0.05),
            (0.5, -lift * 0.75),
            (1.3, -lift),
            (0.45, 0.0),
            (0, 0.42),
            (-0.45, 0.0),
        )
        shapes.append(moved(wings, a, b, size))
    colour = dice.pick("black", "white", "dark gray", "brown", "gray", "red", "blue")
    canvas.put("bird", colour, *shapes, shade=0.1)


def standing_bird(canvas: Canvas, x: float, y: float, size: float) -> None:
    """Paint a bird on the ground."""
    dice = canvas.dice
    mirror = dice.pick(-1, 1)
    canvas.shadow(x, y, size * 0.8)
    feet = [line(size * 0.12, (x + k * size, y - size * 0.5), (x + k * size, y)) for k in (-0.12, 0.16)]
    tail = moved(((-0.3, -0.8), (-1.15, -0.55), (-0.95, -0.35), (-0.2, -0.4)), x, y, size, mirror)
    colour = dice.pick("white", "black", "brown", "blue", "red", "yellow", "gray")
    body = canvas.put("bird", colour, disc(x, y - size * 0.68, size * 0.62, size * 0.4), tail, *feet,
                      disc(x + mirror * size * 0.5, y - size * 1.1, size * 0.3),
                      texture=dice.pick("plain", "speckled"), contrast=0.5)  # fmt: skip
    beak = moved(((0.74, -1.2), (1.15, -1.05), (0.74, -0.98)), x, y, size, mirror)
    canvas.add(body, beak, rgb=(236, 160, 50))
