"""Contact sheets of scenes, for looking at the world and for the documentation."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw

from mami_core.scenery.canvas import SIZE
from mami_core.scenery.world import paint, scene_seed

GAP, CAPTION = 4, 14  # pixels


def contact_sheet(places: Sequence[str], per_place: int, seed: int, *, across: int = 3) -> Image.Image:
    """Paint `per_place` scenes of each place side by side under its name, `across` places to a row."""
    wide, high = per_place * (SIZE + GAP) + GAP, SIZE + GAP + CAPTION
    rows = -(-len(places) // across)
    sheet = Image.new("RGB", (across * wide + GAP, rows * high + GAP), "white")
    pen = ImageDraw.Draw(sheet)
    for number, place in enumerate(places):
        left, top = GAP + number % across * wide, GAP + number // across * high
        pen.text((left, top), place, fill="black")
        for k in range(per_place):
            scene = paint(scene_seed(seed, number * per_place + k), place=place)
            sheet.paste(Image.fromarray(scene.image), (left + k * (SIZE + GAP), top + CAPTION - 2))
    return sheet
