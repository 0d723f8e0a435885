"""Train the matcher: tell a unit's own captions from those of other units."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mami_core.captioning.match import Matcher, MatcherConfig
from mami_core.captioning.vocabulary import Vocabulary
from mami_core.training.batches import DescribedUnits
from mami_core.training.captioner import EpochProgress
from mami_core.training.loop import Loop, LoopHistory, LoopSettings, Task


@dataclass(frozen=True)
class MatchRecipe:
    """How a matcher is built and trained. A step shows each unit beside one of its captions, drawn anew."""

    width: int = 128
    dropout: float = 0.4
    batch_size: int = 128  # units a step, each the others' wrong answer
    regions: int = 48  # regions of a unit seen in one step; 0: all
    steps_an_epoch: int = 40
    loop: LoopSettings = field(
        default_factory=lambda: LoopSettings(epochs=8, patience=8, learning_rate=3e-3, weight_decay=3e-2)
    )


def train_matcher(
    train: DescribedUnits,
    validation: DescribedUnits,
    vocabulary: Vocabulary,
    *,
    length: int,
    recipe: MatchRecipe | None = None,
    folder: Path | None = None,
    progress: EpochProgress | None = None,
) -> tuple[Matcher, LoopHistory]:
    """Return the matcher with its best validation weights, in eval mode.

    `val_match` is how often a held-out caption is nearest to its own unit among all held-out ones.
    """
    recipe = recipe or MatchRecipe()
    torch.manual_seed(recipe.loop.seed)
    config = MatcherConfig(train.features.feature_size, len(vocabulary), recipe.width, recipe.dropout)
    matcher = Matcher(config, stop=vocabulary.stop)

    def batches(generator: torch.Generator) -> list[Tensor]:
        size = min(recipe.batch_size, len(train))
        return [torch.randperm(len(train), generator=generator)[:size] for _ in range(recipe.steps_an_epoch)]

    task = Task(
        module=matcher,
        batches=batches,
        loss=lambda places: contrast(matcher, train, places, vocabulary, recipe.regions, length),
        validate=lambda: {"val_match": recall_at_one(matcher, validation, vocabulary, length)},
        score="val_match",
    )
    facts = {"words": vocabulary.words, "texts": train.texts, "recipe": repr(recipe)}
    return matcher, Loop(task, recipe.loop, folder=folder, facts=facts, progress=progress).run()


def contrast(
    matcher: Matcher, units: DescribedUnits, places: Tensor, vocabulary: Vocabulary, regions: int, length: int
) -> Tensor:
    """Return the symmetric cross-entropy (scalar) of units `places` (U,) and a caption of each."""
    drawn: np.ndarray | None = torch.rand(len(places), regions).numpy() if regions else None
    seen = units.regions(places, drawn=drawn)
    chosen = torch.rand(len(places)).tolist()  # which of a unit's captions
    texts = [units.texts[place] for place in places.tolist()]
    tokens = vocabulary.batch([text[int(r * len(text))] for text, r in zip(texts, chosen, strict=True)], length=length)
    similar = matcher.unit(seen.features, seen.weight) @ matcher.caption(tokens).T * matcher.sharpness.exp()  # (U, U)
    own = torch.arange(len(places))
    return F.cross_entropy(similar, own) + F.cross_entropy(similar.T, own)


@torch.no_grad()
def recall_at_one(matcher: Matcher, units: DescribedUnits, vocabulary: Vocabulary, length: int) -> float:
    """Return the share of captions whose nearest unit is their own."""
    vectors = torch.cat([
        matcher.unit(*units.regions(part)[:2]) for part in torch.arange(len(units)).split(64)
    ])  # fmt: skip
    owner = torch.tensor([place for place, texts in enumerate(units.texts) for _ in texts])
    said = matcher.caption(vocabulary.batch([text for texts in units.texts for text in texts], length=length))
    return float(((said @ vectors.T).argmax(1) == owner).float().mean())
