"""Hand each layer's output on at the moment it is made, before a successor can overwrite it, and keep none of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from torch import Tensor, nn

from mami_core.dissection.heads import HEADS, attention_input, head_attention
from mami_core.dissection.units import Layout, as_maps, first_tensor

Consumer = Callable[[str, Tensor], None]  # (layer, maps (B, U, h, w)); the maps are only valid during the call


class _EverythingSeenError(Exception):
    """Ends a forward pass whose remaining layers nobody asked for."""


class Reader:
    """Runs a network and hands on what its layers put out."""

    def __init__(self, module: nn.Module, layouts: Mapping[str, Layout], consume: Consumer, *, late: bool) -> None:
        self._module = module
        self._layouts = layouts
        self._consume = consume
        self._late = late
        self._calls: dict[str, int] = {}
        self._held: dict[str, Tensor] = {}
        self._waiting: set[str] = set()

    def see(self, name: str, layer: nn.Module, inputs: tuple[Any, ...], keywords: dict[str, Any], output: Any) -> None:
        """Hand on one module's output."""
        self._calls[name] = self._calls.get(name, 0) + 1
        if self._calls[name] != self._layouts[name].calls:
            return  # a module that runs several times is read at its last run
        if self._layouts[name].kind == "heads":
            output = head_attention(layer, attention_input(layer, inputs, keywords), self._layouts[name].prefix)
        tensor = first_tensor(output)
        if tensor is None:
            raise ValueError(f"layer {name!r} gave no tensor this time")
        maps = as_maps(tensor, self._layouts[name])
        if self._late:
            self._held[name] = maps  # not a copy: an in-place successor shows through, as in the reference
            return
        self._consume(name, maps)
        self._waiting.discard(name)
        if not self._waiting:
            raise _EverythingSeenError

    def run(self, inputs: tuple[Tensor, ...]) -> None:
        """Run one batch. Early reading stops after the deepest wanted layer: the rest of the pass is not needed."""
        self._calls.clear()
        self._waiting = set(self._layouts)
        with contextlib.suppress(_EverythingSeenError):
            self._module(*inputs)
        for name, maps in self._held.items():
            self._consume(name, maps)
        self._held.clear()


@contextlib.contextmanager
def reading(
    module: nn.Module, layouts: Mapping[str, Layout], consume: Consumer, *, late: bool = False
) -> Iterator[Reader]:
    """Give a reader of `layouts`' layers; the hooks are gone when the block ends.

    `late` reads after the whole pass, when an in-place ReLU has overwritten the convolution before it: what the MILAN
    reference records (its hook keeps the tensor itself).
    """
    reader = Reader(module, layouts, consume, late=late)
    modules = dict(module.named_modules())
    hooks = [
        modules[name.removesuffix(HEADS)].register_forward_hook(partial(reader.see, name), with_kwargs=True)
        for name in layouts
    ]
    try:
        yield reader
    finally:
        for hook in hooks:
            hook.remove()
