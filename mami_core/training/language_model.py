"""Train p(d), the language model: the references alone, without what they describe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from mami_core.captioning.language_model import LanguageModel, LanguageModelConfig, counted
from mami_core.captioning.vocabulary import Vocabulary
from mami_core.training.batches import DescribedUnits, reference_texts
from mami_core.training.captioner import EpochProgress
from mami_core.training.loop import Loop, LoopHistory, LoopSettings, Task


@dataclass(frozen=True)
class LanguageRecipe:
    """How a language model is built and trained."""

    hidden_size: int = 128
    embedding_size: int = 64
    layers: int = 1
    dropout: float = 0.3
    batch_size: int = 96  # captions a step
    loop: LoopSettings = field(default_factory=lambda: LoopSettings(epochs=12, patience=3))


def train_language_model(
    train: DescribedUnits,
    validation: DescribedUnits,
    vocabulary: Vocabulary,
    *,
    length: int,
    recipe: LanguageRecipe | None = None,
    folder: Path | None = None,
    progress: EpochProgress | None = None,
) -> tuple[LanguageModel, LoopHistory]:
    """Return a language model of the training units' references, with its best validation weights, in eval mode."""
    recipe = recipe or LanguageRecipe()
    config = LanguageModelConfig(
        len(vocabulary), recipe.embedding_size, recipe.hidden_size, recipe.layers, recipe.dropout
    )
    torch.manual_seed(recipe.loop.seed)
    model = LanguageModel(config, start=vocabulary.start, stop=vocabulary.stop)
    texts, held_out = reference_texts(train), reference_texts(validation)
    task = Task(
        module=model,
        batches=lambda generator: token_batches(texts, vocabulary, recipe.batch_size, length, generator),
        loss=lambda tokens: mean_token_nll(model, tokens),
        validate=lambda: {"val_nll": _held_out_nll(model, vocabulary.batch(held_out, length=length))},
        score="-val_nll",
    )
    facts = {"words": vocabulary.words, "texts": texts, "recipe": repr(recipe)}
    return model, Loop(task, recipe.loop, folder=folder, facts=facts, progress=progress).run()


def token_batches(
    texts: Sequence[str], vocabulary: Vocabulary, size: int, length: int, generator: torch.Generator
) -> list[Tensor]:
    """Return all texts as token batches (B, L) of similar lengths, in a random order."""
    encoded = [vocabulary.encode(text, length=length) for text in texts]
    noise = torch.rand(len(encoded), generator=generator).tolist()
    order = sorted(range(len(encoded)), key=lambda index: len(encoded[index]) + 2 * noise[index])
    chunks = [order[start : start + size] for start in range(0, len(order), size)]
    return [_padded([encoded[index] for index in chunks[place]], vocabulary.pad)
            for place in torch.randperm(len(chunks), generator=generator).tolist()]  # fmt: skip


def _padded(rows: Sequence[list[int]], pad: int) -> Tensor:
    longest = max(len(row) for row in rows)
    return torch.tensor([row + [pad] * (longest - len(row)) for row in rows])


def mean_token_nll(model: LanguageModel, tokens: Tensor) -> Tensor:
    """Return the mean negative log p (scalar) of the words and stops in tokens (B, L)."""
    return -model.log_probability(tokens).sum() / counted(tokens, model.stop).sum()


@torch.no_grad()
def _held_out_nll(model: LanguageModel, tokens: Tensor) -> float:
    return float(mean_token_nll(model, tokens))
