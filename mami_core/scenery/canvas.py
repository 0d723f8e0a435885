"""The canvas: paints shapes and keeps, for every pixel, which thing it belongs to.

Drawing goes through the view (a window on the scene), so a zoomed or shifted picture is drawn afresh and its map is
exact. It is drawn at twice the size and averaged down; a pixel belongs to what covers its centre.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from mami_core.scenery.dice import Dice
from mami_core.scenery.parts import COLOURS, PALETTE, PARTS, TEXTURES
from mami_core.scenery.shapes import Point, Shape, box, disc
from mami_core.scenery.textures import PATTERNS, second_colour

Array = np.ndarray
RGB = Sequence[float]  # red, green, blue, 0..255

SIZE = 112  # side of a finished image, pixels
DRAWN = 2 * SIZE  # side of the canvas
MOST_OBJECTS = 250  # an object's index has to fit in a uint8

_PART = {name: index for index, name in enumerate(PARTS)}
_COLOUR = {name: index for index, name in enumerate(COLOURS)}
_TEXTURE = {name: index for index, name in enumerate(TEXTURES)}
OUTSIDE = -1  # index of an object that the view left out, or that found no room

AMBIENT: dict[str, RGB] = {
    "day": (1.0, 1.0, 1.0),
    "blue": (1.03, 1.02, 0.98),
    "gray": (0.88, 0.90, 0.92),
    "dusk": (1.02, 0.86, 0.80),
    "night": (0.52, 0.57, 0.80),
    "indoor": (1.0, 1.0, 1.0),
}


class View(NamedTuple):
    """The window on the scene that the picture shows: its upper left corner, and its magnification."""

    left: float
    top: float
    zoom: float


class Area(NamedTuple):
    """A rectangle of canvas pixels, right and bottom excluded."""

    left: int
    top: int
    right: int
    bottom: int


class Canvas:
    """A scene in the making; `image` (3, DRAWN, DRAWN) float32, `instances` (DRAWN, DRAWN) uint8, `objects` a list."""

    def __init__(self, dice: Dice, light: str, view: View) -> None:
        self.dice, self.light, self.view = dice, light, view
        self.image = np.zeros((3, DRAWN, DRAWN), np.float32)
        self.instances = np.zeros((DRAWN, DRAWN), np.uint8)
        self.objects: list[tuple[int, int, int]] = []
        self.ambient = np.array(AMBIENT[light], np.float32)

    # ---- painting

    def put(
        self,
        part: str,
        colour: str,
        *shapes: Shape,
        texture: str = "plain",
        period: float | None = None,
        second: str | None = None,
        contrast: float = 0.85,
        shade: float = 0.18,
        side: float = 0.0,
        horizon: float | None = None,
        way: int | None = None,
        rgb: RGB | None = None,
        glow: bool = False,
    ) -> int:
        """Paint the shapes as one object and return its index; nothing that lies outside the view is kept.

        period: of the texture, in hundredths of the scene's side; second: the texture's other colour; contrast 0..1;
        shade and side: how much darker the bottom and the right are; horizon: lays the texture on a ground plane that
        vanishes at this y; way: direction of the texture; glow: a light, which night does not dim.
        """
        if len(self.objects) >= MOST_OBJECTS:
            return OUTSIDE  # full: leave the pixels as they are, so that the map stays exact
        area = self._area(shapes)
        base = self.shade_of(colour, rgb=rgb, glow=glow)
        way = self.dice.count(0, 11) if way is None else way
        period = self.dice.between(2.6, 4.6) if period is None else period
        if area is None:
            return OUTSIDE
        other = second_colour(texture, base) if second is None else self.shade_of(second, glow=glow)
        values = base[:, None, None] * _lighting(area, shade, side)  # (3, height, 1) or (3, height, width)
        if texture != "plain":
            strength = self._pattern(texture, area, period, horizon, way) * np.float32(contrast)
            values = values * (1 + (other / base - 1)[:, None, None] * strength)
        self.objects.append((_PART[part], _COLOUR[colour], _TEXTURE[texture]))
        self._lay(area, self._mask(shapes, area), values, len(self.objects) - 1)
        return len(self.objects) - 1

    def add(self, index: int, *shapes: Shape, rgb: RGB, glow: bool = False) -> None:
        """Paint a detail that belongs to object `index`: a glint on water, the hair of a head."""
        area = self._area(shapes)
        if index == OUTSIDE or area is None:
            return
        values = np.array(rgb, np.float32) * (1 if glow else self.ambient)
        self._lay(area, self._mask(shapes, area), values[:, None, None], index)

    def gradient(self, part: str, colour: str, top: float, bottom: float, first: Array, last: Array) -> int:
        """Paint a band over the whole width that runs from one RGB (3,) to another; night does not dim it."""
        area = self._area((box(-1.0, top, 2.0, bottom),))
        if area is None:
            return OUTSIDE
        (_, start), (_, end) = self._pixel((0.0, top)), self._pixel((0.0, bottom))
        rows = np.arange(area.top, area.bottom, dtype=np.float32)[:, None]
        share = (rows - np.float32(start)) / np.float32(max(1.0, end - start))
        first, last = first.astype(np.float32)[:, None, None], last.astype(np.float32)[:, None, None]
        self.objects.append((_PART[part], _COLOUR[colour], 0))
        self._lay(area, None, first + (last - first) * share, len(self.objects) - 1)
        return len(self.objects) - 1

    def shadow(self, x: float, y: float, width: float, depth: float = 0.34) -> None:
        """Darken an ellipse on the ground under a thing, so that it stands; whose ground it is does not change."""
        area = self._area((disc(x, y, width, width * 0.24),))
        if area is not None:
            pixels = self.image[:, area.top : area.bottom, area.left : area.right]
            pixels *= 1 - np.float32(depth) * self._falloff(area, x, y, width, width * 0.24)

    def halo(self, x: float, y: float, radius: float, rgb: RGB) -> None:
        """Add light around a lamp or the sun; `rgb` is what its middle gains."""
        area = self._area((disc(x, y, radius),))
        if area is not None:
            fade = self._falloff(area, x, y, radius, radius)
            pixels = self.image[:, area.top : area.bottom, area.left : area.right]
            pixels += np.array(rgb, np.float32)[:, None, None] * (fade * fade)

    # ---- colours

    def shade_of(self, colour: str, spread: float = 9.0, rgb: RGB | None = None, glow: bool = False) -> Array:
        """Give a colour of the palette as (3,) float32, a little off, as no two things are painted alike."""
        red, green, blue = PALETTE[colour] if rgb is None else rgb
        bell = self.dice.bell
        all_of_it = bell(spread * 0.9)
        base = np.array([red + bell(spread * 0.8) + all_of_it, green + bell(spread * 0.8) + all_of_it,
                         blue + bell(spread * 0.8) + all_of_it], np.float32)  # fmt: skip
        np.clip(base, 6, 250, out=base)
        return base if glow else base * self.ambient

    # ---- the steps of put

    def _pixel(self, point: Point) -> Point:
        scale = DRAWN * self.view.zoom
        return (point[0] - self.view.left) * scale, (point[1] - self.view.top) * scale

    def _area(self, shapes: Sequence[Shape]) -> Area | None:
        across = [x + side * shape.width for shape in shapes for x, _ in shape.points for side in (-1, 1)]
        down = [y + side * shape.width for shape in shapes for _, y in shape.points for side in (-1, 1)]
        if not across:
            return None
        left, top = self._pixel((min(across), min(down)))
        right, bottom = self._pixel((max(across), max(down)))
        area = Area(max(0, int(left)), max(0, int(top)), min(DRAWN, int(right) + 1), min(DRAWN, int(bottom) + 1))
        return area if area.left < area.right and area.top < area.bottom else None

    def _mask(self, shapes: Sequence[Shape], area: Area) -> Array | None:
        """Give what the shapes cover, (height, width) bool; None for all of the area, which is quicker."""
        return None if len(shapes) == 1 and shapes[0].kind == "box" else self._drawn(shapes, area)

    def _drawn(self, shapes: Sequence[Shape], area: Area) -> Array:
        sheet = Image.new("L", (area.right - area.left, area.bottom - area.top))
        pen = ImageDraw.Draw(sheet)
        for shape in shapes:
            corners = [(x - area.left, y - area.top) for x, y in map(self._pixel, shape.points)]
            if shape.kind == "polygon":
                pen.polygon(corners, fill=1)
            elif shape.kind == "line":
                pen.line(corners, fill=1, width=max(1, round(shape.width * DRAWN * self.view.zoom)), joint="curve")
            else:
                (x0, y0), (x1, y1) = corners
                upright = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))  # Pillow refuses an inverted box
                (pen.rectangle if shape.kind == "box" else pen.ellipse)(upright, fill=1)
        return np.asarray(sheet).view(np.bool_)

    def _pattern(self, texture: str, area: Area, period: float, horizon: float | None, way: int) -> Array:
        """Give how much of the second colour lies on each pixel of the area, 0..1."""
        period = max(3.0, period * DRAWN * self.view.zoom / 100)
        x = np.arange(area.right - area.left, dtype=np.float32)[None]
        y = np.arange(area.bottom - area.top, dtype=np.float32)[:, None]
        if horizon is None or texture == "speckled":  # grain that shrank towards the horizon would only flicker
            return PATTERNS[texture](x, y, period, way)
        middle, start = self._pixel((0.5, horizon))
        below = np.maximum(y + np.float32(area.top - start), 0) + np.float32(DRAWN * 0.10)
        depth = np.float32(DRAWN * 0.55) / below  # (height, 1): 1 near the lower edge, 5.5 on the horizon
        across = (x + np.float32(area.left - middle)) * depth + np.float32(4096)
        away = np.float32(1024) - depth * np.float32(DRAWN * 0.4)
        blurred = np.minimum(1, np.float32(3.3) / (depth * depth))  # far stripes run into each other
        return PATTERNS[texture](across, away, period * 1.5, way) * blurred

    def _falloff(self, area: Area, x: float, y: float, width: float, height: float) -> Array:
        """Give 1 at (x, y) falling to 0 on the ellipse about it, (height, width) of the area."""
        (left, top), scale = self._pixel((x, y)), DRAWN * self.view.zoom
        across = (np.arange(area.left, area.right, dtype=np.float32) - np.float32(left)) / np.float32(width * scale)
        down = (np.arange(area.top, area.bottom, dtype=np.float32) - np.float32(top)) / np.float32(height * scale)
        return np.maximum(0, 1 - (across * across)[None] - (down * down)[:, None])

    def _lay(self, area: Area, mask: Array | None, values: Array, index: int) -> None:
        """Write `values` (3, height or 1, width or 1) and the object's index where the mask says."""
        pixels = self.image[:, area.top : area.bottom, area.left : area.right]
        owners = self.instances[area.top : area.bottom, area.left : area.right]
        if mask is None:
            pixels[...], owners[...] = values, index
        else:
            np.copyto(pixels, values, where=mask)
            np.copyto(owners, np.uint8(index), where=mask)


def _lighting(area: Area, shade: float, side: float) -> Array:
    """Give the light on a surface lit from above and from the left: (height, 1), or (height, width)."""
    rows = np.arange(area.bottom - area.top, dtype=np.float32)[:, None]
    light = 1 + np.float32(shade) * (np.float32(0.5) - rows / np.float32(area.bottom - area.top))
    if side:
        columns = np.arange(area.right - area.left, dtype=np.float32)[None]
        light = light * (1 + np.float32(side) * (np.float32(0.5) - columns / np.float32(area.right - area.left)))
    return light
