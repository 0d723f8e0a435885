"""Read the captioners that MILAN published (`milan-base.pth` and its siblings) without trusting their pickles.

A `.pth` of the reference is a torch zip of tensors and of plain settings, in which one foreign class occurs: the
configuration of its spaCy tokeniser, a dictionary. It is read through torch's restricted unpickler with that one name
standing for an inert dictionary; any other global is refused before anything of it runs.
"""

from __future__ import annotations

import contextlib
import pickle
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mami_core.captioning.build import build_decoder
from mami_core.captioning.checkpoint import Checkpoint, fill
from mami_core.captioning.language_model import LanguageModel, LanguageModelConfig
from mami_core.captioning.names import DecoderConfig
from mami_core.captioning.vocabulary import SPECIALS, Vocabulary

_CONFIG_CLASSES = ("thinc.config.Config", "confection._config.Config", "confection.Config")


@dataclass(frozen=True, eq=False)
class MilanCheckpoint:
    """A published captioner: ours to run, and its encoder's weights as stored."""

    checkpoint: Checkpoint
    encoder: str  # name of the encoder's class
    encoder_settings: Mapping[str, Any] = field(default_factory=dict)  # e.g. config: resnet101
    encoder_weights: Mapping[str, Tensor] = field(default_factory=dict)  # torchvision's keys, and mean and std


def read_milan_checkpoint(path: Path) -> MilanCheckpoint:
    """Return the decoder, language model, vocabulary and settings of a reference checkpoint.

    Raises FileNotFoundError, or ValueError where the file is no such checkpoint, holds objects that are not on the
    allow-list (they are not run), or where a weight is missing, left over or of another shape.
    """
    stored = _read(path)
    with _refusing(path):
        return _built(stored, path)


@contextlib.contextmanager
def _refusing(path: Path) -> Iterator[None]:
    """Say of settings that are not what the reference writes that the file is none of its checkpoints."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, IndexError, RuntimeError, OverflowError) as problem:
        raise ValueError(f"{path} is not a MILAN captioner: {type(problem).__name__} at {problem}") from None


def _built(stored: Mapping[str, Any], path: Path) -> MilanCheckpoint:
    settings, tensors = stored["properties"], stored["state_dict"]
    vocabulary = _vocabulary(settings["indexer"], path)
    decoder = build_decoder(_decoder_config(settings, tensors, vocabulary, path))
    fill(decoder, _decoder_weights(tensors, path), source=str(path))
    encoder = settings.get("encoder") or {}
    checkpoint = Checkpoint(
        decoder=decoder.eval(),
        vocabulary=vocabulary,
        language_model=_language_model(settings.get("lm"), tensors, vocabulary, path),
        settings={
            "strategy": "pmi" if settings.get("lm") else "beam",
            "beam_size": int(settings["beam_size"]),
            "pmi_weight": float(settings["temperature"]),
            "length_power": 0.0,
            "length": int(settings["length"]) - 1,  # the reference counts the stop
        },
        encoder={"name": f"milan-pyramid:{(encoder.get('properties') or {}).get('config', 'resnet101')}"},
        provenance={"trained_on": "MILANNOTATIONS", "simulated": False, "source": path.name},
    )
    return MilanCheckpoint(
        checkpoint=checkpoint,
        encoder=str((stored.get("children") or {}).get("encoder", "PyramidConvEncoder")),
        encoder_settings=dict(encoder.get("properties") or {}),
        encoder_weights={
            key.removeprefix("encoder.").removeprefix("encoder.model."): value
            for key, value in tensors.items()
            if key.startswith("encoder.")
        },
    )


def read_milan_language_model(path: Path) -> tuple[LanguageModel, Vocabulary]:
    """Return the language model that the reference's `LanguageModel.save` wrote by itself, and its vocabulary.

    Raises as `read_milan_checkpoint` does.
    """
    stored = _read(path, needed=("indexer", "embedding_size", "hidden_size", "layers", "dropout"))
    with _refusing(path):
        vocabulary = _vocabulary(stored["properties"]["indexer"], path)
        model = _language_model(stored, stored["state_dict"], vocabulary, path, prefix="")
    assert model is not None
    return model, vocabulary


_CAPTIONER = ("indexer", "hidden_size", "length", "beam_size", "temperature")


def _read(path: Path, needed: tuple[str, ...] = _CAPTIONER) -> dict[str, Any]:
    """Unpickle with the allow-list and check that it is laid out as the reference's `Decoder.save` does."""
    if not path.is_file():
        raise FileNotFoundError(f"no checkpoint {path}")
    inert: list[Any] = [(OrderedDict, name) for name in _CONFIG_CLASSES]  # torch fills no other subclass of dict
    try:
        with torch.serialization.safe_globals(inert):
            stored = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as problem:
        raise ValueError(f"{path} was refused and nothing in it was run: {_reason(str(problem))}") from None
    except Exception as problem:  # damaged bytes make the restricted unpickler raise anything
        raise ValueError(f"{path} is not a PyTorch checkpoint: {problem}") from None
    parts = ("properties", "state_dict")
    if not isinstance(stored, dict) or not all(isinstance(stored.get(part), dict) for part in parts):
        raise ValueError(f"{path} is a checkpoint, but not of a MILAN captioner: it lacks {' and '.join(parts)}")
    missing = sorted(set(needed) - set(stored["properties"]))
    if missing:
        raise ValueError(f"{path} is not a MILAN captioner: its properties lack {', '.join(missing)}")
    return stored


def _reason(message: str) -> str:
    """Return what torch's restricted unpickler objected to, without its advice to trust the file."""
    _, _, rest = message.partition("GLOBAL ")
    if rest:
        return f"it contains {rest.split(' ')[0]}, which is not part of a captioner"
    _, _, error = message.partition("WeightsUnpickler error:")
    return " ".join(error.split("Check the documentation")[0].split()) or "its pickle is damaged"


def _vocabulary(indexer: Mapping[str, Any], path: Path) -> Vocabulary:
    properties = indexer["properties"]
    vocabulary = Vocabulary(tuple(properties["vocab"]["properties"]["tokens"]))
    odd = [name for name in ("start", "stop", "pad", "unk") if not properties.get(name, True)]
    if odd:
        raise ValueError(f"{path} was trained without the special ids {', '.join(odd)} of {', '.join(SPECIALS)}")
    return vocabulary


def _decoder_config(
    settings: Mapping[str, Any], tensors: Mapping[str, Tensor], vocabulary: Vocabulary, path: Path
) -> DecoderConfig:
    try:
        width, feature_size = tensors["attend.key_to_hidden.weight"].shape
        return DecoderConfig(
            captioner="milan",
            feature_size=feature_size,
            vocabulary_size=len(vocabulary),
            hidden_size=int(settings["hidden_size"]),
            embedding_size=tensors["embedding.weight"].shape[1],
            attention_size=width,
            dropout=float(settings.get("dropout", 0.5)),
            length=int(settings["length"]),
        )
    except KeyError as problem:
        raise ValueError(f"{path} is not a MILAN captioner: weight {problem} is missing") from None


def _decoder_weights(tensors: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    """Return the reference's weights under our names.

    It keeps two biases where one would do: they are added. The bias of its attention score cancels in the softmax.
    """
    renamed = {
        "embedding.weight": "embedding.weight",
        "heads.heads.bahdanau.from_region.weight": "attend.key_to_hidden.weight",
        "heads.heads.bahdanau.from_state.weight": "attend.query_to_hidden.weight",
        "heads.heads.bahdanau.score.weight": "attend.output.0.weight",
        "init_hidden.weight": "init_h.0.weight",
        "init_hidden.bias": "init_h.0.bias",
        "init_cell.weight": "init_c.0.weight",
        "init_cell.bias": "init_c.0.bias",
        "gate.weight": "feature_gate.0.weight",
        "gate.bias": "feature_gate.0.bias",
        "from_state.weight": "lstm.weight_hh",
        "to_words.weight": "output.1.weight",
        "to_words.bias": "output.1.bias",
    }
    try:
        ours = {name: tensors[theirs] for name, theirs in renamed.items()}
        words = tensors["embedding.weight"].shape[1]
        ours["from_word.weight"] = tensors["lstm.weight_ih"][:, :words]  # the LSTM reads [word; gated context]
        ours["from_context.weight"] = tensors["lstm.weight_ih"][:, words:]
        ours["from_word.bias"] = tensors["lstm.bias_ih"] + tensors["lstm.bias_hh"]
        both = tensors["attend.key_to_hidden.bias"] + tensors["attend.query_to_hidden.bias"]
    except KeyError as problem:
        raise ValueError(f"{path} is not a MILAN captioner: weight {problem} is missing") from None
    return {**ours, "heads.heads.bahdanau.from_region.bias": both}


def _language_model(
    stored: Mapping[str, Any] | None,
    tensors: Mapping[str, Tensor],
    vocabulary: Vocabulary,
    path: Path,
    *,
    prefix: str = "lm.",
) -> LanguageModel | None:
    if not stored:
        return None
    properties = stored["properties"]
    config = LanguageModelConfig(
        vocabulary_size=len(vocabulary),
        embedding_size=int(properties["embedding_size"]),
        hidden_size=int(properties["hidden_size"]),
        layers=int(properties["layers"]),
        dropout=float(properties["dropout"]),
    )
    model = LanguageModel(config, start=vocabulary.start, stop=vocabulary.stop)
    weights = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
    fill(model, {key.replace("output.0.", "to_words."): value for key, value in weights.items()}, source=str(path))
    return model.eval()
