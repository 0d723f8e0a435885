"""Which layers a network has, in the order the data meets them, and what each puts out: found by one trial pass."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from mami_core.dissection.heads import HEADS, head_count
from mami_core.dissection.units import Layout, first_tensor, layout_of
from mami_core.inputs import FeedsNetwork, ImageSource, Network

_TRIAL = 2  # images of the trial pass: enough to tell the batch axis from any other
_NOT_BY_DEFAULT = (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm)


@dataclass(frozen=True, slots=True)
class LayerShape:
    """One layer that can be dissected; `default` where `dissect` takes it when no layers are named."""

    name: str
    type: str
    kind: str
    units: int
    height: int
    width: int
    default: bool


def feed(network: Network, images: ImageSource | None, index: int) -> tuple[Tensor, ...]:
    """Return what the network is fed for one image, without batch dimension; one entry per argument."""
    if isinstance(images, FeedsNetwork):
        found = images.inputs(index)
        return found if isinstance(found, tuple) else (found,)
    if images is None:
        return (network.preprocess(Image.new("RGB", (256, 256), "gray")),)
    return (network.preprocess(images.load(index)),)


@torch.inference_mode()
def survey(network: Network, inputs: Sequence[Tensor]) -> dict[str, Layout]:
    """Return the layout of every layer with units, in the order in which they give their (last) output.

    `inputs` is one image's, each without batch dimension; it is doubled so that the batch axis can be recognised.
    """
    module = network.module
    outputs: dict[str, Tensor] = {}
    calls: dict[str, int] = {}
    grids: list[tuple[int, int]] = []

    def see(name: str, layer: nn.Module, output: Any) -> None:
        calls[name] = calls.get(name, 0) + 1
        tensor = first_tensor(output)
        outputs.pop(name, None)  # a later call moves the layer to its later place
        if tensor is not None:
            outputs[name] = tensor
        if not grids and isinstance(layer, nn.Conv2d) and layer.kernel_size == layer.stride and layer.stride[0] > 1:
            grids.append((tensor.shape[-2], tensor.shape[-1]) if tensor is not None else (0, 0))

    hooks = [
        layer.register_forward_hook(lambda layer, _inputs, output, name=name: see(name, layer, output))
        for name, layer in module.named_modules()
        if name
    ]
    device = next((p.device for p in module.parameters()), torch.device("cpu"))
    try:
        module(*(torch.stack([entry] * _TRIAL).to(device) for entry in inputs))
    except (RuntimeError, TypeError, ValueError, AssertionError) as problem:  # torch._assert is torchvision's way
        shapes = ", ".join(str((_TRIAL, *entry.shape)) for entry in inputs)
        raise ValueError(f"{network.name} cannot be run on an input of {shapes}: {problem}") from problem
    finally:
        for hook in hooks:
            hook.remove()
    last = _channels_last(module)
    grid = grids[0] if grids else None
    found = {n: layout_of(o, batch=_TRIAL, grid=grid, channels_last=last) for n, o in outputs.items()}
    return _with_heads(module, {n: replace(x, calls=calls[n]) for n, x in found.items() if x is not None})


def _with_heads(module: nn.Module, layouts: Mapping[str, Layout]) -> dict[str, Layout]:
    """Return the layouts with, after each attention module, its heads as a layer of their own."""
    modules = dict(module.named_modules())
    complete: dict[str, Layout] = {}
    for name, layout in layouts.items():
        complete[name] = layout
        heads = head_count(modules[name]) if layout.kind == "tokens" else None
        if heads is not None:
            complete[name + HEADS] = replace(layout, kind="heads", units=heads, batch_axis=0)
    return complete


def _channels_last(module: nn.Module) -> bool:
    return any("swin" in type(part).__name__.lower() for part in module.modules())  # Swin keeps (B, h, w, U) throughout


def choose_layers(network: Network, layouts: Mapping[str, Layout], wanted: Sequence[str]) -> tuple[str, ...]:
    """Return the layers to dissect, in the order the data meets them: those wanted, or the network's stages.

    ValueError with near matches for a layer that is not there or gives nothing like units.
    """
    if not wanted:
        return default_layers(network, layouts)
    modules = dict(network.module.named_modules())
    for name in wanted:
        if name.removesuffix(HEADS) not in modules:
            near = difflib.get_close_matches(name, [n for n in modules if n], cutoff=0.4) or list(layouts)[:3]
            raise ValueError(f"{network.name} has no layer {name!r}; near matches: {', '.join(near)}")
        if name not in layouts:
            raise ValueError(f"layer {name!r} of {network.name} never ran or gives no maps; see `mami layers`")
    return tuple(name for name in layouts if name in set(wanted))


def default_layers(network: Network, layouts: Mapping[str, Layout]) -> tuple[str, ...]:
    """Return the network's stages: at the shallowest depth with at least three, every spatial layer with weights."""
    modules = dict(network.module.named_modules())
    inside = [name for name, layout in layouts.items() if name in modules and _is_stage(modules[name], layout)]
    best: tuple[str, ...] = ()
    for depth in sorted({name.count(".") for name in inside}):
        level = tuple(name for name in inside if _at_depth(name, depth, inside))
        if len(level) > len(best):
            best = level
        if len(best) >= 3:
            break
    return best or tuple(layouts)[-1:]


def _at_depth(name: str, depth: int, names: Sequence[str]) -> bool:
    """Tell whether `name` stands at `depth`, or above it with nothing of its own below."""
    return name.count(".") == depth or (
        name.count(".") < depth and not any(other.startswith(f"{name}.") for other in names)
    )


def _is_stage(module: nn.Module, layout: Layout) -> bool:
    spatial = layout.kind != "vector" and layout.height * layout.width > 1
    weighted = any(True for _ in module.parameters())
    return spatial and weighted and not isinstance(module, _NOT_BY_DEFAULT)


def list_layers(network: Network, images: ImageSource | None = None) -> list[LayerShape]:
    """Return every layer that can be dissected, in the order the data meets them; sizes are for a trial image."""
    layouts = survey(network, feed(network, images, 0))
    modules = dict(network.module.named_modules())
    chosen = set(default_layers(network, layouts))
    return [
        LayerShape(n, type(modules[n.removesuffix(HEADS)]).__name__, x.kind, x.units, x.height, x.width, n in chosen)
        for n, x in layouts.items()
    ]
