"""A network up to one layer, from pixels and differentiable. A unit is what it is in a dissection of that layer."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor

from mami_core.dissection.hooks import reading
from mami_core.dissection.layers import choose_layers, survey
from mami_core.dissection.units import Layout
from mami_core.inputs import Network
from mami_core.probing.pixels import Colours, own_size
from mami_core.probing.relus import remembered

LARGEST = 128  # pixels, where no size is asked for


class LayerProbe:
    """Runs a network up to `layer` on pixels (B, 3, H, W) in [0, 1] of one size, keeping gradients."""

    def __init__(self, network: Network, layer: str, size: tuple[int, int]) -> None:
        """Look at the layer once. ValueError where it, or a network that takes pictures of this size, is not there."""
        if network.generates:
            raise ValueError(f"{network.name} makes images and takes none: nothing can be optimised or attributed")
        self.network = network
        self.size = size
        self.device = next((weight.device for weight in network.module.parameters()), torch.device("cpu"))
        self._colours = Colours.of(network.preprocess)
        layouts = survey(network, (self._colours(torch.full((1, 3, *size), 0.5))[0],))
        self.layer = choose_layers(network, layouts, (layer or last_layer(layouts),))[0]
        self.layout = layouts[self.layer]

    def maps(self, pixels: Tensor) -> Tensor:
        """Return the layer's maps (B, U, h, w); the rest of the network is not run."""
        found: list[Tensor] = []
        with reading(self.network.module, {self.layer: self.layout}, lambda _name, maps: found.append(maps)) as reader:
            reader.run((self._colours(pixels),))
        return found[0]

    def unrectified(self, pixels: Tensor) -> Tensor:
        """Return the maps (B, U, h, w) before the ReLU that made them; the maps themselves where none did."""
        with remembered() as rectified:
            maps = self.maps(pixels)
            before = rectified.behind(maps)
        return maps if before is None else before

    @property
    def identity(self) -> str:
        """Return what tells networks of equal weights apart, as a hash: their modules, what colours they are fed."""
        colours = (self._colours.matrix.tolist(), self._colours.offset.tolist())
        return hashlib.sha256(f"{self.network.module!r}{colours}".encode()).hexdigest()

    def check_unit(self, unit: int) -> None:
        """Raise ValueError for a unit that the layer has not."""
        if not 0 <= unit < self.layout.units:
            raise ValueError(
                f"layer {self.layer!r} of {self.network.name} has units 0-{self.layout.units - 1}, not {unit}"
            )


def last_layer(layouts: dict[str, Layout]) -> str:
    """Return the layer that gives the network's output: a classifier's logits."""
    return list(layouts)[-1]


def open_probe(network: Network, layer: str, size: int | None = None) -> LayerProbe:
    """Return a probe at `size` pixels; None: the network's own size, at most 128 where it takes other sizes too.

    `layer` "" is the network's output. ValueError as `LayerProbe` raises it.
    """
    if size is not None:
        return LayerProbe(network, layer, (size, size))
    own = own_size(network)
    try:
        return LayerProbe(network, layer, (min(own[0], LARGEST), min(own[1], LARGEST)))
    except ValueError:
        return LayerProbe(network, layer, own)  # transformers take one size; any other fault is said again
