"""Does this caption belong to this unit? A learned similarity between what is said and what the regions show.

Both are brought to unit vectors of one space (as in Radford et al. 2021, CLIP, with our own small networks), learnt
from the captioner's own training units: no truth enters. Consensus decoding adds it to the agreement among samples,
which alone says nothing about the exemplars. Ours, beyond the papers.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
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
from mami_core.store import find_model
from mami_core.store.atomic import replacing, sha256_of

DESCRIPTION: Final = "match.json"
WEIGHTS: Final = "match.safetensors"
SHARED: Final = "shared"  # in the description: the folder that holds the matcher


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


def share_matcher(captioners: Sequence[Path], shared: Path) -> None:
    """Keep the matcher that captioners have in common once, in folder `shared` beside theirs, which refer to it.

    The first captioner's is shared; one that has another keeps its own. Doing it twice changes nothing.
    """
    own = [folder for folder in captioners if (folder / WEIGHTS).is_file()]
    if own and not (shared / DESCRIPTION).is_file():
        shared.mkdir(parents=True, exist_ok=True)
        for name in (WEIGHTS, DESCRIPTION):
            shutil.copyfile(own[0] / name, shared / name)
    for folder in own:
        digest = sha256_of(folder / WEIGHTS)
        if digest == sha256_of(shared / WEIGHTS):
            with replacing(folder / DESCRIPTION) as partial:
                partial.write_text(
                    json.dumps({SHARED: shared.name, "sha256": digest}, indent=1) + "\n", encoding="utf-8"
                )
            (folder / WEIGHTS).unlink()


def load_matcher(folder: Path, vocabulary: Vocabulary) -> Matcher | None:
    """Read the matcher of a captioner's folder, or the one it refers to, in eval mode; None where there is none.

    FileNotFoundError where a shared one is missing, ValueError where it is another one by now.
    """
    if not (folder / DESCRIPTION).is_file():
        return None
    body = _read(folder / DESCRIPTION)
    if SHARED in body:
        place = find_model(str(body[SHARED]), WEIGHTS, beside=folder.resolve().parent)
        if sha256_of(place / WEIGHTS) != body.get("sha256"):
            raise ValueError(f"{place / WEIGHTS} is not the matcher that {folder} was written with; copy both again")
        folder, body = place, _read(place / DESCRIPTION)
    config = MatcherConfig.from_json(body)
    if config.vocabulary_size != len(vocabulary):
        raise ValueError(f"{folder}: the matcher knows {config.vocabulary_size} ids, the captioner {len(vocabulary)}")
    matcher = Matcher(config, stop=vocabulary.stop)
    fill(matcher, load_file(folder / WEIGHTS), source=str(folder / WEIGHTS))
    return matcher.eval()


def _read(path: Path) -> Mapping[str, Any]:
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as problem:
        raise ValueError(f"{path} is not JSON: {problem}") from None
    if not isinstance(body, dict):
        raise ValueError(f"{path} does not hold a matcher's settings; copy the folder again")
    return body
