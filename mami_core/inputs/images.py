"""Open the images that a spec names: a folder, or an array file."""

from __future__ import annotations

from pathlib import Path

from mami_core.inputs.folder import EXTENSIONS, ImageFolder
from mami_core.inputs.source import ImageSource


def open_images(spec: str | Path, *, include: str | None = None) -> ImageSource:
    """Open a folder of images (nested; `include` is a glob) or a `.npy` / `.npz` array of them.

    Raises FileNotFoundError or ValueError with one sentence when there is nothing to read.
    """
    path = Path(spec).expanduser()
    if path.is_file() and path.suffix in (".npy", ".npz"):
        from mami_core.inputs.arrays import ImageArray

        return ImageArray(path)
    if path.is_file():
        kind = "one image" if path.suffix.lower() in EXTENSIONS else f"a {path.suffix or 'plain'} file"
        raise ValueError(f"{path} is {kind}; name a folder of images, a .npy or a .npz file")
    return ImageFolder(path, include=include)
