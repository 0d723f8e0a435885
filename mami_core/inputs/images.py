"""Open the images that a spec names: a folder, an array file, or a generator's latents."""

from __future__ import annotations

from pathlib import Path

from mami_core.inputs.arrays import ImageArray
from mami_core.inputs.folder import EXTENSIONS, ImageFolder
from mami_core.inputs.latents import open_latents
from mami_core.inputs.networks import Network
from mami_core.inputs.source import ImageSource


def open_images(spec: str | Path, *, include: str | None = None, network: Network | None = None) -> ImageSource:
    """Open a folder of images (nested; `include` is a glob), a `.npy` / `.npz` array, or `latents:N[:SEED]`.

    `network` is needed for latents only: it says what its latents are. Raises FileNotFoundError or ValueError with one
    sentence when there is nothing to read.
    """
    if str(spec).startswith("latents:"):
        if network is None:
            raise ValueError(f"{spec} needs the generator that they are for")
        return open_latents(str(spec), network)
    path = Path(spec).expanduser()
    if path.is_file() and path.suffix in (".npy", ".npz"):
        return ImageArray(path)
    if path.is_file():
        kind = "one image" if path.suffix.lower() in EXTENSIONS else f"a {path.suffix or 'plain'} file"
        raise ValueError(f"{path} is {kind}; name a folder of images, a .npy or a .npz file")
    return ImageFolder(path, include=include)
