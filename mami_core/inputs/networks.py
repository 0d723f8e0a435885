"""Open the network that a spec names: `torchvision:NAME`, `timm:NAME`, `hf:NAME`, `path.py:factory`."""

from __future__ import annotations

import difflib
import importlib.util
import inspect
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from mami_core.inputs.preprocess import Preprocess
from mami_core.inputs.weights import fit_weights, read_weights, sha256_of_weights

Sampler = Callable[[int, torch.Generator], Any]  # (n, generator) → inputs for n images: a tensor or a tuple


@dataclass(frozen=True, eq=False)
class Network:
    """A network ready to be dissected: in eval mode, on the CPU, with what turns an image into its input."""

    name: str
    module: nn.Module
    preprocess: Callable[[Image.Image], Tensor]  # RGB image → float32 (3, H, W)
    weights_sha256: str | None = None
    simulated: bool = False  # trained on the painted world
    generates: bool = False  # its own output (B, 3, H, W) is the exemplar image
    output_range: tuple[float, float] = (-1.0, 1.0)  # of a generator's pixels
    sample: Sampler | None = None  # draws a generator's inputs; None: standard normal of `latent_shape`
    latent_shape: tuple[int, ...] = ()


def open_network(
    spec: str,
    *,
    weights: str | Path | None = None,
    arguments: str | Mapping[str, Any] = "{}",
    resize: int | tuple[int, int] | None = None,
    crop: int | tuple[int, int] | None = None,
    mean: tuple[float, ...] | None = None,
    std: tuple[float, ...] | None = None,
) -> Network:
    """Open a network. Its own preprocessing is used unless `resize`, `crop`, `mean` or `std` say otherwise.

    `weights` is a .safetensors or .pth file, or for torchvision and timm `DEFAULT` or a weight's name; without it the
    weights are the constructor's (random, seeded with 0). `arguments` are the constructor's, as JSON or a mapping.
    Raises ValueError or FileNotFoundError with one sentence for anything that does not fit.
    """
    kind, _, rest = spec.partition(":")
    keywords = dict(json.loads(arguments) if isinstance(arguments, str) else arguments)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # a network without weights is the same one in every session
        if kind == "torchvision":
            network = _torchvision(rest, weights, keywords)
        elif kind in ("timm", "hf"):
            from mami_core.inputs.hubs import open_hub  # the hubs' libraries are extras

            network = open_hub(kind, rest, weights, keywords)
        else:
            network = _from_file(spec, keywords)
    if weights is not None and _is_file(weights):
        fit_weights(network.module, read_weights(Path(weights)), origin=str(weights))
    elif weights is not None and kind not in ("torchvision", "timm"):
        raise FileNotFoundError(f"no weights file {weights}; {spec} takes a .safetensors or .pth file")
    chosen = {"resize": resize, "crop": crop, "mean": mean, "std": std}
    network = replace(network, preprocess=_adjusted(network.preprocess, chosen))
    network.module.eval().requires_grad_(False)
    return replace(network, weights_sha256=sha256_of_weights(network.module))


def _is_file(weights: str | Path) -> bool:
    return Path(weights).suffix in (".safetensors", ".pth", ".pt", ".th", ".bin") or Path(weights).is_file()


def _adjusted(preprocess: Callable[[Image.Image], Tensor], chosen: Mapping[str, Any]) -> Callable[..., Tensor]:
    given = {name: value for name, value in chosen.items() if value is not None}
    if not given:
        return preprocess
    if not isinstance(preprocess, Preprocess):
        raise ValueError(f"the network brings its own preprocessing, so {', '.join(given)} cannot be set")
    if "crop" in given and "resize" not in given:
        given["resize"] = given["crop"]  # the default's 256 would not fit another crop
    return replace(preprocess, **given)


def _torchvision(name: str, weights: str | Path | None, keywords: dict[str, Any]) -> Network:
    from torchvision import models

    if name not in models.list_models(module=models):
        near = difflib.get_close_matches(name, models.list_models(module=models)) or ["resnet18"]
        raise ValueError(f"torchvision has no image classifier {name!r}; near matches: {', '.join(near)}")
    entry = None
    if weights is not None and not _is_file(weights):
        known = models.get_model_weights(name)
        if weights not in known.__members__:
            raise ValueError(f"torchvision:{name} has no weights {weights!r}; known: {', '.join(known.__members__)}")
        entry = known[str(weights)]
    presets = entry or next(iter(models.get_model_weights(name)), None)
    try:
        module = models.get_model(name, weights=entry, **keywords)
    except TypeError as problem:
        raise ValueError(f"torchvision:{name} does not take these arguments: {problem}") from None
    except OSError as problem:
        raise ValueError(f"weights {weights} of {name} could not be downloaded ({problem}); name a file") from None
    return Network(name=name, module=module, preprocess=_torchvision_preprocess(presets))


def _torchvision_preprocess(weights: Any) -> Preprocess:
    """Return the preprocessing that a torchvision weight was evaluated with."""
    if weights is None:
        return Preprocess()
    preset = weights.transforms()
    return Preprocess(
        resize=preset.resize_size[0],
        crop=preset.crop_size[0],
        mean=tuple(preset.mean),
        std=tuple(preset.std),
        interpolation=preset.interpolation.value,
    )


def _from_file(spec: str, keywords: dict[str, Any]) -> Network:
    """Call `factory` of `path.py:factory`; it gives a module, a (module, sampler) pair, or a Network."""
    place, _, factory_name = spec.rpartition(":")
    path = Path(place).expanduser()
    if not place.endswith(".py") or not factory_name:
        raise ValueError(
            f"network {spec!r} is none of torchvision:NAME, timm:NAME, hf:NAME, scenery:NAME or path.py:factory"
        )
    if not path.is_file():
        raise FileNotFoundError(f"no network file {path}; check the path before ':{factory_name}'")
    factory = getattr(module_at(path), factory_name, None)
    if not callable(factory):
        raise ValueError(f"{path} has no function {factory_name!r}; write {path.name}:factory")
    try:
        inspect.signature(factory).bind(**keywords)
    except TypeError as problem:
        raise ValueError(f"{spec} does not take these arguments: {problem}") from None
    return _as_network(factory(**keywords), spec, name=factory_name)


def module_at(path: Path) -> Any:
    """Run a user's Python file and return it as a module. ValueError where it is none."""
    name = f"mami_own_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickling look their module up by name
    spec.loader.exec_module(module)
    return module


def _as_network(made: Any, spec: str, *, name: str) -> Network:
    if isinstance(made, Network):
        return made
    module, sample = made if isinstance(made, tuple) and len(made) == 2 else (made, None)
    if not isinstance(module, nn.Module):
        raise ValueError(f"{spec} gave {type(module).__name__}; it must give a torch.nn.Module")
    return module_network(module, name=name, sample=sample)


def module_network(
    module: nn.Module,
    *,
    name: str,
    sample: Sampler | None = None,
    preprocess: Callable[[Image.Image], Tensor] | None = None,
) -> Network:
    """Return a user's module ready to be dissected; its attributes `name`, `preprocessing`, `latent_shape` and
    `output_range` are used where it has them.
    """
    options: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in dict(getattr(module, "preprocessing", {})).items()
    }
    latent = tuple(getattr(module, "latent_shape", ()))
    return Network(
        name=str(getattr(module, "name", name)),
        module=module,
        preprocess=preprocess or Preprocess(**options),
        weights_sha256=sha256_of_weights(module),
        generates=sample is not None or bool(latent),
        output_range=tuple(getattr(module, "output_range", (-1.0, 1.0))),  # type: ignore[arg-type]
        sample=sample,
        latent_shape=latent,
    )
