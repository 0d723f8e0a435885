"""Furniture and furnishings: beds, sofas, windows, pictures, lamps, plants, rugs; `y` is where a thing stands."""

from __future__ import annotations

from mami_core.scenery.canvas import Canvas
from mami_core.scenery.materials import CLOTH, CLOTH_TEXTURES, WOOD
from mami_core.scenery.parts import COLOURS
from mami_core.scenery.shapes import Shape, box, disc, polygon

SKIES = ("light blue", "light blue", "blue", "gray", "orange", "black")


def framed_window(canvas: Canvas, x: float, y: float, width: float, height: float, *, curtained: float = 0.6) -> None:
    """Paint a window of a room about (x, y), the sky behind it, often curtained."""
    dice = canvas.dice
    left, right, top, bottom = x - width / 2, x + width / 2, y - height / 2, y + height / 2
    canvas.put(
        "window",
        dice.pick("white", "white", "brown", "gray", "black"),
        box(left - 0.018, top - 0.018, right + 0.018, bottom + 0.018),
    )
    glass = dice.pick(*SKIES)
    pane = canvas.put("window", glass, box(left, top, right, bottom), shade=-0.35)
    if glass == "black":
        canvas.add(
            pane,
            *[disc(dice.between(left, right), dice.between(top, bottom), 0.005) for _ in range(6)],
            rgb=(250, 246, 220),
        )
    elif dice.chance(0.5):
        canvas.add(
            pane,
            disc(x - width * 0.2, y + height * 0.5, width * 0.28, height * 0.25),
            disc(x + width * 0.2, y + height * 0.5, width * 0.3, height * 0.18),
            rgb=(96, 150, 90),
        )
    canvas.put("window", "white", box(x - 0.007, top, x + 0.007, bottom), box(left, y - 0.007, right, y + 0.007))
    if dice.chance(curtained):
        _curtains(canvas, left, top, right, bottom)


def _curtains(canvas: Canvas, left: float, top: float, right: float, bottom: float) -> None:
    dice = canvas.dice
    reach, long = (right - left) * dice.between(0.25, 0.4), dice.between(0.05, 0.16)
    tied = reach * dice.between(0.2, 1.0)
    drapes = [
        polygon(
            (edge - m * 0.05, top - 0.04),
            (edge + m * reach, top - 0.04),
            (edge + m * tied, bottom + long),
            (edge - m * 0.05, bottom + long),
        )
        for edge, m in ((left, 1), (right, -1))
    ]
    canvas.put(
        "curtain",
        dice.pick(*CLOTH),
        *drapes,
        texture=dice.pick(*CLOTH_TEXTURES),
        way=0,
        period=dice.between(1.8, 3),
        side=0.2,
    )


def picture(canvas: Canvas, x: float, y: float, width: float, height: float) -> None:
    """Paint a framed picture about (x, y): abstract, a landscape, or a face of colour."""
    dice = canvas.dice
    canvas.put(
        "picture",
        dice.pick("brown", "black", "yellow", "white", "red", "dark gray"),
        box(x - width / 2, y - height / 2, x + width / 2, y + height / 2),
    )
    inset = 0.14 * min(width, height)
    left, right, top, bottom = (
        x - width / 2 + inset,
        x + width / 2 - inset,
        y - height / 2 + inset,
        y + height / 2 - inset,
    )
    canvas.put(
        "picture",
        dice.pick(*COLOURS),
        box(left, top, right, bottom),
        texture=dice.pick(*CLOTH_TEXTURES, "speckled"),
        period=dice.between(2, 3.4),
    )
    r = min(width, height) * dice.between(0.15, 0.25)
    circle, triangle = disc(x, y, r), polygon((x - r, y + r), (x, y - r), (x + r, y + r))
    diamond = polygon((x, y - r), (x + r, y), (x, y + r), (x - r, y))
    landscape = (box(left, y + r * 0.4, right, bottom), disc(x + r, y - r * 0.4, r * 0.6))
    nothing: tuple[Shape, ...] = ()
    motif = dice.pick((circle,), (triangle,), (diamond,), landscape, nothing)
    if motif:
        canvas.put("picture", dice.pick(*COLOURS), *motif)


def pictures(canvas: Canvas, number: int) -> None:
    """Hang a number of pictures on a wall, anywhere."""
    dice = canvas.dice
    for _ in range(number):
        picture(
            canvas, dice.between(0.12, 0.88), dice.between(0.2, 0.34), dice.between(0.1, 0.18), dice.between(0.1, 0.17)
        )


def hanging_lamp(canvas: Canvas, x: float, y: float, size: float) -> None:
    """Paint a lamp that hangs from the ceiling down to y."""
    dice = canvas.dice
    canvas.put("lamp", "black", box(x - 0.005, -0.2, x + 0.005, y))
    shade = dice.pick(
        polygon(
            (x - size * 0.15, y),
            (x + size * 0.15, y),
            (x + size * 0.4, y + size * 0.32),
            (x - size * 0.4, y + size * 0.32),
        ),
        disc(x, y + size * 0.2, size * 0.24),
        box(x - size * 0.3, y, x + size * 0.3, y + size * 0.24),
    )
    canvas.put(
        "lamp",
        dice.pick("yellow", "white", "orange", "red", "teal", "green", "blue"),
        shade,
        shade=-0.3,
        texture=dice.pick("plain", "plain", "striped", "dotted"),
        period=2,
        contrast=0.4,
    )
    canvas.halo(x, y + size * 0.35, 0.2, (42, 38, 22))


def lamp(canvas: Canvas, x: float, y: float, height: float) -> None:
    """Paint a table or floor lamp that stands at y."""
    dice = canvas.dice
    w = max(0.035, height * 0.22)
    canvas.put(
        "lamp",
        dice.pick("black", "brown", "white", "gray"),
        box(x - 0.008, y - height, x + 0.008, y),
        disc(x, y - 0.006, w * 0.7, 0.014),
    )
    shade = polygon(
        (x - w * 0.55, y - height),
        (x + w * 0.55, y - height),
        (x + w, y - height + w * 1.3),
        (x - w, y - height + w * 1.3),
    )
    canvas.put(
        "lamp",
        dice.pick("yellow", "white", "orange", "red", "teal", "pink"),
        shade,
        shade=-0.2,
        texture=dice.pick("plain", "plain", "striped", "dotted"),
        period=2,
        contrast=0.4,
    )
    canvas.halo(x, y - height + w, 0.2, (45, 40, 22))


def plant(canvas: Canvas, x: float, y: float, height: float) -> None:
    """Paint a potted plant."""
    dice = canvas.dice
    canvas.shadow(x, y, height * 0.2)
    pot = polygon(
        (x - height * 0.15, y - height * 0.3),
        (x + height * 0.15, y - height * 0.3),
        (x + height * 0.1, y),
        (x - height * 0.1, y),
    )
    canvas.put(
        "plant",
        dice.pick("brown", "orange", "white", "blue", "red", "yellow", "black"),
        pot,
        texture=dice.pick("plain", "striped", "dotted"),
        period=1.8,
        way=1,
    )
    if dice.chance(0.6):
        reach = ((-0.46, 0.55), (-0.36, 0.78), (-0.2, 0.92), (0.0, 1.0), (0.2, 0.9), (0.36, 0.76), (0.46, 0.52))
        leaves = [
            polygon(
                (x, y - height * 0.26),
                (x + height * dx * 0.55 - height * 0.06, y - height * dy * 0.75),
                (x + height * dx, y - height * dy),
                (x + height * dx * 0.5 + height * 0.06, y - height * dy * 0.62),
            )
            for dx, dy in reach
        ]
    else:
        leaves = [
            disc(x + dx * height, y - dy * height, height * 0.17)
            for dx, dy in ((-0.14, 0.5), (0.14, 0.5), (0.0, 0.68), (-0.07, 0.8))
        ]
    canvas.put(
        "plant",
        dice.pick("green", "dark green", "green", "teal"),
        *leaves,
        shade=0.4,
        texture=dice.pick("plain", "plain", "speckled"),
        contrast=0.4,
    )


def rug(canvas: Canvas, x: float, y: float, width: float, depth: float) -> None:
    """Paint a rug on the floor about (x, y), half as wide as `width` says."""
    dice = canvas.dice
    shape = dice.pick(
        disc(x, y, width, depth),
        polygon(
            (x - width * 0.82, y - depth), (x + width * 0.82, y - depth), (x + width, y + depth), (x - width, y + depth)
        ),
    )
    canvas.put(
        "rug", dice.pick(*CLOTH), shape, texture=dice.pick(*CLOTH_TEXTURES), period=dice.between(2.2, 3.8), shade=-0.15
    )


def bed(canvas: Canvas, x: float, y: float, width: float, height: float) -> None:
    """Paint a bed seen from its foot, y being the floor under it."""
    dice = canvas.dice
    wood, blanket = dice.pick(*WOOD, "red", "teal"), dice.pick(*CLOTH)
    left, right, top = x - width / 2, x + width / 2, y - height
    canvas.shadow(x, y, width * 0.62)
    head = [box(left - 0.015, top - height * 0.55, right + 0.015, y - height * 0.2)]
    if dice.chance(0.4):
        head.append(disc(x, top - height * 0.55, width * 0.5, height * 0.25))
    canvas.put("bed", wood, *head, texture=dice.pick("wooden", "plain", "striped"), way=0, period=3, contrast=0.4)
    canvas.put(
        "bed",
        "white",
        polygon((left, top), (right, top), (right + 0.03, y - height * 0.3), (left - 0.03, y - height * 0.3)),
    )
    number, colour = dice.count(1, 2), dice.pick("white", *CLOTH)
    for k in range(number):
        middle = x + (0 if number == 1 else (k - 0.5) * width * 0.46)
        canvas.put(
            "pillow",
            colour,
            disc(middle, top + height * 0.02, width * 0.19, height * 0.15),
            texture=dice.pick("plain", "plain", "striped", "dotted"),
            period=2,
            shade=0.3,
        )
    cover = polygon(
        (left - 0.005, top + height * 0.22),
        (right + 0.005, top + height * 0.22),
        (right + 0.05, y - height * 0.08),
        (left - 0.05, y - height * 0.08),
    )
    canvas.put("bed", blanket, cover, texture=dice.pick(*CLOTH_TEXTURES), period=dice.between(2.4, 4), shade=0.3)
    canvas.put(
        "bed",
        wood,
        box(left - 0.05, y - height * 0.2, right + 0.05, y - height * 0.04),
        box(left - 0.05, y - height * 0.1, left - 0.02, y),
        box(right + 0.02, y - height * 0.1, right + 0.05, y),
    )


def sofa(canvas: Canvas, x: float, y: float, width: float) -> None:
    """Paint a sofa or an armchair with cushions."""
    dice = canvas.dice
    h, colour, texture = (
        min(0.3, max(0.2, width * 0.46)),
        dice.pick(*CLOTH, "brown", "dark gray"),
        dice.pick("plain", "plain", "striped", "dotted", "checkered", "speckled"),
    )
    left, right = x - width / 2, x + width / 2
    canvas.shadow(x, y, width * 0.56)
    period = dice.between(2.2, 3.4)
    canvas.put(
        "sofa",
        colour,
        box(left + 0.02, y - h, right - 0.02, y - h * 0.3),
        disc(left + 0.06, y - h, 0.04, 0.025),
        disc(right - 0.06, y - h, 0.04, 0.025),
        texture=texture,
        period=period,
        contrast=0.5,
    )
    for _ in range(dice.count(0, 2)):
        where = dice.between(left + 0.1, right - 0.1)
        cushion = polygon(
            (where - 0.055, y - h * 0.78),
            (where + 0.05, y - h * 0.82),
            (where + 0.06, y - h * 0.42),
            (where - 0.05, y - h * 0.4),
        )
        canvas.put("pillow", dice.pick(*CLOTH), cushion, texture=dice.pick(*CLOTH_TEXTURES), period=1.8)
    arms = [disc(e, y - h * 0.58, 0.036, 0.03) for e in (left, right)]
    canvas.put(
        "sofa",
        colour,
        box(left - 0.035, y - h * 0.58, left + 0.036, y - h * 0.08),
        box(right - 0.036, y - h * 0.58, right + 0.035, y - h * 0.08),
        *arms,
        box(left, y - h * 0.42, right, y - h * 0.12),
        box(left, y - h * 0.12, left + 0.025, y),
        box(right - 0.025, y - h * 0.12, right, y),
        texture=texture,
        period=period,
        contrast=0.5,
        shade=0.35,
    )
