"""Regions of whole images, for captioners of images: a grid of a backbone's features, without any mask.

Show, Attend and Tell, section 3.1.1: 14 x 14 places of a convolutional map are what the decoder attends to. The
backbone is the painted world's parts encoder, or any network with weights given and a layer chosen.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from mami_core.captioning.encoder import CONFIG, WEIGHTS, RegionEncoder, grid_cover
from mami_core.captioning.features import Progress, UnitFeatures, UnitKey, exemplar_places
from mami_core.inputs.networks import Network
from mami_core.inputs.weights import fit_weights, sha256_of_weights
from mami_core.scenery.networks import SIZE, to_input
from mami_core.store import Dissection
from mami_core.store.atomic import replacing, sha256_of

KIND: Final = "image-grid"
GRID: Final = 14  # places each way: 196 regions
_CLIP: Final = 5.0  # standard deviations
_IMAGES_AT_ONCE: Final = 32
_BACKBONE: Final = "backbone."  # before the names of a fine-tuned backbone's weights

Maps = Callable[[Sequence[Image.Image]], Tensor]  # images → (n, C, h, w)


@dataclass(frozen=True, eq=False)
class ImageEncoder:
    """A frozen backbone with the mean and spread of its features over training images: regions come out standardised.

    `facts` say what the backbone is, and are part of what `sha256` covers. The regions of a unit's exemplars are the
    same regions, weighed by its masks: the backbone sees whole images, nothing is cut out.
    """

    name: str
    maps: Maps
    feature_size: int  # D
    mean: Tensor  # (D,)
    scale: Tensor  # (D,)
    facts: Mapping[str, Any] = field(default_factory=dict)
    grid: int = GRID
    sha256: str = ""
    opened_by: Mapping[str, Any] = field(default_factory=dict)  # what a user named it by, to open it again
    backbone: nn.Module | None = None  # behind `maps`: what fine-tuning changes

    @property
    def regions(self) -> int:
        """N: regions of an image."""
        return self.grid * self.grid

    @torch.inference_mode()
    def encode(self, images: Sequence[Image.Image]) -> Tensor:
        """Return the regions (n, N, D) of images, float16, row by row."""
        return self.live(images).half()

    def live(self, images: Sequence[Image.Image]) -> Tensor:
        """Return the regions (n, N, D) of images, float32, with their gradient in the backbone."""
        raw = self._raw(images)
        return ((raw - self.mean.to(raw.device)) / self.scale.to(raw.device)).clamp(-_CLIP, _CLIP)

    def finetuned(self) -> ImageEncoder:
        """Return the encoder under the name that its backbone's changed weights give it."""
        facts = {**self.facts, "finetuned": sha256_of_weights(self._known_backbone())}
        return replace(self, facts=facts, sha256=_digest(facts, self.grid, self.mean, self.scale))

    def with_backbone(self, weights: Mapping[str, Tensor]) -> ImageEncoder:
        """Return the encoder with a fine-tuned backbone's weights; ValueError where they do not fit."""
        fit_weights(self._known_backbone(), dict(weights), origin="the fine-tuned encoder")
        return self.finetuned()

    def _known_backbone(self) -> nn.Module:
        if self.backbone is None:
            raise ValueError(f"encoder {self.name} has no backbone at hand that could be trained")
        return self.backbone

    def _raw(self, images: Sequence[Image.Image]) -> Tensor:
        maps = F.adaptive_avg_pool2d(self.maps(images).float(), self.grid)  # (n, D, g, g)
        return maps.flatten(2).transpose(1, 2)  # (n, N, D)

    def describe_units(
        self, dissection: Dissection, keys: Sequence[UnitKey], progress: Progress | None = None
    ) -> UnitFeatures:
        """Return the regions of units `keys` that their masks touch; see `captioning.features.unit_features`."""
        places = exemplar_places(dissection, keys)
        found: dict[tuple[int, int], _Seen] = {}  # by row and rank
        ids = sorted(places)
        covers = {key: grid_cover(dissection, key, (self.grid, self.grid)) for key in keys}  # each (k, g, g)
        for start in range(0, len(ids), _IMAGES_AT_ONCE):
            chunk = ids[start : start + _IMAGES_AT_ONCE]
            regions = self.encode([dissection.images.image(number) for number in chunk]).numpy()  # (n, N, D)
            for place, number in enumerate(chunk):
                for row, rank in places[number]:
                    cover = covers[keys[row]][rank].ravel()  # (N,)
                    if cover.any():
                        cells = np.flatnonzero(cover)
                        found[row, rank] = _Seen(cells, regions[place][cells], cover[cells] / cover.sum())
            if progress is not None:
                progress((start + len(chunk)) * len(keys) // len(ids), len(keys))
        return _packed(keys, found, exemplars=next(iter(covers.values())).shape[0], grid=self.grid)

    def fitted(self, images: Sequence[Image.Image], *, batch_size: int = 32) -> ImageEncoder:
        """Return the encoder with mean and spread of these images' regions."""
        with torch.inference_mode():
            parts = [self._raw(images[start : start + batch_size]) for start in range(0, len(images), batch_size)]
            regions = torch.cat(parts).flatten(0, 1)  # (n N, D)
            found = regions.mean(0), regions.std(0) + 1e-3
        mean, scale = (value.clone() for value in found)  # outside, they are tensors like any others
        return replace(self, mean=mean, scale=scale, sha256=_digest(self.facts, self.grid, mean, scale))


def parts_grid(encoder: RegionEncoder) -> ImageEncoder:
    """Return a parts encoder as an encoder of whole images: its 28 x 28 features, averaged to 14 x 14."""

    def maps(images: Sequence[Image.Image]) -> Tensor:
        pixels = [image if image.size == (SIZE, SIZE) else image.resize((SIZE, SIZE), Image.Resampling.BILINEAR)
                  for image in images]  # fmt: skip
        batch = to_input(np.stack([np.asarray(image).transpose(2, 0, 1) for image in pixels]))  # (n, 3, 112, 112)
        batch = batch.to(encoder.backbone.head.weight.device, memory_format=torch.channels_last)
        return encoder.backbone.trunk(batch)  # (n, 96, 28, 28)

    facts = {"backbone": encoder.name, "weights": encoder.sha256}
    return _unfitted(f"{encoder.name}/grid", maps, encoder.backbone.features, facts, encoder.backbone)


def network_grid(network: Network, layer: str | None = None) -> ImageEncoder:
    """Return any network as an encoder of whole images, by the output of `layer`.

    None: the last layer whose map has 14 x 14 places or more, as Show, Attend and Tell take of VGG.
    """
    shapes = _map_shapes(network)
    if layer is None:
        layer = next((name for name in reversed(shapes) if min(shapes[name][2:]) >= GRID), None)
    if layer is None or layer not in shapes:
        known = ", ".join(list(shapes)[-5:]) or "none"
        raise ValueError(f"{network.name} has no layer {layer!r} with a map of places; the last ones are {known}")
    chosen = layer

    def maps(images: Sequence[Image.Image]) -> Tensor:
        batch = torch.stack([network.preprocess(image) for image in images])
        return _output_of(network, chosen, batch.to(next(network.module.parameters()).device))

    facts = {"backbone": network.name, "weights": network.weights_sha256, "layer": layer}
    return _unfitted(f"{network.name}:{layer}", maps, shapes[layer][1], facts, network.module)


class _Seen(NamedTuple):
    """What a unit's mask shows of one exemplar: M regions of the grid."""

    cells: np.ndarray  # (M,)
    values: np.ndarray  # (M, D)
    weights: np.ndarray  # (M,): sum to 1


def _packed(
    keys: Sequence[UnitKey], found: Mapping[tuple[int, int], _Seen], *, exemplars: int, grid: int
) -> UnitFeatures:
    """Return units' regions one after the other; exemplars with a mask count the same, however large it is."""
    order = sorted(found)  # by row, then rank
    shown = np.bincount([row for row, _ in order], minlength=len(keys))  # exemplars of each unit
    sizes = np.bincount(
        [row for row, _ in order], weights=[len(found[place].cells) for place in order], minlength=len(keys)
    )
    return UnitFeatures(
        keys=tuple(keys),
        grid=(exemplars, grid, grid),
        offsets=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        cells=np.concatenate([rank * grid * grid + found[row, rank].cells for row, rank in order]).astype(np.int32),
        values=np.concatenate([found[place].values for place in order]),
        weights=np.concatenate([found[row, rank].weights / shown[row] for row, rank in order]).astype(np.float32),
    )


def _unfitted(name: str, maps: Maps, size: int, facts: Mapping[str, Any], backbone: nn.Module) -> ImageEncoder:
    return ImageEncoder(name, maps, size, torch.zeros(size), torch.ones(size), facts, backbone=backbone)


def _map_shapes(network: Network) -> dict[str, tuple[int, ...]]:
    """Return the shapes of all outputs (1, C, h, w), in the order in which layers run."""
    shapes: dict[str, tuple[int, ...]] = {}

    def note(name: str, output: Any) -> None:
        if isinstance(output, Tensor) and output.ndim == 4 and output.shape[-1] > 1:
            shapes[name] = tuple(output.shape)

    modules = [(name, module) for name, module in network.module.named_modules() if name]
    hooks = [module.register_forward_hook(lambda _m, _i, out, name=name: note(name, out)) for name, module in modules]
    try:
        with torch.inference_mode():
            network.module(network.preprocess(Image.new("RGB", (SIZE, SIZE)))[None])
    finally:
        for hook in hooks:
            hook.remove()
    return shapes


class _FoundError(Exception):
    """Ends a forward pass where the layer asked for has run: what follows is not needed."""


def _output_of(network: Network, layer: str, batch: Tensor) -> Tensor:
    kept: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
        kept.append(output)
        raise _FoundError

    hook = network.module.get_submodule(layer).register_forward_hook(keep)
    try:
        network.module(batch)
    except _FoundError:
        pass
    finally:
        hook.remove()
    return kept[0]


def _digest(facts: Mapping[str, Any], grid: int, mean: Tensor, scale: Tensor) -> str:
    body = json.dumps({"facts": dict(facts), "grid": grid}, sort_keys=True).encode()
    return hashlib.sha256(body + mean.numpy().tobytes() + scale.numpy().tobytes()).hexdigest()


def save_image_encoder(encoder: ImageEncoder, folder: Path) -> None:
    """Write what was fitted: mean, spread, and which backbone they belong to; the backbone too where it was tuned."""
    tensors = {"mean": encoder.mean, "scale": encoder.scale}
    if "finetuned" in encoder.facts and encoder.backbone is not None:
        tensors |= {f"{_BACKBONE}{name}": value.detach().cpu() for name, value in encoder.backbone.state_dict().items()}
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / WEIGHTS) as partial:
        save_file({name: value.clone().contiguous() for name, value in tensors.items()}, partial)
    body = {
        "kind": KIND,
        "name": encoder.name,
        "grid": encoder.grid,
        "facts": dict(encoder.facts),
        "opened_by": dict(encoder.opened_by),
        "sha256": encoder.sha256,
        "weights_sha256": sha256_of(folder / WEIGHTS),
    }
    with replacing(folder / CONFIG) as partial:
        partial.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")


def load_fit(encoder: ImageEncoder, folder: Path) -> ImageEncoder:
    """Return `encoder` with the mean and spread that were saved; ValueError where they are another backbone's."""
    body = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    tensors = load_file(folder / WEIGHTS)
    tuned = {name.removeprefix(_BACKBONE): value for name, value in tensors.items() if name.startswith(_BACKBONE)}
    if tuned:
        encoder = encoder.with_backbone(tuned)
    found = _digest(encoder.facts, encoder.grid, tensors["mean"], tensors["scale"])
    if body.get("kind") != KIND or body.get("sha256") != found:
        raise ValueError(f"{folder} was fitted to another backbone than {encoder.name}, or has changed since")
    return replace(encoder, mean=tensors["mean"], scale=tensors["scale"], sha256=found)
