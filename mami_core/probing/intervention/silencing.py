"""Put something else in the place of what units say, while the network runs; afterwards it is as it was, to the bit.

Zero ablation is MILAN's. A network was never trained with zeros where a unit is never zero, so there are also the
unit's mean over the images, and what it said of another image (resample ablation), which leaves its marginal as it is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Literal

from torch import Tensor, nn

from mami_core.dissection.units import Layout, as_maps

Method = Literal["zero", "mean", "resample"]
Units = Mapping[str, Sequence[int]]  # by layer
StandIn = Callable[[str, Sequence[int]], Tensor]  # (layer, units) → what fits (B, units, h, w)


@contextlib.contextmanager
def silenced(module: nn.Module, layouts: Mapping[str, Layout], units: Units, stand_in: StandIn) -> Iterator[None]:
    """Run the block with some units replaced by `stand_in` in whatever the network computes; the hooks go with it.

    ValueError for a layer that is not in `layouts` or that only reads another layer's attention.
    """
    modules = dict(module.named_modules())
    hooks = []
    try:
        for layer, chosen in units.items():
            if len(chosen):
                _check(layer, layouts)
                replacing = _Replacing(layer, layouts[layer], list(chosen), partial(stand_in, layer, chosen))
                hooks.append(modules[layer].register_forward_hook(replacing))
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _check(layer: str, layouts: Mapping[str, Layout]) -> None:
    if layer not in layouts:
        raise ValueError(f"no layer {layer!r} to silence units in; there are {', '.join(layouts)}")
    if layouts[layer].kind == "heads":
        raise ValueError(f"{layer} shows where attention heads look; silence units of the layer it belongs to")


class _Replacing:
    """A forward hook that hands on a copy of a layer's output with some units replaced."""

    def __init__(self, layer: str, layout: Layout, units: list[int], stand_in: Callable[[], Tensor]) -> None:
        self._layer, self._layout, self._units, self._stand_in = layer, layout, units, stand_in
        self._calls = 0

    def __call__(self, _module: nn.Module, _inputs: tuple[Any, ...], output: Any) -> Any:
        self._calls += 1
        if self._calls % self._layout.calls:  # a module that runs several times is a layer at its last run
            return output
        if isinstance(output, tuple) and output and isinstance(output[0], Tensor):
            return (self._replaced(output[0]), *output[1:])
        if not isinstance(output, Tensor):
            raise ValueError(f"{self._layer} gives {type(output).__name__}; only tensors can have units silenced")
        return self._replaced(output)

    def _replaced(self, output: Tensor) -> Tensor:
        changed = output.clone()  # what the layer itself gave may be looked at by others
        as_maps(changed, self._layout)[:, self._units] = self._stand_in().to(changed)  # a view: writes into the copy
        return changed
