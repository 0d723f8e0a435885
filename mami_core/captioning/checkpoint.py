"""A captioner on disk: `captioner.json` (what it is) and `weights.safetensors` (decoder and language model)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from mami_core.captioning.build import build_decoder
from mami_core.captioning.decoder import Decoder
from mami_core.captioning.language_model import LanguageModel, LanguageModelConfig
from mami_core.captioning.names import DecoderConfig
from mami_core.captioning.vocabulary import Vocabulary
from mami_core.store.atomic import replacing, sha256_of

DESCRIPTION = "captioner.json"
WEIGHTS = "weights.safetensors"
FORMAT = 1


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A trained captioner: networks, words, and where they come from."""

    decoder: Decoder
    vocabulary: Vocabulary
    language_model: LanguageModel | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)  # how it is decoded best
    encoder: Mapping[str, Any] = field(default_factory=dict)  # name, sha256, … of what made its features
    provenance: Mapping[str, Any] = field(default_factory=dict)  # trained_on, simulated, …

    def __post_init__(self) -> None:
        ids = len(self.vocabulary)
        for part, model in (("decoder", self.decoder), ("language model", self.language_model)):
            if model is not None and model.config.vocabulary_size != ids:
                raise ValueError(f"the {part} speaks {model.config.vocabulary_size} ids, the vocabulary has {ids}")


def save_checkpoint(folder: Path, checkpoint: Checkpoint, *, half: bool = False) -> None:
    """Write `checkpoint` into `folder`; `half` stores float16 (half the size, captions all but always the same).

    The description names the weights' sha256 and is written last: a killed run leaves the old pair, or none.
    """
    parts: dict[str, nn.Module] = {"decoder": checkpoint.decoder}
    if checkpoint.language_model is not None:
        parts["lm"] = checkpoint.language_model
    tensors = {
        f"{part}.{name}": _stored(value, half)
        for part, module in parts.items()
        for name, value in module.state_dict().items()
    }
    model = checkpoint.language_model
    description = {
        "format": FORMAT,
        "decoder": checkpoint.decoder.config.to_json(),
        "language_model": None if model is None else model.config.to_json(),
        "vocabulary": checkpoint.vocabulary.to_json(),
        "settings": dict(checkpoint.settings),
        "encoder": dict(checkpoint.encoder),
        "provenance": dict(checkpoint.provenance),
    }
    with replacing(folder / WEIGHTS) as partial:
        save_file(tensors, partial)
        description["weights_sha256"] = sha256_of(partial)
    with replacing(folder / DESCRIPTION) as partial:
        partial.write_text(json.dumps(description, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def load_checkpoint(folder: Path, *, verify: bool = True) -> Checkpoint:
    """Read the captioner in `folder`, in float32 and ready to caption (eval mode).

    Raises FileNotFoundError where there is none, ValueError where it is damaged, of another format, or where weights
    and description do not fit. `verify` compares the weights' hash with the description's.
    """
    described = _read_description(folder)
    weights = folder / WEIGHTS
    if not weights.is_file():
        raise FileNotFoundError(f"{folder} has {DESCRIPTION} but no {WEIGHTS}; copy the folder again")
    if verify and sha256_of(weights) != described.get("weights_sha256"):
        raise ValueError(f"{weights} is not the file that {DESCRIPTION} was written with; copy the folder again")
    try:
        tensors = load_file(weights)
        vocabulary = Vocabulary.from_json(described["vocabulary"])
        decoder = build_decoder(DecoderConfig.from_json(described["decoder"]))
        stored_model = described["language_model"]
    except (SafetensorError, KeyError) as problem:
        raise ValueError(f"{folder} is not a whole captioner: {problem}") from None
    fill(decoder, _part(tensors, "decoder"), source=str(weights))
    model = None
    if stored_model is not None:
        config = LanguageModelConfig.from_json(stored_model)
        model = LanguageModel(config, start=vocabulary.start, stop=vocabulary.stop)
        fill(model, _part(tensors, "lm"), source=str(weights))
        model.eval()
    return Checkpoint(
        decoder=decoder.eval(),
        vocabulary=vocabulary,
        language_model=model,
        settings=described.get("settings", {}),
        encoder=described.get("encoder", {}),
        provenance=described.get("provenance", {}),
    )


def fill(module: nn.Module, tensors: Mapping[str, Tensor], *, source: str) -> None:
    """Load `tensors` into `module`: every weight must be there, fit, and be wanted; ValueError names those that do not.

    A loader that skips what does not match would caption with random weights.
    """
    wanted = module.state_dict()
    missing = sorted(set(wanted) - set(tensors))
    extra = sorted(set(tensors) - set(wanted))
    misfit = [
        f"{name} {tuple(tensors[name].shape)} instead of {tuple(wanted[name].shape)}"
        for name in sorted(set(wanted) & set(tensors))
        if tensors[name].shape != wanted[name].shape
    ]
    for what, names in (("lacks", missing), ("does not know", extra), ("misfit", misfit)):
        if names:
            raise ValueError(f"weights in {source} do not fit {type(module).__name__}: {what} {', '.join(names[:4])}")
    module.load_state_dict({name: value.to(wanted[name].dtype) for name, value in tensors.items()})


def _read_description(folder: Path) -> dict[str, Any]:
    path = folder / DESCRIPTION
    if not path.is_file():
        raise FileNotFoundError(f"no captioner in {folder}: {DESCRIPTION} is missing")
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as problem:
        raise ValueError(f"{path} is not JSON: {problem}") from None
    if not isinstance(described, dict) or described.get("format") != FORMAT:
        raise ValueError(f"{path} is not of captioner format {FORMAT}; it was written by another version of MAMI")
    return described


def _part(tensors: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    return {name.removeprefix(f"{part}."): value for name, value in tensors.items() if name.startswith(f"{part}.")}


def _stored(value: Tensor, half: bool) -> Tensor:
    value = value.detach().cpu()
    return (value.to(torch.float16) if half and value.is_floating_point() else value).contiguous()
