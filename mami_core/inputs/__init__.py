"""Images (folder, arrays, latents; lazy) and networks (torchvision:, timm:, hf:, path.py:factory).

Names whose modules compute with torch are imported when they are asked for, as who only names images needs no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mami_core.inputs.folder import ImageFolder, read_image, to_rgb
from mami_core.inputs.source import FeedsNetwork, ImageSource, UnreadableImageError, class_names_of, sha256_of_names

if TYPE_CHECKING:
    from mami_core.inputs.arrays import DatasetImages, DatasetTensors, ImageArray
    from mami_core.inputs.images import open_images
    from mami_core.inputs.latents import Latents
    from mami_core.inputs.networks import Network, open_network
    from mami_core.inputs.preprocess import IMAGENET_MEAN, IMAGENET_STD, Preprocess, view_of

_WITH_TORCH = {
    "arrays": ("DatasetImages", "DatasetTensors", "ImageArray"),
    "images": ("open_images",),
    "latents": ("Latents",),
    "networks": ("Network", "open_network"),
    "preprocess": ("IMAGENET_MEAN", "IMAGENET_STD", "Preprocess", "view_of"),
}


def __getattr__(name: str) -> Any:
    module = next((module for module, names in _WITH_TORCH.items() if name in names), None)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{module}"), name)


__all__ = [
    "IMAGENET_MEAN",
    "IMAGENET_STD",
    "DatasetImages",
    "DatasetTensors",
    "FeedsNetwork",
    "ImageArray",
    "ImageFolder",
    "ImageSource",
    "Latents",
    "Network",
    "Preprocess",
    "UnreadableImageError",
    "class_names_of",
    "open_images",
    "open_network",
    "read_image",
    "sha256_of_names",
    "to_rgb",
    "view_of",
]
