"""What stands and drives in the open: cars, buses, trains, bicycles, boats, lamps, signs, fences, benches."""

from __future__ import annotations

from mami_core.scenery.canvas import Canvas
from mami_core.scenery.shapes import Shape, box, disc, line, moved, polygon

PAINT = ("red", "blue", "yellow", "white", "black", "green", "gray", "orange", "teal", "light blue", "purple", "beige")
METAL = ("black", "dark gray", "gray", "green", "white")
_CAR = (
    (-0.5, -0.06),
    (-0.5, -0.23),
    (-0.42, -0.27),
    (-0.3, -0.28),
    (-0.17, -0.42),
    (0.17, -0.42),
    (0.32, -0.27),
    (0.47, -0.23),
    (0.5, -0.06),
)
_VAN = ((-0.5, -0.06), (-0.5, -0.42), (-0.46, -0.46), (0.22, -0.46), (0.34, -0.27), (0.48, -0.22), (0.5, -0.06))
_PANES = (
    ((-0.26, -0.28), (-0.15, -0.39), (-0.02, -0.39), (-0.02, -0.28)),
    ((0.02, -0.28), (0.02, -0.39), (0.15, -0.39), (0.25, -0.28)),
)


def wheels(canvas: Canvas, x: float, y: float, radius: float, *offsets: float) -> None:
    """Paint wheels whose lowest point is y, at these distances from x."""
    dice = canvas.dice
    tyres = [disc(x + d, y - radius, radius) for d in offsets]
    index = canvas.put("wheel", dice.pick("black", "black", "dark gray"), *tyres, shade=0.1)
    canvas.add(index, *[disc(x + d, y - radius, radius * 0.45) for d in offsets], rgb=(176, 178, 184))


def _headlights(canvas: Canvas, x: float, y: float, width: float, mirror: int) -> None:
    if canvas.light in ("night", "dusk"):
        canvas.halo(x + mirror * width * 0.52, y, width * 0.35, (120, 110, 70))


def car(canvas: Canvas, x: float, y: float, width: float) -> None:
    """Paint a car or a van from the side."""
    dice = canvas.dice
    mirror, outline = dice.pick(-1, 1), dice.pick(_CAR, _CAR, _VAN)
    canvas.shadow(x, y, width * 0.56)
    texture = dice.pick("plain", "plain", "plain", "striped", "checkered", "dotted")
    body = canvas.put(
        "car",
        dice.pick(*PAINT),
        moved(outline, x, y, width, mirror),
        shade=0.4,
        texture=texture,
        period=2.4,
        contrast=0.6,
    )
    canvas.put(
        "window",
        dice.pick("light blue", "dark gray", "white", "black"),
        *[moved(p, x, y, width, mirror) for p in _PANES],
    )
    lamp_x = x + mirror * width * 0.47
    canvas.add(body, disc(lamp_x, y - width * 0.17, width * 0.03), rgb=(255, 240, 170), glow=True)
    wheels(canvas, x, y, width * 0.095, -0.29 * width, 0.29 * width)
    _headlights(canvas, x, y - width * 0.17, width, mirror)


def bus(canvas: Canvas, x: float, y: float, width: float) -> None:
    """Paint a bus from the side."""
    dice = canvas.dice
    high = width * dice.pick(0.44, 0.44, 0.62)
    canvas.shadow(x, y, width * 0.56)
    texture = dice.pick("plain", "plain", "striped", "checkered", "tiled")
    body = canvas.put(
        "bus",
        dice.pick(*PAINT),
        box(x - width / 2, y - high, x + width / 2, y - width * 0.06),
        texture=texture,
        period=3.4,
        contrast=0.5,
        shade=0.3,
    )
    canvas.add(body, box(x - width / 2, y - width * 0.15, x + width / 2, y - width * 0.12), rgb=(240, 238, 230))
    panes = [
        box(
            x - width * 0.46 + k * width * 0.187,
            y - high * row,
            x - width * 0.46 + k * width * 0.187 + width * 0.15,
            y - high * row + width * 0.14,
        )
        for k in range(5)
        for row in ((0.92, 0.56) if high > width * 0.5 else (0.9,))
    ]
    night = canvas.light == "night"
    canvas.put("window", "yellow" if night else dice.pick("light blue", "dark gray", "white"), *panes, glow=night)
    wheels(canvas, x, y, width * 0.08, -0.3 * width, 0.3 * width)


def train(canvas: Canvas, x: float, y: float, length: float, height: float) -> None:
    """Paint a train whose nose is at x, reaching out to the left by `length`; it stands on y."""
    dice = canvas.dice
    colour, texture = dice.pick(*PAINT), dice.pick("plain", "plain", "striped", "tiled")
    wagons = max(1, round(length / 0.4))
    each = length / wagons
    for wagon in range(wagons):
        right = x - wagon * each
        left = right - each + 0.014
        nose = each * 0.22 if wagon == 0 else 0.0
        shape = polygon(
            (left, y - height * 0.14),
            (left, y - height),
            (right - nose, y - height),
            (right, y - height * 0.42),
            (right, y - height * 0.14),
        )
        body = canvas.put("train", colour, shape, texture=texture, period=3.4, contrast=0.35, shade=0.35)
        canvas.add(body, box(left, y - height * 0.34, right, y - height * 0.27), rgb=(240, 238, 230))
        night = canvas.light == "night"
        pane = (each - nose) * 0.22
        panes = [
            box(left + (k + 0.18) * pane * 1.12, y - height * 0.86, left + (k + 0.8) * pane * 1.12, y - height * 0.48)
            for k in range(4)
        ]
        canvas.put("window", "yellow" if night else dice.pick("light blue", "dark gray", "white"), *panes, glow=night)
        wheels(canvas, (left + right) / 2, y, height * 0.1, *(each * d for d in (-0.36, -0.22, 0.22, 0.36)))


def bicycle(canvas: Canvas, x: float, y: float, size: float) -> None:
    """Paint a bicycle, `size` from hub to hub."""
    dice = canvas.dice
    canvas.shadow(x, y, size)
    r, m, t = size * 0.36, dice.pick(-1, 1), max(0.009, size * 0.06)
    rear, front, pedal = (x - m * size / 2, y - r), (x + m * size / 2, y - r), (x - m * size * 0.02, y - r * 0.9)
    seat, bars = (x - m * size * 0.18, y - size * 0.82), (x + m * size * 0.36, y - size * 0.88)
    rims = [Shape("line", [(cx + r * a, cy + r * b) for a, b in _CIRCLE], t) for cx, cy in (rear, front)]
    canvas.put("wheel", dice.pick("black", "dark gray"), *rims)
    frame = [
        line(t, rear, pedal, seat, rear),
        line(t, pedal, bars, (seat[0] + m * 0.01, seat[1] + 0.01)),
        line(t, front, bars),
    ]
    frame += [
        line(t, (seat[0] - size * 0.12, seat[1]), (seat[0] + size * 0.12, seat[1])),
        line(t, bars, (bars[0] - m * size * 0.16, bars[1] - size * 0.06)),
    ]
    canvas.put("bicycle", dice.pick("red", "blue", "black", "green", "yellow", "white", "teal", "pink"), *frame)


_CIRCLE = (
    (1, 0),
    (0.866, 0.5),
    (0.5, 0.866),
    (0, 1),
    (-0.5, 0.866),
    (-0.866, 0.5),
    (-1, 0),
    (-0.866, -0.5),
    (-0.5, -0.866),
    (0, -1),
    (0.5, -0.866),
    (0.866, -0.5),
    (1, 0),
)


def boat(canvas: Canvas, x: float, y: float, width: float, *, sailing: float = 0.6) -> None:
    """Paint a boat afloat at y: a sailing boat with this probability, else one with a cabin or a rowing boat."""
    dice = canvas.dice
    canvas.shadow(x, y + width * 0.13, width * 0.62, 0.25)
    if dice.chance(sailing):
        _sails(canvas, x, y, width)
    elif dice.chance(0.75):
        canvas.put(
            "boat",
            dice.pick("white", "beige", "red", "light blue"),
            box(x - width * 0.25, y - width * 0.34, x + width * 0.22, y),
        )
        panes = [
            box(x + width * k, y - width * 0.28, x + width * (k + 0.1), y - width * 0.16) for k in (-0.2, -0.05, 0.1)
        ]
        canvas.put(
            "window", "yellow" if canvas.light == "night" else "light blue", *panes, glow=canvas.light == "night"
        )
    hull = polygon(
        (x - width * 0.55, y - width * 0.1),
        (x + width * 0.6, y - width * 0.1),
        (x + width * 0.42, y + width * 0.14),
        (x - width * 0.42, y + width * 0.14),
    )
    canvas.put(
        "boat",
        dice.pick(*PAINT),
        hull,
        texture=dice.pick("plain", "wooden", "striped", "plain"),
        way=1,
        period=1.8,
        shade=0.3,
    )


def _sails(canvas: Canvas, x: float, y: float, width: float) -> None:
    dice = canvas.dice
    tall, m = width * dice.between(1.0, 1.4), dice.pick(-1, 1)
    canvas.put("boat", "brown", line(0.012, (x, y), (x, y - tall)))
    colour, texture = (
        dice.pick("white", "white", "red", "yellow", "orange", "blue", "teal", "pink"),
        dice.pick("plain", "striped", "plain", "checkered"),
    )
    main = polygon((x + m * 0.01, y - tall), (x + m * 0.01, y - width * 0.15), (x + m * width * 0.5, y - width * 0.15))
    jib = polygon(
        (x - m * 0.01, y - tall * 0.85), (x - m * 0.01, y - width * 0.15), (x - m * width * 0.4, y - width * 0.15)
    )
    canvas.put("sail", colour, main, texture=texture, side=0.2, period=2.4)
    canvas.put("sail", colour, jib, texture=texture, side=0.2, period=2.4)


def street_lamp(canvas: Canvas, x: float, y: float, height: float) -> None:
    """Paint a lamp on its pole; it shines at night."""
    dice = canvas.dice
    m, top = dice.pick(-1, 1), y - height
    canvas.shadow(x, y, 0.04)
    canvas.put(
        "street lamp",
        dice.pick(*METAL),
        box(x - 0.008, top, x + 0.008, y),
        line(0.016, (x, top + 0.006), (x + m * 0.07, top + 0.006)),
    )
    canvas.put(
        "street lamp", dice.pick("yellow", "white", "orange"), disc(x + m * 0.06, top + 0.026, 0.024, 0.02), glow=True
    )
    if canvas.light == "night":
        canvas.halo(x + m * 0.06, top + 0.026, 0.2, (110, 90, 45))


def traffic_light(canvas: Canvas, x: float, y: float, height: float) -> None:
    """Paint a traffic light; one of its lamps is on."""
    dice = canvas.dice
    top, h = y - height, height * 0.36
    canvas.shadow(x, y, 0.04)
    canvas.put("traffic light", "dark gray", box(x - 0.007, top, x + 0.007, y))
    canvas.put("traffic light", dice.pick("black", "dark gray", "yellow"), box(x - h * 0.2, top, x + h * 0.2, top + h))
    on = dice.count(0, 2)
    for lamp, colour in enumerate(("red", "yellow", "green")):
        spot = disc(x, top + h * (0.2 + 0.3 * lamp), h * 0.12)
        if lamp == on:
            canvas.put("traffic light", colour, spot, glow=True)
    if canvas.light == "night":
        canvas.halo(x, top + h * (0.2 + 0.3 * on), 0.08, ((110, 20, 10), (100, 85, 10), (15, 100, 30))[on])


def sign(canvas: Canvas, x: float, y: float, height: float) -> None:
    """Paint a road sign: round, square, triangular or diamond."""
    dice = canvas.dice
    w, top = height * 0.2, y - height
    canvas.shadow(x, y, 0.04)
    canvas.put("sign", "gray", box(x - 0.007, top, x + 0.007, y))
    colour = dice.pick("red", "blue", "yellow", "green", "white", "orange")
    shape = dice.pick(
        disc(x, top, w),
        box(x - w * 1.3, top - w * 0.7, x + w * 1.3, top + w * 0.7),
        polygon((x, top - w * 1.2), (x + w * 1.2, top + w * 0.8), (x - w * 1.2, top + w * 0.8)),
        polygon((x, top - w * 1.2), (x + w * 1.2, top), (x, top + w * 1.2), (x - w * 1.2, top)),
    )
    index = canvas.put(
        "sign", colour, shape, texture=dice.pick("plain", "plain", "striped", "checkered"), period=2.0, contrast=0.5
    )
    bar = box(x - w * 0.55, top - w * 0.16, x + w * 0.55, top + w * 0.16)
    canvas.add(index, bar, rgb=(34, 34, 40) if colour in ("white", "yellow", "orange") else (244, 244, 240))


def fence(canvas: Canvas, y: float, height: float, left: float = 0.0, right: float = 1.0) -> None:
    """Paint a picket or rail fence along y."""
    dice = canvas.dice
    step, picket = dice.between(0.04, 0.09), dice.between(0.3, 0.5)
    rails = [
        box(left, y - height * 0.8, right, y - height * 0.62),
        box(left, y - height * 0.4, right, y - height * 0.24),
    ]
    posts = [
        box(left + k * step, y - height, left + (k + picket) * step, y) for k in range(int((right - left) / step) + 1)
    ]
    colour = dice.pick("white", "brown", "brown", "gray", "black", "red", "beige", "green")
    canvas.put("fence", colour, *rails, *posts, texture=dice.pick("plain", "wooden", "plain"), period=3.0, contrast=0.4)


def bench(canvas: Canvas, x: float, y: float, width: float) -> None:
    """Paint a bench from the front."""
    dice = canvas.dice
    h, colour = width * 0.5, dice.pick("brown", "brown", "green", "red", "gray", "white", "blue", "black")
    canvas.shadow(x, y, width * 0.55)
    legs = [box(x + d * width - 0.008, y - h, x + d * width + 0.008, y) for d in (-0.4, 0.4)]
    slats = [box(x - width / 2, y - h * k, x + width / 2, y - h * (k - 0.17)) for k in (1.0, 0.76, 0.5)]
    canvas.put(
        "bench", colour, *legs, *slats, texture=dice.pick("plain", "wooden", "striped"), way=0, period=3.0, contrast=0.4
    )


def umbrella(canvas: Canvas, x: float, y: float, width: float) -> None:
    """Paint a sunshade on its pole."""
    dice = canvas.dice
    canvas.shadow(x, y, width * 0.9)
    canvas.put("umbrella", dice.pick("white", "brown", "gray"), box(x - 0.007, y - width * 1.4, x + 0.007, y))
    cloth = ((-1, -1.2), (-0.85, -1.5), (-0.5, -1.75), (0, -1.86), (0.5, -1.75), (0.85, -1.5), (1, -1.2))
    colour = dice.pick("red", "yellow", "blue", "orange", "green", "pink", "white", "purple", "teal")
    canvas.put(
        "umbrella",
        colour,
        moved(cloth, x, y, width),
        texture=dice.pick("striped", "striped", "plain", "dotted", "checkered"),
        second=dice.pick("white", "yellow", "red", "blue"),
        way=0,
        period=width * 22,
        shade=0.3,
    )


def ball(canvas: Canvas, x: float, y: float, radius: float) -> None:
    """Paint a ball that lies at y."""
    dice = canvas.dice
    canvas.shadow(x, y, radius * 1.2)
    colour = dice.pick("red", "yellow", "blue", "white", "orange", "green", "purple", "pink")
    canvas.put(
        "ball",
        colour,
        disc(x, y - radius, radius),
        texture=dice.pick("striped", "dotted", "plain", "checkered"),
        period=radius * 40,
        second=dice.pick("white", "black", "red", "blue"),
        shade=0.4,
    )


def crate(canvas: Canvas, x: float, y: float, size: float) -> None:
    """Paint a wooden crate."""
    dice = canvas.dice
    canvas.shadow(x, y, size * 0.7)
    index = canvas.put(
        "crate",
        dice.pick("brown", "brown", "beige", "orange", "green", "blue"),
        box(x - size / 2, y - size * 0.8, x + size / 2, y),
        texture=dice.pick("wooden", "wooden", "striped", "grid"),
        period=2.2,
        way=1,
        contrast=0.6,
    )
    canvas.add(
        index,
        box(x - size / 2, y - size * 0.8, x - size * 0.42, y),
        box(x + size * 0.42, y - size * 0.8, x + size / 2, y),
        rgb=(96, 66, 44),
    )
