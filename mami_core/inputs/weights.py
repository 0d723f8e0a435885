"""Weights from files: safetensors, or `.pth` read without running anything that is pickled in it."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

_NESTED = ("state_dict", "model_state_dict", "model", "net", "network")  # where training scripts put the weights
_PREFIXES = ("module.", "model.", "_orig_mod.")  # what DataParallel, wrappers and torch.compile put before each key


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a `.safetensors`, `.pth`, `.pt`, `.th` or `.bin` file, on the CPU.

    Raises FileNotFoundError when it is not there, ValueError when it is damaged or would need unpickling of code.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no weights file {path}; check the path given as --weights")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise ValueError(f"{path} pickles more than tensors and is not run; save it again as .safetensors") from None
    except Exception as problem:  # damaged bytes make the restricted unpickler raise anything
        raise ValueError(f"{path} cannot be read as weights ({_first_line(problem)}); download it again") from None
    return _tensors(found, path)


def _tensors(found: object, path: Path) -> dict[str, Tensor]:
    for key in _NESTED:
        if isinstance(found, Mapping) and isinstance(found.get(key), Mapping):
            found = found[key]
            break
    if not isinstance(found, Mapping) or not any(isinstance(value, Tensor) for value in found.values()):
        raise ValueError(f"{path} holds no state dictionary of tensors")
    return {str(key): value for key, value in found.items() if isinstance(value, Tensor)}


def fit_weights(network: nn.Module, weights: Mapping[str, Tensor], *, origin: str) -> None:
    """Put weights into a network, every key of both used. Half precision is cast to the network's own.

    ValueError names the keys that are missing, unknown, or of another shape.
    """
    wanted = network.state_dict()
    given = _without_prefix(weights, wanted)
    missing = [key for key in wanted if key not in given and not key.endswith("num_batches_tracked")]
    unknown = [key for key in given if key not in wanted]
    differ = [
        f"{key} {tuple(given[key].shape)} instead of {tuple(wanted[key].shape)}"
        for key in wanted
        if key in given and given[key].shape != wanted[key].shape
    ]
    problems = [
        f"{what} {_some(keys)}"
        for what, keys in (("missing", missing), ("unknown", unknown), ("of another shape", differ))
        if keys
    ]
    if problems:
        raise ValueError(f"{origin} does not fit {type(network).__name__}: {'; '.join(problems)}")
    network.load_state_dict({key: given[key].to(wanted[key].dtype) for key in given}, strict=False)


def sha256_of_weights(network: nn.Module) -> str:
    """Return the SHA-256 of a network's parameters and buffers: names, shapes and bytes, in order."""
    digest = hashlib.sha256()
    for key, value in network.state_dict().items():
        digest.update(f"{key}{tuple(value.shape)}{value.dtype}".encode())
        digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _without_prefix(weights: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    for prefix in _PREFIXES:
        if all(key.startswith(prefix) for key in weights) and not any(key.startswith(prefix) for key in wanted):
            return {key.removeprefix(prefix): value for key, value in weights.items()}
    return weights


def _some(keys: list[str], limit: int = 5) -> str:
    return ", ".join(keys[:limit]) + (f" and {len(keys) - limit} more" if len(keys) > limit else "")


def _first_line(problem: Exception) -> str:
    return str(problem).strip().splitlines()[0] if str(problem).strip() else type(problem).__name__
