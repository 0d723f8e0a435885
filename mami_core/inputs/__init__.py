"""Images (folder, arrays, latents; lazy) and networks (torchvision:, timm:, hf:, path.py:factory)."""

from mami_core.inputs.arrays import DatasetImages, DatasetTensors, ImageArray
from mami_core.inputs.folder import ImageFolder, read_image, to_rgb
from mami_core.inputs.images import open_images
from mami_core.inputs.latents import Latents
from mami_core.inputs.networks import Network, open_network
from mami_core.inputs.preprocess import IMAGENET_MEAN, IMAGENET_STD, Preprocess, view_of
from mami_core.inputs.source import FeedsNetwork, ImageSource, UnreadableImageError, class_names_of, sha256_of_names

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
