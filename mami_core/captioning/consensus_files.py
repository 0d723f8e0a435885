"""Captioner `consensus` on disk: `consensus.json` (what it is), its decoders, its reader of words, its neighbours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import torch
from safetensors.torch import load_file, save_file

from mami_core.captioning.agreement import BleuSlope
from mami_core.captioning.build import build_decoder
from mami_core.captioning.checkpoint import fill
from mami_core.captioning.consensus_captioner import Consensus, ConsensusSettings
from mami_core.captioning.ensemble import Ensemble
from mami_core.captioning.names import DecoderConfig
from mami_core.captioning.neighbours import Neighbours
from mami_core.captioning.vocabulary import Vocabulary
from mami_core.captioning.words import WordVectors
from mami_core.store.atomic import replacing, sha256_of

DESCRIPTION: Final = "consensus.json"
_DECODERS, _WORDS = "decoders.safetensors", "words.safetensors"
_FORMAT: Final = 1


@dataclass(frozen=True, eq=False)
class KeptConsensus:
    """Captioner `consensus` as it lies in a folder."""

    made: Consensus
    encoder: Mapping[str, Any]  # name and sha256 of what made the regions it reads
    provenance: Mapping[str, Any]


def save_consensus(folder: Path, kept: KeptConsensus) -> None:
    """Write the captioner, weights in half precision; the description comes last, so a killed run leaves none."""
    made, decoders = kept.made, kept.made.ensemble.decoders
    tensors = {f"{number}.{name}": value.detach().cpu().half().contiguous()
               for number, decoder in enumerate(decoders) for name, value in decoder.state_dict().items()}  # fmt: skip
    with replacing(folder / _DECODERS) as partial:
        save_file(tensors, partial)
        digest = sha256_of(partial)
    made.words.save(folder / _WORDS)
    made.neighbours.save(folder)
    description = {
        "format": _FORMAT,
        "settings": asdict(made.settings),
        "slope": made.slope.to_json(),
        "decoders": [decoder.config.to_json() for decoder in decoders],
        "decoders_sha256": digest,
        "vocabulary": made.vocabulary.to_json(),
        "words": list(made.words.reader.words),
        "encoder": dict(kept.encoder),
        "provenance": dict(kept.provenance),
    }
    with replacing(folder / DESCRIPTION) as partial:
        partial.write_text(json.dumps(description, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def load_consensus(folder: Path) -> KeptConsensus:
    """Read the captioner in `folder`, in float32; FileNotFoundError or ValueError says why it cannot be read."""
    path = folder / DESCRIPTION
    if not path.is_file():
        raise FileNotFoundError(f"{folder} holds no captioner consensus: it has no {DESCRIPTION}")
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
        configs = [DecoderConfig.from_json(stored) for stored in body["decoders"]]
        words = tuple(body["words"])
    except (ValueError, KeyError, TypeError) as problem:
        raise ValueError(f"{path} cannot be read ({problem}); copy the folder again") from None
    if body["format"] != _FORMAT or sha256_of(folder / _DECODERS) != body["decoders_sha256"]:
        raise ValueError(f"{folder / _DECODERS} is not the file that {DESCRIPTION} was written with; copy it again")
    made = Consensus(
        words=WordVectors.load(folder / _WORDS, words),
        ensemble=Ensemble(_decoders(folder / _DECODERS, configs)),
        vocabulary=Vocabulary.from_json(body["vocabulary"]),
        neighbours=Neighbours.load(folder),
        slope=BleuSlope.from_json(body["slope"]),
        settings=ConsensusSettings.from_json(body["settings"]),
    )
    return KeptConsensus(made, body["encoder"], body["provenance"])


def _decoders(path: Path, configs: list[DecoderConfig]) -> tuple[Any, ...]:
    tensors = load_file(path)
    found = []
    for number, config in enumerate(configs):
        lead = f"{number}."
        own = {key.removeprefix(lead): value for key, value in tensors.items() if key.startswith(lead)}
        decoder = build_decoder(config)
        fill(decoder, own, source=f"{path}, decoder {number}")
        found.append(decoder.to(torch.float32).eval())
    return tuple(found)
