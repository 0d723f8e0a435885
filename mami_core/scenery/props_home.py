"""What stands indoors: tables, chairs, beds, shelves, pictures, lamps, plants, food. `y` is where it stands."""

from __future__ import annotations

from mami_core.scenery.canvas import Canvas
from mami_core.scenery.parts import COLOURS
from mami_core.scenery.shapes import Shape, box, disc, line, moved, polygon

WOOD = ("brown", "brown", "white", "black", "beige", "gray", "dark gray")
CLOTH = (
    "red",
    "blue",
    "purple",
    "green",
    "yellow",
    "pink",
    "white",
    "orange",
    "teal",
    "beige",
    "light blue",
    "brown",
    "gray",
)
CLOTH_TEXTURES = ("plain", "striped", "dotted", "checkered", "wavy", "grid")
BOOKS = ("red", "blue", "green", "yellow", "white", "orange", "purple", "brown", "teal", "black", "pink", "light blue")
FRUIT = ("red", "orange", "yellow", "green", "purple", "pink")
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
    drapes = [polygon((edge - m * 0.05, top - 0.04), (edge + m * reach, top - 0.04), (edge + m * tied, bottom + long), (edge - m * 0.05, bottom + long))
              for edge, m in ((left, 1), (right, -1))]  # fmt: skip
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
    motif: tuple[Shape, ...] = dice.pick(
        (disc(x, y, r),), (polygon((x - r, y + r), (x, y - r), (x + r, y + r)),), (box(left, y + r * 0.4, right, bottom), disc(x + r, y - r * 0.4, r * 0.6)),
        (polygon((x, y - r), (x + r, y), (x, y + r), (x - r, y)),), (),
    )  # fmt: skip
    if motif:
        canvas.put("picture", dice.pick(*COLOURS), *motif)


def hanging_lamp(canvas: Canvas, x: float, y: float, size: float) -> None:
    """Paint a lamp that hangs from the ceiling down to y."""
    dice = canvas.dice
    canvas.put("lamp", "black", box(x - 0.005, -0.2, x + 0.005, y))
    shade = dice.pick(polygon((x - size * 0.15, y), (x + size * 0.15, y), (x + size * 0.4, y + size * 0.32), (x - size * 0.4, y + size * 0.32)),
                      disc(x, y + size * 0.2, size * 0.24), box(x - size * 0.3, y, x + size * 0.3, y + size * 0.24))  # fmt: skip
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
    canvas.put("chair", dice.pick("brown", "red", "blue", "black", "green", "white", "orange", "teal", "yellow"), *legs, seat, *back,
               texture=dice.pick("plain", "plain", "wooden", "striped"), way=0, period=1.8, contrast=0.4)  # fmt: skip


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
        leaves = [polygon((x, y - height * 0.26), (x + height * dx * 0.55 - height * 0.06, y - height * dy * 0.75), (x + height * dx, y - height * dy), (x + height * dx * 0.5 + height * 0.06, y - height * dy * 0.62))
                  for dx, dy in reach]  # fmt: skip
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
    canvas.put("sofa", colour, box(left - 0.035, y - h * 0.58, left + 0.036, y - h * 0.08), box(right - 0.036, y - h * 0.58, right + 0.035, y - h * 0.08), *arms,
               box(left, y - h * 0.42, right, y - h * 0.12), box(left, y - h * 0.12, left + 0.025, y), box(right - 0.025, y - h * 0.12, right, y),
               texture=texture, period=period, contrast=0.5, shade=0.35)  # fmt: skip


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
        shapes += [box(c - w, y - height * 0.6, c + w, y), polygon((c - w, y - height * 0.6), (c - w * 0.4, y - height * 0.78), (c + w * 0.4, y - height * 0.78), (c + w, y - height * 0.6)),
                   box(c - w * 0.4, y - height, c + w * 0.4, y - height * 0.76)]  # fmt: skip
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
        canvas.put("stove", dice.pick("gray", "red", "blue", "black", "orange"), box(pot - side, top - side * 1.1, pot + side, top - 0.002), disc(pot, top - side * 1.2, side * 1.05, side * 0.25),
                   box(pot - side * 1.5, top - side * 0.9, pot + side * 1.5, top - side * 0.65), disc(pot, top - side * 1.5, side * 0.2), side=0.4)  # fmt: skip


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
