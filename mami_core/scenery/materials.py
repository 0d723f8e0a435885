"""What furniture and cloth are made of: colours and textures that several modules choose from."""

from __future__ import annotations

WOOD = ("brown", "brown", "white", "black", "beige", "gray", "dark gray")
CLOTH = (
    "red", "blue", "purple", "green", "yellow", "pink", "white", "orange", "teal", "beige", "light blue", "brown",
    "gray",
)  # fmt: skip
CLOTH_TEXTURES = ("plain", "striped", "dotted", "checkered", "wavy", "grid")
