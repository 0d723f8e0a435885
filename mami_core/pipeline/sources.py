"""Open what a command names: networks and images, the painted world's among them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mami_core.inputs.images import open_images
from mami_core.inputs.networks import Network, open_network
from mami_core.inputs.source import ImageSource
from mami_core.inputs.weights import sha256_of_weights
from mami_core.scenery.images import SceneryImages
from mami_core.scenery.layouts import Layouts
from mami_core.scenery.networks import LAYERS, SIZE, load_network, to_input
from mami_core.store import find_weights

PREFIX = "scenery:"
LAYOUTS = "layouts:"


class SceneryView:
    """What a scenery network is fed: an image squashed to 112 px, in [-1, 1]."""

    def view(self, image: Image.Image) -> Image.Image:
        """Return the pixels that the network sees."""
        small = image.convert("RGB")
        return small if small.size == (SIZE, SIZE) else small.resize((SIZE, SIZE), Image.Resampling.BILINEAR)

    def tensor(self, view: Image.Image) -> Tensor:
        """Return a view as the network's input, float32 (3, 112, 112)."""
        pixels = torch.from_numpy(np.array(view)).permute(2, 0, 1)[None]  # (1, 3, 112, 112) uint8
        return to_input(pixels)[0]

    def __call__(self, image: Image.Image) -> Tensor:
        """Return the network's input for an image."""
        return self.tensor(self.view(image))


def open_any_network(
    spec: str,
    *,
    weights: str | Path | None = None,
    arguments: str | Mapping[str, Any] = "{}",
    resize: int | None = None,
    crop: int | None = None,
    mean: tuple[float, ...] | None = None,
    std: tuple[float, ...] | None = None,
) -> Network:
    """Open a network by its spec; `scenery:resnet` and `scenery:alexnet` take bundled weights unless others are named.

    Raises ValueError or FileNotFoundError with one sentence for anything that does not fit.
    """
    if not spec.startswith(PREFIX):
        return open_network(spec, weights=weights, arguments=arguments, resize=resize, crop=crop, mean=mean, std=std)
    if (resize, crop, mean, std) != (None,) * 4:
        raise ValueError(f"{spec} is fed {SIZE} x {SIZE} pixels; leave out --resize, --crop, --mean and --std")
    name = spec.removeprefix(PREFIX)
    if name not in LAYERS:
        raise ValueError(f"no network {spec!r}; the painted world has {', '.join(PREFIX + known for known in LAYERS)}")
    path = Path(weights) if weights is not None else find_weights(f"scenery-{name}.safetensors")
    return scenery_network(name, load_network(name, path))


def scenery_network(name: str, module: torch.nn.Module) -> Network:
    """Return one of the painted world's networks, or a copy such as `resnet-1`, ready to be dissected."""
    module.eval().requires_grad_(False)
    return Network(
        name=f"scenery-{name}",
        module=module,
        preprocess=SceneryView(),
        weights_sha256=sha256_of_weights(module),
        simulated=True,
        generates=name.startswith("generator"),
    )


def open_any_images(spec: str, *, include: str | None = None, network: Network | None = None) -> ImageSource:
    """Open images by their spec: a folder, an array file, `scenery:N[:SEED]`, or `layouts:N[:SEED]` of such scenes.

    `latents:N[:SEED]` are drawn by the generator `network`.
    """
    if not spec.startswith((PREFIX, LAYOUTS)):
        return open_images(spec, include=include, network=network)
    kind, _, numbers = spec.partition(":")
    count, _, seed = numbers.partition(":")
    if not count.isdecimal() or int(count) < 1 or not (seed or "0").isdecimal():
        raise ValueError(f"images {spec!r}: write {kind}:N or {kind}:N:SEED with whole numbers, N at least 1")
    scenes = SceneryImages(int(count), int(seed or 0))
    return scenes if spec.startswith(PREFIX) else Layouts(scenes)
