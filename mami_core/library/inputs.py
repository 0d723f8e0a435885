"""What a notebook has at hand, a module and images in whatever form, as a dissection's network and images."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import Dataset

from mami_core.inputs.arrays import DatasetImages, DatasetTensors, array_to_image
from mami_core.inputs.networks import Network, module_network
from mami_core.inputs.preprocess import Preprocess
from mami_core.inputs.source import ImageSource
from mami_core.pipeline.sources import open_any_images, open_any_network

Model: TypeAlias = nn.Module | Network | str
Images: TypeAlias = ImageSource | Dataset[Any] | str | Path | np.ndarray | Tensor | Sequence[Any]
Normalised: TypeAlias = tuple[Sequence[float], Sequence[float]]  # (mean, std) that were subtracted and divided by

AS_IT_IS = Preprocess(resize=None, crop=None)  # shows a picture that is the network's input already


class Transform:
    """A user's own transform, PIL image to tensor, that also tells which pixels the network sees: its own, undone."""

    def __init__(self, transform: Callable[[Image.Image], Tensor], normalised: Normalised | None = None) -> None:
        self.transform = transform
        self.normalised = normalised or found_normalisation(transform)

    def __call__(self, image: Image.Image) -> Tensor:
        """Return the network's input, float32 (3, H, W)."""
        return self.transform(image)

    def view(self, image: Image.Image) -> Image.Image:
        """Return the part of an image that the network sees, at its size."""
        return shown(self.transform(image), self.normalised, name="an image")

    def __repr__(self) -> str:
        return repr(self.transform)


def found_normalisation(transform: Any) -> Normalised | None:
    """Return the mean and deviation that a torchvision transform, or one of its steps, normalises with; else None."""
    for step in (transform, *getattr(transform, "transforms", ())):
        mean, std = getattr(step, "mean", None), getattr(step, "std", None)
        if mean is not None and std is not None:
            return list(mean), list(std)
    return None


def shown(tensor: Tensor, normalised: Normalised | None, *, name: str) -> Image.Image:
    """Return the picture behind an input (C, H, W). ValueError where nothing says how it was normalised."""
    if normalised is None and not (float(tensor.min()) >= 0 and float(tensor.max()) <= 1):
        raise ValueError(
            f"the tensor of {name} runs from {float(tensor.min()):.3g} to {float(tensor.max()):.3g}, so it is "
            "normalised: give normalised=(mean, std), so that its picture can be shown"
        )
    mean, std = normalised or ((0.0,), (1.0,))
    pixels = tensor * torch.tensor(list(std)).view(-1, 1, 1) + torch.tensor(list(mean)).view(-1, 1, 1)
    return array_to_image(pixels.clamp(0, 1).numpy(), name=name)


class _InMemory:
    """What is in memory is known by its content: other images are another dissection."""

    dataset: Any

    @cached_property
    def _digest(self) -> str:
        digest = hashlib.sha256()
        for entry in self.dataset:
            values = np.ascontiguousarray(entry.convert("RGB") if isinstance(entry, Image.Image) else entry)
            digest.update(f"{values.shape} {values.dtype}".encode() + values.tobytes())
        return digest.hexdigest()

    def fingerprint(self) -> str:
        """Return the SHA-256 of every pixel."""
        return self._digest


class PicturesInMemory(_InMemory, DatasetImages):
    """A list of pictures, or an array (N, H, W, 3), (N, 3, H, W) or (N, H, W): bytes, or floats from 0 to 1."""


class TensorsInMemory(_InMemory, DatasetTensors):
    """A float tensor (N, C, H, W) of ready inputs."""


def as_network(
    model: Model,
    *,
    name: str | None = None,
    preprocess: Callable[[Image.Image], Tensor] | None = None,
    normalised: Normalised | None = None,
    ready: bool = False,
    weights: str | Path | None = None,
) -> Network:
    """Return a module, or what a spec such as `torchvision:resnet18` names, as a network to dissect.

    `preprocess` turns a PIL image into the input; without it a module's attribute `preprocessing` or ImageNet's usual
    256 / 224 pixels. `ready`: the images are inputs already. ValueError for what is no network.
    """
    if isinstance(model, str):
        return open_any_network(model, weights=weights)
    if weights is not None:
        raise ValueError("weights= belongs to a network that is named; load your module's weights before")
    if isinstance(model, Network):
        return model
    if not isinstance(model, nn.Module):
        raise ValueError(
            f"the model is {type(model).__name__}; give a torch.nn.Module or a name like torchvision:resnet18"
        )
    chosen = AS_IT_IS if ready else None if preprocess is None else _preprocess(preprocess, normalised)
    network = module_network(model, name=type(model).__name__, preprocess=chosen)
    return network if name is None else replace(network, name=name)


def _preprocess(given: Callable[[Image.Image], Tensor], normalised: Normalised | None) -> Callable[..., Tensor]:
    return given if hasattr(given, "view") else Transform(given, normalised)


def as_images(images: Images, *, name: str | None = None, normalised: Normalised | None = None) -> ImageSource:
    """Return a folder, list, array, tensor or torch data set as numbered images, each loaded when it is asked for.

    Float tensors, alone or from a data set, are taken as the network's own inputs; everything else as pictures. Raises
    ValueError for what holds no images.
    """
    if isinstance(images, str | Path):
        return open_any_images(str(images))
    if callable(getattr(images, "load", None)) and callable(getattr(images, "fingerprint", None)):
        return images  # type: ignore[return-value]  # a source of images already
    if not hasattr(images, "__getitem__") or not hasattr(images, "__len__"):
        found = type(images).__name__
        raise ValueError(
            f"images are {found}; give a folder, a list of PIL images, an array, or a Dataset with a length"
        )
    if not len(images):
        raise ValueError("there are no images: the list, array or data set is empty")
    first = images[0][0] if isinstance(images[0], tuple | list) else images[0]
    in_memory = isinstance(images, np.ndarray | Tensor | list | tuple)
    called, names = name or ("images" if in_memory else type(images).__name__), _names(images)
    if not (isinstance(first, Tensor) and first.is_floating_point()):
        return (PicturesInMemory if in_memory else DatasetImages)(images, name=called, names=names)
    shown(first, normalised, name="image 0")  # normalised, and nobody says how: better said before an hour of work
    mean, std = normalised or ((0.0,), (1.0,))
    kind = TensorsInMemory if in_memory else DatasetTensors
    return kind(images, mean=mean, std=std, name=called, names=names)


def _names(images: Any) -> list[str] | None:
    """Return the files' names of a torchvision folder data set; None: numbers will do."""
    samples, root = getattr(images, "samples", None), getattr(images, "root", None)
    if samples is None or root is None:
        return None
    return [Path(path).relative_to(root).as_posix() for path, *_ in samples]


def is_ready(source: ImageSource) -> bool:
    """Tell whether a source gives the network's own inputs."""
    return isinstance(source, DatasetTensors)
