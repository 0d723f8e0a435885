"""Buildings and what belongs to them: houses, towers, skyscrapers, roofs, windows, doors. `y` is the ground line."""

from __future__ import annotations

from mami_core.scenery.canvas import Canvas
from mami_core.scenery.shapes import box, disc, line, polygon

WALLS = ("white", "beige", "red", "yellow", "pink", "light blue", "gray", "orange", "brown", "green", "teal", "purple")
ROOFS = ("red", "brown", "dark gray", "blue", "orange", "teal", "black", "green", "purple", "gray")
DOORS = ("brown", "red", "green", "blue", "white", "yellow", "black", "teal", "purple")
GLASS = ("light blue", "light blue", "blue", "white", "dark gray", "black", "teal")
LIT = ("yellow", "yellow", "orange", "white")
MASONRY = ("gray", "beige", "brown", "white", "dark gray", "pink")


def windows(
    canvas: Canvas, left: float, top: float, right: float, bottom: float, columns: int, rows: int, *, glass: str = ""
) -> None:
    """Paint rows of panes; at night part of them is lit and the rest dark."""
    dice = canvas.dice
    wide, high = (right - left) / columns, (bottom - top) / rows
    across, down = dice.between(0.24, 0.34) * wide, dice.between(0.26, 0.36) * high
    panes = [(left + (i + 0.5) * wide, top + (j + 0.5) * high) for i in range(columns) for j in range(rows)]
    night = canvas.light == "night"
    lit = [dice.chance(0.62) for _ in panes] if night else [False] * len(panes)
    dark = [box(x - across, y - down, x + across, y + down) for (x, y), on in zip(panes, lit, strict=True) if not on]
    bright = [box(x - across, y - down, x + across, y + down) for (x, y), on in zip(panes, lit, strict=True) if on]
    texture = dice.pick("plain", "plain", "plain", "grid", "striped")
    if dark:
        colour = "black" if night else glass or dice.pick(*GLASS)
        canvas.put("window", colour, *dark, shade=0.25, texture="plain" if night else texture, period=1.5, contrast=0.3)
    if bright:
        canvas.put("window", dice.pick(*LIT), *bright, shade=0.15, glow=True)


def roof(canvas: Canvas, left: float, right: float, y: float, height: float) -> None:
    """Paint a gable, hipped, flat-topped or one-sided roof over the wall from left to right."""
    dice = canvas.dice
    over, width = (right - left) * 0.08, right - left
    ridge = dice.pick((0.5, 0.5), (0.5, 0.5), (0.22, 0.78), (0.35, 0.65), (0.05, 0.3), (0.1, 0.9))
    corners = (
        (left - over, y),
        (left + width * ridge[0], y - height),
        (left + width * ridge[1], y - height),
        (right + over, y),
    )
    texture = dice.pick("plain", "tiled", "striped", "brick", "wavy", "checkered", "speckled")
    canvas.put("roof", dice.pick(*ROOFS), polygon(*corners), texture=texture, period=dice.between(1.8, 2.8), shade=0.3,
               contrast=0.6, side=0.3)  # fmt: skip


def door(canvas: Canvas, x: float, y: float, width: float, height: float) -> None:
    """Paint a door with a knob, straight or arched."""
    dice = canvas.dice
    shapes = [box(x - width / 2, y - height, x + width / 2, y)]
    if dice.chance(0.3):
        shapes.append(disc(x, y - height, width / 2))
    texture = dice.pick("plain", "wooden", "wooden", "striped", "grid")
    index = canvas.put("door", dice.pick(*DOORS), *shapes, texture=texture, period=1.7, way=0, contrast=0.5)
    canvas.add(index, disc(x + width * 0.28, y - height * 0.48, max(0.005, width * 0.09)), rgb=(232, 200, 90))


def house(canvas: Canvas, x: float, y: float, width: float, height: float, *, roofed: bool = True) -> None:
    """Paint a house about x with its roof, panes and door; `height` is that of the wall."""
    dice = canvas.dice
    left, right, top = x - width / 2, x + width / 2, y - height
    canvas.shadow(x, y, width * 0.62, 0.25)
    texture = dice.pick("plain", "plain", "brick", "wooden", "striped", "speckled", "tiled")
    canvas.put("house", dice.pick(*WALLS), box(left, top, right, y), texture=texture, period=dice.between(1.8, 3.0),
               side=0.3, contrast=0.6)  # fmt: skip
    if roofed and dice.chance(0.3):
        chimney = left + width * dice.between(0.15, 0.8)
        canvas.put(
            "house",
            dice.pick("brown", "red", "gray"),
            box(chimney, top - height * 0.5, chimney + width * 0.12, top),
            texture="brick",
            period=1.4,
        )
    if roofed:
        roof(canvas, left, right, top, min(0.26, height * dice.between(0.35, 0.65)))
    else:
        canvas.put("roof", dice.pick(*ROOFS), box(left - width * 0.03, top - 0.018, right + width * 0.03, top))
    tall = min(height * 0.42, 0.14)
    where = x + dice.pick(-0.26, 0.0, 0.26) * width
    rows = max(1, int((height - tall) / 0.085))
    windows(
        canvas,
        left + width * 0.04,
        top + height * 0.04,
        right - width * 0.04,
        y - tall,
        max(1, int(width / 0.075)),
        rows,
    )
    door(canvas, where, y, min(0.075, width * 0.3), tall * 0.86)


def row_of_houses(canvas: Canvas, ground: float, low: float, high: float, roofed: float) -> None:
    """Paint houses side by side, with walls `low` to `high`; `roofed` is the chance of a pitched roof."""
    dice = canvas.dice
    x = dice.between(-0.15, 0.0)
    while x < 1:
        width = dice.between(0.16, 0.3)
        house(
            canvas,
            x + width / 2,
            ground,
            width * dice.between(0.92, 1.0),
            dice.between(low, high),
            roofed=dice.chance(roofed),
        )
        x += width + (dice.between(0.02, 0.12) if dice.chance(0.15) else 0)


def skyscraper(canvas: Canvas, x: float, y: float, width: float, height: float) -> None:
    """Paint a tower block with a flat, stepped or pointed top."""
    dice = canvas.dice
    top = y - height
    colour = dice.pick("gray", "dark gray", "light blue", "blue", "beige", "brown", "white", "teal", "red", "pink")
    shapes = [box(x - width / 2, top, x + width / 2, y)]
    crown = dice.count(0, 4)
    if crown == 0:
        shapes.append(polygon((x - width * 0.3, top), (x, top - dice.between(0.05, 0.13)), (x + width * 0.3, top)))
    elif crown == 1:
        shapes += [box(x - width * 0.3, top - 0.04, x + width * 0.3, top), line(0.008, (x, top - 0.12), (x, top))]
    elif crown == 2:
        shapes.append(polygon((x - width / 2, top), (x + width / 2, top - width * 0.5), (x + width / 2, top)))
    texture = dice.pick("plain", "plain", "striped", "tiled", "brick")
    canvas.put("skyscraper", colour, *shapes, side=0.45, texture=texture, period=2.2, contrast=0.3, shade=0.1)
    pane = dice.between(0.026, 0.042)
    windows(
        canvas,
        x - width * 0.45,
        top + 0.012,
        x + width * 0.45,
        y - 0.01,
        max(2, int(width / pane)),
        max(3, int(height / pane)),
    )


def tower(
    canvas: Canvas, x: float, y: float, width: float, height: float, colour: str, texture: str, part: str = "tower"
) -> None:
    """Paint a plain round tower, lit from the left, with two windows one above the other."""
    canvas.put(
        part,
        colour,
        box(x - width / 2, y - height, x + width / 2, y),
        texture=texture,
        period=2.2,
        side=0.6,
        contrast=0.5,
    )
    windows(canvas, x - width * 0.3, y - height * 0.9, x + width * 0.3, y - height * 0.4, 1, 2)


def spire(canvas: Canvas, x: float, y: float, width: float, height: float) -> None:
    """Paint the pointed roof of a tower."""
    dice = canvas.dice
    texture = dice.pick("plain", "tiled", "striped", "brick", "checkered")
    canvas.put(
        "roof",
        dice.pick(*ROOFS),
        polygon((x - width * 0.6, y), (x, y - height), (x + width * 0.6, y)),
        texture=texture,
        period=1.8,
        side=0.5,
        contrast=0.5,
    )


def flag(canvas: Canvas, x: float, y: float, height: float) -> None:
    """Paint a flag on its pole."""
    dice = canvas.dice
    canvas.put("flag", "gray", box(x - 0.005, y - height, x + 0.005, y))
    m, top = dice.pick(-1, 1), y - height
    cloth = polygon(
        (x, top),
        (x + m * height * 0.35, top + height * 0.06),
        (x + m * height * 0.7, top + height * 0.02),
        (x + m * height * 0.66, top + height * 0.36),
        (x + m * height * 0.33, top + height * 0.42),
        (x, top + height * 0.38),
    )
    colour = dice.pick("red", "blue", "yellow", "green", "white", "orange", "purple")
    canvas.put("flag", colour, cloth, texture=dice.pick("plain", "striped", "checkered", "dotted"), period=1.8,
               second=dice.pick("white", "red", "blue", "black", "yellow"))  # fmt: skip


def clock(canvas: Canvas, x: float, y: float, radius: float) -> None:
    """Paint a clock face, round or square, with two hands."""
    dice = canvas.dice
    rim = dice.pick("black", "brown", "red", "gray", "blue", "yellow")
    square = dice.chance(0.25)
    shape = box(x - radius, y - radius, x + radius, y + radius) if square else disc(x, y, radius)
    index = canvas.put("clock", rim, shape)
    canvas.add(
        index,
        disc(x, y, radius * 0.8),
        rgb=dice.pick((244, 242, 232), (250, 236, 190), (210, 228, 240)),
        glow=canvas.light == "night",
    )
    long, short = (
        dice.pick((0, -1), (1, 0), (0, 1), (-1, 0)),
        dice.pick((0.5, 0.5), (-0.5, 0.5), (0.5, -0.5), (-0.5, -0.5)),
    )
    hands = [
        line(max(0.006, radius * 0.14), (x, y), (x + dx * radius * 0.6, y + dy * radius * 0.6))
        for dx, dy in (long, short)
    ]
    canvas.add(index, *hands, rgb=(30, 30, 36))


def lighthouse(canvas: Canvas, x: float, y: float, height: float) -> None:
    """Paint a banded lighthouse on its rocks."""
    dice = canvas.dice
    w = height * 0.13
    canvas.put(
        "rock",
        dice.pick("dark gray", "gray", "brown"),
        disc(x, y + w * 0.2, w * 3, w * 1.1),
        disc(x + w * 2, y + w * 0.4, w * 2, w * 0.8),
        texture="speckled",
        contrast=0.45,
    )
    body = polygon((x - w, y), (x - w * 0.6, y - height * 0.8), (x + w * 0.6, y - height * 0.8), (x + w, y))
    colour, second = dice.pick(
        ("white", "red"),
        ("white", "blue"),
        ("white", "black"),
        ("red", "white"),
        ("yellow", "white"),
        ("beige", "teal"),
    )
    canvas.put(
        "lighthouse",
        colour,
        body,
        texture=dice.pick("striped", "striped", "striped", "checkered", "plain"),
        second=second,
        way=1,
        period=height * 13,
        side=0.5,
    )
    canvas.put(
        "lighthouse",
        dice.pick("yellow", "white"),
        box(x - w * 0.45, y - height * 0.92, x + w * 0.45, y - height * 0.8),
        glow=True,
    )
    if canvas.light in ("night", "dusk"):
        canvas.halo(x, y - height * 0.86, 0.18, (150, 130, 70))
    spire(canvas, x, y - height * 0.92, w * 1.5, height * 0.14)
