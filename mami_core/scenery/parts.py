"""What the painted world is made of: its parts, colours, textures and places, by name and by fixed index.

Indices are stored in part maps and label files, so an entry is appended, never moved.
"""

from __future__ import annotations

PARTS: tuple[str, ...] = (
    "sky", "cloud", "sun", "moon", "star", "mountain", "hill", "snow", "grass", "field",
    "tree", "pine tree", "palm tree", "bush", "flower", "cactus", "sand", "dune", "water", "boat",
    "sail", "lighthouse", "pier", "house", "roof", "window", "door", "skyscraper", "tower", "castle wall",
    "flag", "road", "road marking", "sidewalk", "car", "wheel", "bus", "traffic light", "street lamp", "fence",
    "bridge", "person", "ball", "sign", "awning", "fruit", "crate", "seat", "pitch", "goal",
    "floodlight", "barn", "haystack", "cow", "umbrella", "wall", "floor", "ceiling", "bed", "pillow",
    "table", "chair", "picture", "bookshelf", "book", "blackboard", "sofa", "curtain", "rug", "lamp",
    "stove", "cupboard", "sink", "plate", "plant", "slide", "swing", "ski lift", "cross", "rock",
    "silo", "bench", "path", "clock", "bottle", "dog", "bird", "bicycle", "train", "rail",
)  # fmt: skip

PALETTE: dict[str, tuple[int, int, int]] = {
    "red": (200, 52, 48),
    "orange": (236, 140, 52),
    "yellow": (242, 212, 84),
    "green": (98, 168, 78),
    "dark green": (42, 102, 62),
    "teal": (54, 150, 150),
    "blue": (52, 98, 190),
    "light blue": (146, 198, 236),
    "purple": (128, 84, 168),
    "pink": (236, 154, 178),
    "brown": (128, 88, 58),
    "beige": (224, 203, 165),
    "gray": (152, 152, 154),
    "dark gray": (86, 90, 98),
    "white": (240, 240, 237),
    "black": (34, 35, 42),
}

COLOURS: tuple[str, ...] = tuple(PALETTE)

TEXTURES: tuple[str, ...] = (
    "plain", "striped", "dotted", "checkered", "brick", "wooden", "speckled", "wavy", "tiled", "grid",
)  # fmt: skip

PLACES: tuple[str, ...] = (
    "harbour", "beach", "mountain lake", "forest", "desert", "ski slope", "farm", "city street", "skyline", "bridge",
    "highway", "market", "stadium", "church", "castle", "playground", "garden", "bedroom", "living room", "kitchen",
    "library", "classroom", "gallery", "restaurant", "railway station", "park",
)  # fmt: skip

LIGHTS: tuple[str, ...] = ("day", "blue", "gray", "dusk", "night", "indoor")
