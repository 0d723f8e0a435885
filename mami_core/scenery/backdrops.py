"""What fills the frame behind the things: sky, mountains, ground, water, roads, rooms."""

from __future__ import annotations

import numpy as np

from mami_core.scenery.canvas import AMBIENT, RGB, Canvas
from mami_core.scenery.shapes import Shape, box, disc, line, polygon

_DUSK_LOW = np.array([252, 206, 142], np.float32)


def sky(canvas: Canvas, horizon: float) -> None:
    """Paint the sky of the canvas's light down to the horizon, with the sun, the moon, stars and clouds it may have."""
    dice, light = canvas.dice, canvas.light
    if light == "night":
        return _night_sky(canvas, horizon)
    if light == "day":
        name, top = "light blue", canvas.shade_of("light blue", glow=True) * np.float32(0.86)
        low = np.array([224, 237, 246], np.float32)
    elif light == "blue":
        name, top = "blue", canvas.shade_of("blue", glow=True) + np.float32(20)
        low = np.array([170, 207, 241], np.float32)
    elif light == "gray":
        name, top = "gray", canvas.shade_of("gray", glow=True)
        low = top * np.float32(0.5) + np.float32(108)
    else:
        name = dice.pick("orange", "pink", "purple")
        top, low = canvas.shade_of(name, glow=True), _DUSK_LOW
    canvas.gradient("sky", name, -0.2, horizon + 0.02, top, low)
    if light != "gray" and dice.chance(0.55):
        _sun(canvas, horizon)
    if dice.chance(0.72):
        for _ in range(dice.count(1, 4)):
            _cloud(canvas, dice.between(0, 1), dice.between(0.04, max(0.08, horizon * 0.62)), dice.between(0.09, 0.19))
    return None


def _sun(canvas: Canvas, horizon: float) -> None:
    dice = canvas.dice
    radius, x = dice.between(0.04, 0.07), dice.between(0.1, 0.9)
    y = dice.between(0.08, max(0.1, horizon - 0.06)) if canvas.light == "dusk" else dice.between(0.08, 0.22)
    canvas.halo(x, y, radius * 3.2, (60, 50, 26))
    canvas.put(
        "sun", dice.pick("yellow", "yellow", "white", "orange", "red"), disc(x, y, radius), shade=0.05, glow=True
    )


def _cloud(canvas: Canvas, x: float, y: float, width: float) -> None:
    dice = canvas.dice
    shapes = [box(x - width * 0.8, y - width * 0.02, x + width * 0.8, y + width * 0.16)]
    for across in (-0.75, -0.3, 0.2, 0.7):
        radius = width * dice.between(0.22, 0.4) * (1.15 - abs(across) * 0.6)
        shapes.append(disc(x + across * width, y - radius * 0.3, radius * 1.25, radius * 0.85))
    tint = {"dusk": ("pink", "purple", "orange", "white"), "gray": ("dark gray", "gray", "white")}.get(
        canvas.light, ("white", "white", "gray")
    )
    canvas.put("cloud", dice.pick(*tint), *shapes, shade=0.28, glow=canvas.light == "dusk")


def _night_sky(canvas: Canvas, horizon: float) -> None:
    dice = canvas.dice
    top = np.array([12, 14, 34], np.float32) + np.float32(dice.between(0, 10))
    low = top + np.array([0.7, 0.8, 1.3], np.float32) * np.float32(dice.between(20, 48))
    name = dice.pick("black", "blue")
    if name == "blue":
        top, low = top + np.array([6, 14, 40], np.float32), low + np.array([10, 24, 56], np.float32)
    canvas.gradient("sky", name, -0.2, horizon + 0.02, top, low)
    stars = [disc(dice.between(0, 1), dice.between(0, horizon * 0.85), dice.between(0.0045, 0.0065)) for _ in range(26)]
    canvas.put("star", dice.pick("white", "white", "yellow", "light blue"), *stars, shade=0, glow=True)
    if dice.chance(0.75):
        radius, x, y = dice.between(0.04, 0.065), dice.between(0.1, 0.9), dice.between(0.09, 0.24)
        canvas.halo(x, y, radius * 3, (40, 42, 56))
        moon = canvas.put("moon", dice.pick("white", "yellow", "beige"), disc(x, y, radius), shade=0.05, glow=True)
        canvas.add(
            moon,
            disc(x - radius * 0.3, y - radius * 0.2, radius * 0.22),
            disc(x + radius * 0.25, y + radius * 0.3, radius * 0.16),
            rgb=(206, 202, 186),
            glow=True,
        )


def mountains(canvas: Canvas, horizon: float, number: int, *, snowy: float = 0.6) -> None:
    """Paint peaks above the horizon, some capped with snow."""
    dice = canvas.dice
    for k in range(number):
        x, height = dice.between(-0.1, 1.1), dice.between(0.16, 0.34) * (1 - 0.12 * k)
        width, top = height * dice.between(0.9, 1.6), horizon - height
        a, b, c = (dice.between(-0.04, 0.04) for _ in range(3))
        ridge = (
            (x - width, horizon + 0.01),
            (x - width * 0.5 + a, horizon - height * 0.45),
            (x - width * 0.2, horizon - height * 0.7 + b * 0.5),
            (x, top),
            (x + width * 0.25, horizon - height * 0.68 + c * 0.5),
            (x + width * 0.55 + a, horizon - height * 0.4),
            (x + width, horizon + 0.01),
        )
        canvas.put("mountain", dice.pick("gray", "dark gray", "purple", "brown", "blue", "teal"), polygon(*ridge),
                   texture=dice.pick("plain", "speckled", "plain"), shade=0.3, side=0.5, contrast=0.4)  # fmt: skip
        if dice.chance(snowy):
            cap = (
                (x, top),
                (x - width * 0.17, horizon - height * 0.74 + b * 0.5),
                (x - width * 0.09, horizon - height * 0.66),
                (x - width * 0.03, horizon - height * 0.75),
                (x + width * 0.06, horizon - height * 0.62),
                (x + width * 0.12, horizon - height * 0.74),
                (x + width * 0.2, horizon - height * 0.73 + c * 0.5),
            )
            canvas.put("snow", "white", polygon(*cap), shade=0.1, side=0.2)


def hills(canvas: Canvas, horizon: float, number: int) -> None:
    """Paint round hills along the horizon."""
    dice = canvas.dice
    for _ in range(number):
        x, width, height = dice.between(0, 1), dice.between(0.35, 0.7), dice.between(0.06, 0.15)
        canvas.put(
            "hill",
            dice.pick("green", "dark green", "teal", "yellow", "brown", "purple"),
            disc(x, horizon, width, height),
            shade=0.5,
            contrast=0.45,
            texture=dice.pick("plain", "speckled", "striped", "plain"),
            way=2,
            period=3.5,
        )


def ground(
    canvas: Canvas,
    part: str,
    colour: str,
    y: float,
    *,
    texture: str = "plain",
    contrast: float = 0.4,
    period: float | None = None,
) -> int:
    """Paint the ground from y down as a plane that runs to the horizon, and return its index."""
    return canvas.put(
        part,
        colour,
        box(-0.5, y, 1.5, 1.5),
        texture=texture,
        horizon=y - 0.03,
        contrast=contrast,
        shade=-0.3,
        period=period,
    )


def grass(canvas: Canvas, y: float) -> int:
    """Paint a lawn or a meadow from y down."""
    dice = canvas.dice
    colour = dice.pick("green", "green", "dark green", "yellow", "brown") if dice.chance(0.35) else "green"
    texture = dice.pick("plain", "speckled", "striped", "speckled", "checkered", "wavy")
    return ground(canvas, "grass", colour, y, texture=texture, contrast=0.25)


def water(canvas: Canvas, y: float, bottom: float = 1.5) -> None:
    """Paint water between two lines, in the colour the sky lends it, with glints."""
    dice, light = canvas.dice, canvas.light
    colour = {"dusk": dice.pick("purple", "blue", "orange"), "gray": dice.pick("dark gray", "gray", "teal")}.get(
        light
    ) or dice.pick("blue", "blue", "teal", "light blue")
    texture = dice.pick("wavy", "wavy", "plain", "striped", "speckled")
    index = canvas.put(
        "water",
        colour,
        box(-0.5, y, 1.5, bottom),
        texture=texture,
        way=1,
        period=dice.between(2, 3.6),
        shade=-0.3,
        contrast=dice.between(0.25, 0.55),
    )
    glints = []
    for _ in range(dice.count(6, 14)):
        x, line_y, width = (
            dice.between(0, 1),
            dice.between(y + 0.02, max(y + 0.03, min(1.0, bottom))),
            dice.between(0.02, 0.08),
        )
        glints.append(box(x, line_y, x + width, line_y + 0.006))
    glint: RGB = {"night": (220, 214, 170), "dusk": (255, 224, 180)}.get(light, (226, 238, 246))
    canvas.add(index, *glints, rgb=glint)


def straight_road(
    canvas: Canvas, horizon: float, far: float, near: float, *, x: float = 0.5, vanish: float = 0.5
) -> None:
    """Paint a road that runs to the horizon, `far` and `near` being half its width there and at the lower edge."""
    dice = canvas.dice
    outline = polygon((vanish - far, horizon), (vanish + far, horizon), (x + near, 1.0), (x - near, 1.0))
    canvas.put(
        "road",
        dice.pick("dark gray", "gray", "black", "brown"),
        outline,
        texture=dice.pick("plain", "speckled"),
        shade=-0.2,
        contrast=0.25,
    )
    lanes: list[Shape] = []
    for k in range(5):
        quad = []
        for t in ((k / 5) ** 2, ((k + 0.5) / 5) ** 2):
            middle, half, y = vanish + (x - vanish) * t, (far + (near - far) * t) * 0.045, horizon + (1 - horizon) * t
            quad.append(((middle - half, y), (middle + half, y)))
        lanes.append(polygon(quad[0][0], quad[0][1], quad[1][1], quad[1][0]))
    if dice.chance(0.5):
        for m in (-0.9, 0.9):
            lanes.append(polygon((vanish + m * far, horizon), (x + m * near - 0.012, 1.0), (x + m * near + 0.012, 1.0)))
    canvas.put("road marking", dice.pick("white", "yellow", "white"), *lanes)


def cross_road(canvas: Canvas, top: float, bottom: float) -> None:
    """Paint a street that runs across the picture, with its dashes."""
    dice = canvas.dice
    canvas.put(
        "road",
        dice.pick("dark gray", "gray", "black", "brown"),
        box(-0.5, top, 1.5, bottom),
        texture=dice.pick("plain", "speckled"),
        contrast=0.25,
        shade=-0.15,
    )
    y, start, step = (top + bottom) / 2, dice.between(-0.15, 0), dice.between(0.12, 0.18)
    dashes = [box(start + k * step, y - 0.009, start + k * step + step * 0.55, y + 0.009) for k in range(10)]
    if dice.chance(0.3):
        left = dice.between(0.1, 0.7)
        dashes = [box(left + k * 0.045, top + 0.01, left + k * 0.045 + 0.025, bottom - 0.01) for k in range(5)]
    canvas.put("road marking", dice.pick("white", "yellow", "white"), *dashes, shade=0)


def path(canvas: Canvas, top: float, *, part: str = "path") -> None:
    """Paint a winding way from the lower edge up to y = top."""
    dice = canvas.dice
    far, near, bend = dice.between(0.3, 0.7), dice.between(0.2, 0.8), dice.between(-0.12, 0.12)
    middle, y = (far + near) / 2 + bend, (top + 1) / 2
    outline = polygon(
        (far - 0.025, top),
        (far + 0.025, top),
        (middle + 0.07, y),
        (near + 0.19, 1.02),
        (near - 0.15, 1.02),
        (middle - 0.05, y),
    )
    texture = dice.pick("plain", "speckled", "tiled", "brick", "wavy")
    canvas.put(
        part,
        dice.pick("beige", "gray", "brown", "orange", "white", "yellow"),
        outline,
        texture=texture,
        horizon=top - 0.05,
        contrast=0.35,
        shade=-0.2,
    )


WALLPAPERS = ("plain", "plain", "striped", "dotted", "brick", "checkered", "wooden", "tiled", "grid", "wavy")
WALL_COLOURS = (
    "white",
    "beige",
    "yellow",
    "pink",
    "light blue",
    "green",
    "gray",
    "teal",
    "orange",
    "purple",
    "red",
    "brown",
    "blue",
)


def room(canvas: Canvas) -> float:
    """Paint the walls, floor and ceiling of a room and return the y where its back wall meets the floor."""
    dice = canvas.dice
    # lamps and evening windows tint a room as the hour tints a street
    canvas.ambient = np.array(AMBIENT["indoor"], np.float32) * np.array(
        dice.pick((1, 1, 1), (1, 1, 1), (1.04, 0.97, 0.86), (0.9, 0.96, 1.04), (0.74, 0.72, 0.76)), np.float32
    )
    y, top = dice.between(0.56, 0.7), dice.between(0.03, 0.1) if dice.chance(0.5) else 0.0
    colour = dice.pick(*WALL_COLOURS)
    canvas.put(
        "wall",
        colour,
        box(-0.5, -0.5, 1.5, y + 0.01),
        texture=dice.pick(*WALLPAPERS),
        period=dice.between(2.4, 4.6),
        contrast=dice.between(0.25, 0.5),
        shade=0.12,
    )
    floor = dice.pick("brown", "brown", "beige", "gray", "dark gray", "white", "red", "teal", "blue", "green", "orange")
    ground(
        canvas,
        "floor",
        floor,
        y,
        texture=dice.pick("wooden", "checkered", "tiled", "plain", "tiled", "speckled", "brick"),
        contrast=0.5,
        period=dice.between(2.6, 4.4),
    )
    left, right = (dice.between(0.1, 0.2) if dice.chance(0.5) else 0.0 for _ in range(2))
    if top:
        canvas.put(
            "ceiling",
            dice.pick("white", "white", "beige", "gray", "brown", "light blue"),
            polygon((0, 0), (1, 0), (1 - right, top), (left, top)),
            texture=dice.pick("plain", "plain", "wooden", "striped"),
            way=0,
            contrast=0.3,
            shade=0.2,
        )
    base = canvas.shade_of(colour, spread=5, glow=True)
    for x, m, share in ((left, 1, 0.84), (right, -1, 0.92)):
        if x:
            edge = 0.0 if m == 1 else 1.0
            side = polygon((edge, 0), (edge + m * x, top), (edge + m * x, y), (edge, min(1.0, y + x * 1.1)))
            canvas.put("wall", colour, side, rgb=[float(value) * share for value in base])
    canvas.put("wall", dice.pick("white", "brown", colour), box(left, y - 0.012, 1 - right, y + 0.012))
    return y


def platform_edge(canvas: Canvas, y: float) -> None:
    """Paint the white line along a platform."""
    canvas.put("road marking", canvas.dice.pick("white", "yellow"), line(0.016, (-0.2, y), (1.2, y)))
