"""More units to train captioners on, from networks that are there: sums of two channels, as polysemantic units are.

A captioner trained on a thousand units is starved of units, not of words: more units raised the share that names the
top part from .69 to .75 in our study. A sum of two channels fires for either's concept, costs nothing in the forward
pass, and is described by what its own masks hold like any other unit.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial

import torch
from torch import Tensor, nn

PREFIX = "sums."


class PairSum(nn.Module):
    """Add pairs of channels, each divided by its spread, so that neither drowns the other."""

    first: Tensor
    second: Tensor
    scale: Tensor

    def __init__(self, first: Tensor, second: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.register_buffer("first", first)  # (P,) channel numbers
        self.register_buffer("second", second)  # (P,)
        self.register_buffer("scale", scale)  # (C,) standard deviations

    def forward(self, maps: Tensor) -> Tensor:
        """Return the sums (B, P, h, w) of maps (B, C, h, w)."""
        even = maps / self.scale[:, None, None]
        return even[:, self.first] + even[:, self.second]


class Polysemantic(nn.Module):
    """A network whose layers have a twin `sums.<layer>` of units that are sums of two of the layer's channels.

    Dissect it like any network, with `sum_layers` as layers; one forward pass serves both.
    """

    def __init__(
        self,
        network: nn.Module,
        layers: Sequence[str],
        images: Tensor,
        *,
        share: float = 0.5,
        seed: int = 0,
        leave_out: Mapping[str, Collection[int]] | None = None,
    ) -> None:
        """Draw `share` times as many pairs as a layer has channels.

        images (n, 3, H, W), as the network takes them: where the channels' spread is measured. `leave_out`: channels
        by layer that may not be in a pair; name those of validation and test units, or a captioner would learn them.
        """
        super().__init__()
        self.network = network
        self._layers = tuple(layers)
        modules = dict(network.named_modules())
        unknown = [layer for layer in layers if layer not in modules]
        if unknown:
            raise ValueError(f"{type(network).__name__} has no layer {unknown[0]!r}")
        generator = torch.Generator().manual_seed(seed)
        spreads = _spreads(network, layers, images)
        self.sums = nn.ModuleDict()
        for layer in layers:
            barred = set((leave_out or {}).get(layer, ()))
            self.sums[_key(layer)] = _pairs(layer, spreads[layer], share, barred, generator)

    @property
    def sum_layers(self) -> tuple[str, ...]:
        """Return the names of the layers of sums."""
        return tuple(PREFIX + _key(layer) for layer in self._layers)

    def forward(self, x: Tensor) -> Tensor:
        """Return what the network puts out; on the way, each layer's sums are made, for whoever listens."""
        modules = dict(self.network.named_modules())
        hooks = [modules[layer].register_forward_hook(partial(_add, self.sums[_key(layer)])) for layer in self._layers]
        try:
            return self.network(x)
        finally:  # the network itself stays as it was
            for hook in hooks:
                hook.remove()


def _add(sums: nn.Module, _module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
    sums(output)


def _key(layer: str) -> str:
    return layer.replace(".", "_")  # a module's name holds no dots


@torch.no_grad()
def _spreads(network: nn.Module, layers: Sequence[str], images: Tensor) -> dict[str, Tensor]:
    """Return each layer's channels' standard deviations (C,) over images and positions."""
    found: dict[str, Tensor] = {}

    def keep(name: str, _module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        found[name] = output.transpose(0, 1).flatten(1).std(1)

    modules = dict(network.named_modules())
    hooks = [modules[layer].register_forward_hook(partial(keep, layer)) for layer in layers]
    try:
        network(images)
    finally:
        for hook in hooks:
            hook.remove()
    return found


def _pairs(layer: str, spread: Tensor, share: float, barred: set[int], generator: torch.Generator) -> PairSum:
    usable = [channel for channel in (spread > 1e-3).nonzero().flatten().tolist() if channel not in barred]
    if len(usable) < 2:
        raise ValueError(f"layer {layer!r} has {len(usable)} channels that may be paired; it needs two")
    count = max(1, round(share * len(spread)))
    draws = torch.stack([torch.randperm(len(usable), generator=generator)[:2] for _ in range(count)])  # (P, 2)
    chosen = torch.tensor(usable)[draws]
    return PairSum(chosen[:, 0], chosen[:, 1], spread.clamp_min(1e-3))
