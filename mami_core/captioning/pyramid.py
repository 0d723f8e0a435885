"""MILAN's encoder: one vector an exemplar, the masked means of several layers of a torchvision network side by side.

Hernandez et al. 2022, "Natural Language Descriptions of Deep Visual Features", section 4.1. Attention over these
vectors says which exemplar is looked at, not where in it. An image is encoded once, whatever number of units share it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from mami_core.captioning.encoder import CONFIG, WEIGHTS
from mami_core.captioning.features import Progress, UnitFeatures, UnitKey, exemplar_places
from mami_core.dissection.masks import masks, outside_of
from mami_core.store import Dissection
from mami_core.store.atomic import replacing, sha256_of

KIND: Final = "milan-pyramid"
SIZE: Final = 224  # pixels, width and height
CHANNELS: Final[Mapping[str, int]] = {"alexnet": 1152, "resnet18": 1024, "resnet50": 3904, "resnet101": 3904}
_ALEXNET: Final = (1, 4, 7, 9, 11)  # the ReLUs: they write into the convolutions' output, which the reference reads
_RESNET: Final = ("layer1", "layer2", "layer3", "layer4")
_HEADS: Final = ("fc.", "classifier.")  # of the classifiers; not needed to encode
_IMAGES_AT_ONCE: Final = 8
_NORM: Final = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}  # ImageNet's


@dataclass(frozen=True, eq=False)
class PyramidEncoder:
    """A torchvision network and which of its layers are pooled; frozen, in eval mode."""

    config: str  # alexnet, resnet18, resnet50 or resnet101
    network: nn.Module
    mean: Tensor  # (1, 3, 1, 1) of pixels in [0, 1]
    std: Tensor
    name: str = KIND
    sha256: str = ""

    @property
    def feature_size(self) -> int:
        """D: channels of all layers together."""
        return CHANNELS[self.config]

    def maps(self, images: Tensor) -> list[Tensor]:
        """Return the layers' maps (n, C, h, w) of images (n, 3, H, W) in [0, 1]."""
        x = (images - self.mean) / self.std
        found: list[Tensor] = []
        if self.config == "alexnet":
            for place, module in enumerate(self.network.features):  # type: ignore[arg-type]
                x = module(x)
                found += [x] if place in _ALEXNET else []
            return found
        parts = dict(self.network.named_children())
        found.append(parts["conv1"](x))  # before the norm, as the reference hooks it
        x = parts["maxpool"](parts["relu"](parts["bn1"](found[0])))
        for name in _RESNET:
            x = parts[name](x)
            found.append(x)
        return found

    @torch.inference_mode()
    def pool(self, images: Tensor, where: Tensor | None = None) -> Tensor:
        """Return one vector (n, D) per image (n, 3, H, W) in [0, 1] under its mask `where` (n, 1, H, W), or its mean.

        A mask that covers nothing of a layer's map gives zeros there, as in the reference.
        """
        layers = self.maps(images)
        if where is None:
            return torch.cat([layer.mean((2, 3)) for layer in layers], 1)  # (n, D)
        shares = [mask_share(where, (layer.shape[2], layer.shape[3])) for layer in layers]  # each (n, 1, h, w)
        return torch.cat([(layer * share).sum((2, 3)) for layer, share in zip(layers, shares, strict=True)], 1)

    def describe_units(
        self, dissection: Dissection, keys: Sequence[UnitKey], progress: Progress | None = None
    ) -> UnitFeatures:
        """Return one region per exemplar of units `keys`, float32; see `captioning.features.unit_features`."""
        places = exemplar_places(dissection, keys)
        k = dissection.maps(keys[0][0]).shape[1]
        values = np.zeros((len(keys), k, self.feature_size), dtype=np.float32)
        have = np.zeros((len(keys), k), dtype=bool)
        ids, done = sorted(places), 0
        for start in range(0, len(ids), _IMAGES_AT_ONCE):
            chunk = ids[start : start + _IMAGES_AT_ONCE]
            pixels = torch.stack([_pixels(dissection.images.image(number)) for number in chunk])
            with torch.inference_mode():
                layers = self.maps(pixels)
            for place, number in enumerate(chunk):
                rows, ranks = np.array(places[number]).T
                where = self._masks(dissection, [keys[row] for row in rows], ranks)
                values[rows, ranks] = _pooled([layer[place] for layer in layers], where).numpy()
                have[rows, ranks] = True
            done += len(chunk)
            if progress is not None:
                progress(done * len(keys) // len(ids), len(keys))
        return _packed(keys, values, have)

    def _masks(self, dissection: Dissection, keys: Sequence[UnitKey], ranks: np.ndarray) -> Tensor:
        """Return the masks (P, 1, 224, 224) of some units' exemplars on one image."""
        outside = outside_of(dissection)
        found = []
        for key, rank in zip(keys, ranks.tolist(), strict=True):
            small = torch.from_numpy(np.array(dissection.maps(key[0])[dissection.row(*key), rank], dtype=np.float32))
            threshold = torch.tensor([dissection.statistics(*key).threshold])
            found.append(masks(small[None, None], threshold, (SIZE, SIZE), outside=outside))  # (1, 1, 224, 224)
        return torch.cat(found)


def mask_share(where: Tensor, size: tuple[int, int]) -> Tensor:
    """Return how much each place of a map counts: masks (n, 1, H, W) at `size`, each summing to 1 or all 0."""
    small = F.interpolate(where.float(), size, mode="bilinear")  # (n, 1, h, w)
    total = small.sum((2, 3), keepdim=True)  # (n, 1, 1, 1)
    empty = torch.isclose(total, torch.zeros_like(total))
    return small / torch.where(empty, torch.ones_like(total), total)


def _pooled(layers: Sequence[Tensor], where: Tensor) -> Tensor:
    """Return one image's layers (C, h, w) pooled under each of P masks `where` (P, 1, H, W): (P, D)."""
    shares = [mask_share(where, (layer.shape[1], layer.shape[2])) for layer in layers]
    return torch.cat(
        [share.flatten(1) @ layer.flatten(1).T for layer, share in zip(layers, shares, strict=True)], 1
    )  # (P, D)


def _pixels(image: Image.Image) -> Tensor:
    """Return an image as the encoder takes it, float (3, 224, 224) in [0, 1]."""
    right = image if image.size == (SIZE, SIZE) else image.resize((SIZE, SIZE), Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(right)).permute(2, 0, 1).float() / 255


def _packed(keys: Sequence[UnitKey], values: np.ndarray, have: np.ndarray) -> UnitFeatures:
    """Return units' vectors (U, k, D), those of exemplars that are missing left out, with equal weights."""
    counts = have.sum(1)  # (U,)
    return UnitFeatures(
        keys=tuple(keys),
        grid=(have.shape[1], 1, 1),
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        cells=np.nonzero(have)[1].astype(np.int32),
        values=values[have],
        weights=np.repeat(1 / counts.astype(np.float32), counts),
    )


def build_pyramid(config: str, weights: Mapping[str, Tensor], *, name: str = KIND, sha256: str = "") -> PyramidEncoder:
    """Return the encoder of a configuration with torchvision's keys in `weights`, and `mean` and `std` where given.

    ValueError for a configuration that MILAN does not have, or weights that are missing or of another shape.
    """
    if config not in CHANNELS:
        raise ValueError(f"no pyramid encoder {config!r}; MILAN has {', '.join(CHANNELS)}")
    from torchvision import models

    with torch.random.fork_rng(devices=[]):
        network = models.get_model(config, weights=None)
    for head in (part.removesuffix(".") for part in _HEADS):
        if hasattr(network, head):
            setattr(network, head, nn.Identity())
    wanted = network.state_dict()
    wrong = [key for key in wanted if key not in weights or weights[key].shape != wanted[key].shape]
    extra = [key for key in weights if key not in wanted and key not in _NORM and not key.startswith(_HEADS)]
    if wrong or extra:
        raise ValueError(f"the weights do not fit a {config} encoder: {', '.join([*wrong, *extra][:5])}")
    network.load_state_dict({key: weights[key] for key in wanted})
    network.eval().requires_grad_(False)
    norm = {key: weights.get(key, torch.tensor(value)).float().reshape(1, 3, 1, 1) for key, value in _NORM.items()}
    return PyramidEncoder(config, network, norm["mean"], norm["std"], name, sha256)


def save_pyramid(encoder: PyramidEncoder, folder: Path) -> PyramidEncoder:
    """Write an encoder as `encoder.json` and `weights.safetensors`; return it as it reads back."""
    tensors = {**encoder.network.state_dict(), "mean": encoder.mean, "std": encoder.std}
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / WEIGHTS) as partial:
        save_file({key: value.clone().contiguous() for key, value in tensors.items()}, partial)
    body = {"kind": KIND, "name": encoder.name, "config": encoder.config}
    with replacing(folder / CONFIG) as partial:
        partial.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
    return load_pyramid(folder, body)


def load_pyramid(folder: Path, body: Mapping[str, Any]) -> PyramidEncoder:
    """Read an encoder's folder, whose configuration is `body`; ValueError says what does not fit."""
    if not isinstance(body.get("config"), str) or not isinstance(body.get("name"), str):
        raise ValueError(f"{folder / CONFIG} is damaged: it names no configuration")
    digest = hashlib.sha256((sha256_of(folder / WEIGHTS) + sha256_of(folder / CONFIG)).encode()).hexdigest()
    return build_pyramid(body["config"], load_file(folder / WEIGHTS), name=body["name"], sha256=digest)
