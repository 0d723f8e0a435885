"""Does this caption belong to this unit? A learned similarity between what is said and what the regions show.

Both are brought to unit vectors of one space (as in Radford et al. 2021, CLIP, with our own small networks), learnt
from the captioner's own training units: no truth enters. Consensus decoding adds it to the agreement among samples,
which alone says nothing about the exemplars. Ours, beyond the papers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from mami_core.captioning.checkpoint import fill
from mami_core.captioning.search import Decoded
from mami_core.captioning.vocabulary import Vocabulary
from mami_core.store.atomic import replacing

DESCRIPTION: Final = "match.json"
WEIGHTS: Final = "match.safetensors"


@dataclass(frozen=True)
class MatcherConfig:
    """What a matcher is made of; saved beside the captioner's weights."""

    feature_size: int
    vocabulary_size: int
    width: int = 128  # P: channels of the common space
    dropout: float = 0.3

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> MatcherConfig:
        """Return the configuration that was stored; ValueError when fields are missing or unknown."""
        try:
            return cls(**stored)
        except TypeError as problem:
            raise ValueError(f"the matcher's settings do not fit: {problem}") from None


class Matcher(nn.Module):
    """Units U with N regions, captions of T tokens, P channels of the common space."""

    def __init__(self, config: MatcherConfig, *, stop: int) -> None:
        super().__init__()
        self.config, self.stop = config, stop
        width = config.width
        self.from_region = nn.Linear(config.feature_size, width)
        self.to_unit = nn.Sequential(nn.Linear(2 * width, width), nn.ReLU(), nn.Linear(width, width))
        self.embedding = nn.Embedding(config.vocabulary_size, width)
        self.listen = nn.Conv1d(width, width, 3, padding=1)
        self.to_caption = nn.Linear(2 * width, width)
        self.dropout = nn.Dropout(config.dropout)
        self.sharpness = nn.Parameter(torch.tensor(2.5))  # logarithm of the inverse temperature

    def unit(self, features: Tensor, weight: Tensor) -> Tensor:
        """Return unit vectors (U, P) of features (U, N, D), weight (U, N): mean and strongest of the regions."""
        regions = torch.tanh(self.from_region(self.dropout(features)))  # (U, N, P)
        share = F.normalize(weight, p=1, dim=1)  # (U, N)
        mean = torch.einsum("un,unp->up", share, regions)
        most = regions.masked_fill((weight <= 0).unsqueeze(-1), -1.0).amax(1)  # tanh is above -1
        return F.normalize(self.to_unit(self.dropout(torch.cat([mean, most], -1))), dim=-1)

    def caption(self, tokens: Tensor) -> Tensor:
        """Return unit vectors (C, P) of token rows (C, T): words, stop, then anything. Mean word, strongest phrase."""
        said = ((tokens == self.stop).cumsum(1) == 0).unsqueeze(-1)  # (C, T, 1)
        words = self.dropout(self.embedding(torch.where(said.squeeze(-1), tokens, self.stop))) * said  # (C, T, P)
        mean = words.sum(1) / said.sum(1).clamp_min(1)
        phrases = self.listen(words.transpose(1, 2)).transpose(1, 2).tanh()  # (C, T, P): three words each
        most = phrases.masked_fill(~said, -1.0).amax(1)  # tanh is above -1
        return F.normalize(self.to_caption(torch.cat([mean, most], -1)), dim=-1)

    @torch.no_grad()
    def scores(self, features: Tensor, weight: Tensor, candidates: Decoded) -> Tensor:
        """Return the cosine (U, G) in [-1, 1] of each unit's candidates with the unit."""
        units, groups, length = candidates.tokens.shape
        flat, back = candidates.tokens.reshape(-1, length).unique(dim=0, return_inverse=True)  # many are said twice
        said = self.caption(flat)[back].view(units, groups, -1)  # (U, G, P)
        return torch.einsum("up,ugp->ug", self.unit(features, weight), said)


def save_matcher(folder: Path, matcher: Matcher, *, half: bool = True) -> None:
    """Write a matcher into a captioner's folder."""
    tensors = {key: value.detach().cpu().contiguous() for key, value in matcher.state_dict().items()}
    with replacing(folder / WEIGHTS) as partial:
        save_file({key: value.half() if half else value for key, value in tensors.items()}, partial)
    with replacing(folder / DESCRIPTION) as partial:
        partial.write_text(json.dumps(asdict(matcher.config), indent=1) + "\n", encoding="utf-8")


def load_matcher(folder: Path, vocabulary: Vocabulary) -> Matcher | None:
    """Read the matcher in a captioner's folder, in eval mode; None where there is none."""
    if not (folder / DESCRIPTION).is_file():
        return None
    try:
        config = MatcherConfig.from_json(json.loads((folder / DESCRIPTION).read_text(encoding="utf-8")))
    except json.JSONDecodeError as problem:
        raise ValueError(f"{folder / DESCRIPTION} is not JSON: {problem}") from None
    if config.vocabulary_size != len(vocabulary):
        raise ValueError(f"{folder}: the matcher knows {config.vocabulary_size} ids, the captioner {len(vocabulary)}")
    matcher = Matcher(config, stop=vocabulary.stop)
    fill(matcher, load_file(folder / WEIGHTS), source=str(folder / WEIGHTS))
    return matcher.eval()
