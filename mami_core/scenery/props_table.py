"""Tables, chairs, shelves, the kitchen's fittings, and what lies and stands on them; `y` is what a thing stands on."""

from __future__ import annotations

from collections.abc import Callable

from mami_core.scenery.canvas import Canvas
from mami_core.scenery.materials import CLOTH, CLOTH_TEXTURES, WOOD
from mami_core.scenery.shapes import Shape, box, disc, line, moved, polygon

BOOKS = (
    "red", "blue", "green", "yellow", "white", "orange", "purple", "brown", "teal", "black", "pink", "light blue",
)  # fmt: skip
FRUIT = ("red", "orange", "yellow", "green", "purple", "pink")


def one_of(canvas: Canvas, x: float, y: float, *props: Callable[[Canvas, float, float], None] | None) -> None:
    """Paint one of the props at (x, y), or nothing where None is drawn."""
    prop = canvas.dice.pick(*props)
    if prop is not None:
        prop(canvas, x, y)


def table(canvas: Canvas, x: float, y: float, width: float, height: float, *, cloth: float = 0.3) -> None:
    """Paint a table; `cloth` is the chance that a cloth covers it."""
    dice = canvas.dice
    colour = dice.pick(*WOOD)
    canvas.shadow(x, y, width * 0.55)
    legs = [box(x + m * width * 0.43 - 0.012, y - height, x + m * width * 0.43 + 0.012, y) for m in (-1, 1)]
    if dice.chance(0.25):
        legs = [box(x - 0.018, y - height, x + 0.018, y), box(x - width * 0.2, y - 0.016, x + width * 0.2, y)]
    canvas.put("table", colour, *legs)
    top = polygon(
        (x - width * 0.42, y - height - 0.04),
        (x + width * 0.42, y - height - 0.04),
        (x + width * 0.52, y - height + 0.024),
        (x - width * 0.52, y - height + 0.024),
    )
    if dice.chance(cloth):
        drop = height * dice.between(0.3, 0.6)
        skirt = polygon(
            (x - width * 0.52, y - height + 0.02),
            (x + width * 0.52, y - height + 0.02),
            (x + width * 0.5, y - height + drop),
            (x - width * 0.5, y - height + drop),
        )
        canvas.put(
            "table",
            dice.pick(*CLOTH),
            top,
            skirt,
            texture=dice.pick(*CLOTH_TEXTURES),
            period=dice.between(1.8, 2.8),
            shade=0.3,
        )
    else:
        edge = box(x - width * 0.52, y - height + 0.02, x + width * 0.52, y - height + 0.042)
        canvas.put(
            "table",
            colour,
            top,
            edge,
            texture=dice.pick("wooden", "wooden", "plain", "speckled"),
            way=1,
            period=2.6,
            contrast=0.5,
            shade=0.3,
        )


def chair(canvas: Canvas, x: float, y: float, height: float) -> None:
    """Paint a chair seen from the side, or from behind."""
    dice = canvas.dice
    w, m = height * 0.42, dice.pick(-1, 1)
    canvas.shadow(x, y, w * 0.7)
    legs = [
        box(x - w / 2, y - height * 0.5, x - w / 2 + 0.015, y),
        box(x + w / 2 - 0.015, y - height * 0.5, x + w / 2, y),
    ]
    seat = box(x - w / 2, y - height * 0.52, x + w / 2, y - height * 0.41)
    side_back = line(0.02, (x - m * w * 0.46, y - height * 0.45), (x - m * w * 0.56, y - height))
    back = dice.pick(
        (side_back,),
        (box(x - w / 2, y - height, x + w / 2, y - height * 0.6),),
        (disc(x, y - height * 0.78, w / 2, height * 0.22),),
    )
    canvas.put(
        "chair",
        dice.pick("brown", "red", "blue", "black", "green", "white", "orange", "teal", "yellow"),
        *legs,
        seat,
        *back,
        texture=dice.pick("plain", "plain", "wooden", "striped"),
        way=0,
        period=1.8,
        contrast=0.4,
    )


def bookshelf(canvas: Canvas, left: float, top: float, right: float, bottom: float, rows: int) -> None:
    """Paint a shelf full of books, in a handful of colours."""
    dice = canvas.dice
    canvas.put(
        "bookshelf",
        dice.pick(*WOOD),
        box(left, top, right, bottom),
        texture=dice.pick("plain", "wooden", "speckled"),
        period=2.4,
        contrast=0.4,
    )
    high = (bottom - top) / rows
    bays = [
        box(left + 0.013, top + row * high + 0.012, right - 0.013, top + (row + 1) * high - 0.012)
        for row in range(rows)
    ]
    canvas.put(
        "bookshelf",
        dice.pick("brown", "dark gray", "black", "beige"),
        *bays,
        shade=-0.1,
        rgb=(62, 48, 42) if dice.chance(0.7) else None,
    )
    colours = [dice.pick(*BOOKS) for _ in range(dice.count(3, 6))]
    stacks: dict[str, list[Shape]] = {}
    for row in range(rows):
        x, foot = left + 0.016, top + (row + 1) * high - 0.012
        end = right - 0.035 - (dice.between(0, 0.3) * (right - left) if dice.chance(0.35) else 0)
        while x < end:
            thick = dice.between(0.013, 0.03)
            stacks.setdefault(dice.pick(*colours), []).append(
                box(x, foot - high * dice.between(0.5, 0.84), x + thick - 0.005, foot)
            )
            x += thick
    for colour, books in stacks.items():
        canvas.put(
            "book",
            colour,
            *books,
            texture=dice.pick("plain", "plain", "striped"),
            way=1,
            period=1.6,
            contrast=0.3,
            shade=0.1,
        )


def plates(canvas: Canvas, x: float, y: float, number: int, spread: float) -> None:
    """Paint plates that lie on a table top at y."""
    dice = canvas.dice
    start = x - spread * (number - 1) / 2
    index = canvas.put(
        "plate",
        dice.pick("white", "white", "light blue", "yellow", "red", "pink", "teal"),
        *[disc(start + k * spread, y, 0.042, 0.016) for k in range(number)],
        shade=0.1,
    )
    canvas.add(index, *[disc(start + k * spread, y, 0.024, 0.008) for k in range(number)], rgb=(206, 206, 204))


def fruit(canvas: Canvas, x: float, y: float, number: int, radius: float = 0.02) -> None:
    """Paint fruit of one colour, side by side on y, with one on top."""
    dice = canvas.dice
    pieces = [disc(x + (k - (number - 1) / 2) * radius * 1.8, y - radius, radius) for k in range(number)]
    pieces += [disc(x + (k - (number - 2) / 2) * radius * 1.8, y - radius * 2.5, radius) for k in range(number - 1)]
    canvas.put(
        "fruit",
        dice.pick(*FRUIT),
        *pieces,
        shade=0.5,
        side=0.3,
        texture=dice.pick("plain", "plain", "speckled"),
        contrast=0.3,
    )


def bottles(canvas: Canvas, x: float, y: float, number: int, height: float) -> None:
    """Paint bottles of one colour that stand on y."""
    dice = canvas.dice
    w, shapes = height * 0.15, []
    for k in range(number):
        c = x + (k - (number - 1) / 2) * w * 2.9
        shapes += [
            box(c - w, y - height * 0.6, c + w, y),
            polygon(
                (c - w, y - height * 0.6),
                (c - w * 0.4, y - height * 0.78),
                (c + w * 0.4, y - height * 0.78),
                (c + w, y - height * 0.6),
            ),
            box(c - w * 0.4, y - height, c + w * 0.4, y - height * 0.76),
        ]
    index = canvas.put(
        "bottle", dice.pick("green", "dark green", "brown", "blue", "white", "red", "teal", "purple"), *shapes, side=0.5
    )
    canvas.add(
        index,
        *[
            box(
                x + (k - (number - 1) / 2) * w * 2.9 - w,
                y - height * 0.45,
                x + (k - (number - 1) / 2) * w * 2.9 + w,
                y - height * 0.2,
            )
            for k in range(number)
        ],
        rgb=(238, 226, 196),
    )


def books(canvas: Canvas, x: float, y: float, number: int) -> None:
    """Paint a pile of books that lies on y."""
    dice = canvas.dice
    for k in range(number):
        shift, high = dice.between(-0.008, 0.008), 0.02
        pages = canvas.put(
            "book",
            dice.pick(*BOOKS),
            box(x - 0.05 + shift, y - high * (k + 1), x + 0.05 + shift, y - high * k),
            shade=0.3,
        )
        canvas.add(
            pages,
            box(x + 0.04 + shift, y - high * (k + 0.8), x + 0.05 + shift, y - high * (k + 0.2)),
            rgb=(244, 240, 228),
        )


def stove(canvas: Canvas, x: float, y: float, width: float, height: float) -> None:
    """Paint a stove with its oven, its knobs and often a pot."""
    dice = canvas.dice
    colour, top = dice.pick("white", "black", "gray", "red", "beige", "teal"), y - height
    body = canvas.put("stove", colour, box(x - width / 2, top, x + width / 2, y), shade=0.2, side=0.2)
    canvas.put(
        "stove",
        "black" if colour != "black" else "gray",
        box(x - width * 0.38, top + height * 0.36, x + width * 0.38, y - height * 0.16),
    )
    canvas.add(
        body, box(x - width * 0.38, top + height * 0.27, x + width * 0.38, top + height * 0.31), rgb=(196, 198, 204)
    )
    canvas.put(
        "stove",
        dice.pick("red", "white", "black", "gray"),
        *[disc(x + (k - 1.5) * width * 0.22, top + height * 0.14, width * 0.06) for k in range(4)],
    )
    if dice.chance(0.7):
        pot, side = x + dice.pick(-0.2, 0.2) * width, width * 0.23
        canvas.put(
            "stove",
            dice.pick("gray", "red", "blue", "black", "orange"),
            box(pot - side, top - side * 1.1, pot + side, top - 0.002),
            disc(pot, top - side * 1.2, side * 1.05, side * 0.25),
            box(pot - side * 1.5, top - side * 0.9, pot + side * 1.5, top - side * 0.65),
            disc(pot, top - side * 1.5, side * 0.2),
            side=0.4,
        )


def sink(canvas: Canvas, x: float, y: float, width: float) -> None:
    """Paint a sink let into a worktop at y, with its tap."""
    dice = canvas.dice
    m, colour = dice.pick(-1, 1), dice.pick("gray", "white", "yellow", "light blue")
    canvas.put(
        "sink",
        colour,
        polygon((x - width / 2, y), (x + width / 2, y), (x + width * 0.44, y + 0.055), (x - width * 0.44, y + 0.055)),
        shade=0.5,
    )
    canvas.put("sink", "gray", line(0.018, (x, y), (x, y - 0.12), (x + m * 0.05, y - 0.12), (x + m * 0.05, y - 0.08)))


def cactus_pot(canvas: Canvas, x: float, y: float, height: float) -> None:
    """Paint a small cactus in its pot, for a window sill or a desk."""
    dice = canvas.dice
    canvas.put(
        "cactus",
        dice.pick("green", "dark green", "teal"),
        disc(x, y - height * 0.6, height * 0.2, height * 0.4),
        texture="striped",
        way=0,
        period=1.2,
        contrast=0.4,
    )
    canvas.put(
        "plant",
        dice.pick("orange", "brown", "white"),
        moved(((-0.22, -0.34), (0.22, -0.34), (0.16, 0), (-0.16, 0)), x, y, height),
    )
