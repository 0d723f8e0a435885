"""Images from a folder, in any format that Pillow reads, as the eye would see them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from mami_core.inputs.source import UnreadableImageError, sha256_of_names

_ENDINGS = "avif bmp dib gif jfif jp2 jpe jpeg jpg pbm pgm png pnm ppm tga tif tiff webp"
EXTENSIONS = frozenset(f".{ending}" for ending in _ENDINGS.split())


class ImageFolder:
    """Every image below a folder; an image's id is its place among the sorted relative paths.

    Where every image lies in a subfolder and there are at least two, the first folder of the path is its class.
    """

    simulated = False

    def __init__(self, folder: Path | str, *, include: str | None = None) -> None:
        """List the folder. `include` is a glob over relative paths or bare file names, such as `cat_*.jpg`.

        Raises FileNotFoundError when the folder is not there, ValueError when it holds no image.
        """
        self.folder = Path(folder).expanduser()
        if not self.folder.is_dir():
            raise FileNotFoundError(f"no image folder {self.folder}; check the path given as --images")
        found = (path.relative_to(self.folder).as_posix() for path in _images_below(self.folder))
        self.names: Sequence[str] = sorted(name for name in found if include is None or _matches(name, include))
        if not self.names:
            wanted = f" that matches {include!r}" if include else ""
            raise ValueError(f"{self.folder} holds no image{wanted}; formats read: {' '.join(sorted(EXTENSIONS))}")
        self.name = self.folder.resolve().name
        self.class_names, self.labels = _classes(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def load(self, index: int) -> Image.Image:
        """Return an image as upright RGB; UnreadableImageError names the file that cannot be decoded."""
        return read_image(self.folder / self.names[index], name=self.names[index])

    def fingerprint(self) -> str:
        """Return the SHA-256 of the relative paths and file sizes, in order."""
        return sha256_of_names(f"{name}\0{(self.folder / name).stat().st_size}" for name in self.names)


def read_image(path: Path, *, name: str | None = None) -> Image.Image:
    """Read one image file as RGB: EXIF orientation applied, alpha laid over white, 16 bits scaled to 8.

    Raises UnreadableImageError with the reason when the file is not an image, or is cut short.
    """
    try:
        with Image.open(path) as opened:
            return to_rgb(ImageOps.exif_transpose(opened))
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, Image.DecompressionBombError) as problem:
        raise UnreadableImageError(f"{name or path}: {problem}") from problem


def to_rgb(image: Image.Image) -> Image.Image:
    """Return any Pillow image as 8-bit RGB.

    Pillow's own conversion clips 16-bit greys to white and shows whatever colour hides under full transparency.
    """
    if image.mode == "RGB":
        image.load()
        return image
    if image.mode.startswith("I") or image.mode == "F":
        return _scaled_to_bytes(image)
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        layered = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layered.size, "white"), layered).convert("RGB")
    return image.convert("RGB")


def _scaled_to_bytes(image: Image.Image) -> Image.Image:
    """Return a 16-bit, 32-bit or float grey image in 256 levels."""
    values = np.nan_to_num(np.asarray(image, dtype=np.float64))  # (h, w)
    low, high = float(values.min()), float(values.max())
    if image.mode.startswith("I;16"):
        low, high = 0.0, 65535.0  # the format's white, not this picture's brightest pixel
    elif low >= 0:
        low, high = 0.0, next((white for white in (1.0, 255.0, 65535.0) if high <= white), high)
    levels = np.rint((values - low) / ((high - low) or 1.0) * 255).astype(np.uint8)
    return Image.fromarray(levels, "L").convert("RGB")


def _images_below(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder, followlinks=True):
        above = {Path(place).resolve(), *Path(place).resolve().parents}  # a link upwards would list all again, for ever
        folders[:] = [
            name for name in folders if not name.startswith(".") and (Path(place) / name).resolve() not in above
        ]
        for name in files:
            path = Path(place) / name
            if path.suffix.lower() in EXTENSIONS and not name.startswith("."):
                yield path


def _matches(name: str, pattern: str) -> bool:
    return fnmatch(name, pattern) or fnmatch(name.rpartition("/")[2], pattern)


def _classes(names: Sequence[str]) -> tuple[tuple[str, ...], Sequence[int] | None]:
    folders = [name.partition("/")[0] if "/" in name else "" for name in names]
    class_names = tuple(sorted(set(folders)))
    if "" in class_names or len(class_names) < 2:
        return (), None
    place = {name: number for number, name in enumerate(class_names)}
    return class_names, [place[folder] for folder in folders]
