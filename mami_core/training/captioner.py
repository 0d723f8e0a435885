"""Train a captioner: make it say the references of units whose regions it sees."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mami_core.captioning.build import build_decoder
from mami_core.captioning.decoder import Decoder
from mami_core.captioning.features import RegionBatch
from mami_core.captioning.forcing import Forced, force
from mami_core.captioning.language_model import counted
from mami_core.captioning.names import decoder_config
from mami_core.captioning.objectives import HardAttentionLoss, caption_loss
from mami_core.captioning.search import greedy
from mami_core.captioning.tokens import tokenize
from mami_core.captioning.vocabulary import Vocabulary
from mami_core.training.batches import CaptionBatch, CaptionBatches, DescribedUnits
from mami_core.training.eyes import Eyes
from mami_core.training.loop import Loop, LoopHistory, LoopSettings, Task

BatchKind = Literal["similar", "length", "unit"]
EpochProgress = Callable[[int, int, Mapping[str, float]], None]  # epochs done, epochs in all, figures


@dataclass(frozen=True)
class CaptionerRecipe:
    """How a captioner is built and trained. The same for every captioner that is to be compared."""

    hidden_size: int = 128
    embedding_size: int = 64
    attention_size: int = 64
    dropout: float = 0.3
    feature_dropout: float = 0.2  # of the regions' channels, alike over a unit's regions
    regions: int = 64  # regions of a unit seen in one step, drawn anew each time; 0: all
    penalty: float = 0.0  # weight of the doubly stochastic penalty, see `coverage_penalty`
    label_smoothing: float = 0.0
    batch_size: int = 32  # units a step with all their references, or three times as many captions
    batches: BatchKind = "similar"  # captions of about one length, of exactly one, or all captions of some units
    select: Literal["bleu", "nll"] = "nll"  # by what the best epoch is chosen, on validation units
    decoder: Mapping[str, Any] = field(default_factory=dict)  # further settings of `DecoderConfig`
    loop: LoopSettings = field(default_factory=LoopSettings)
    over_padding: ClassVar[bool] = False  # whether the penalty sums attention at padded steps too


@dataclass(frozen=True)
class PaddedRecipe(CaptionerRecipe):
    """A recipe with the penalty as MILAN's code has it: attention at padded steps counts, though no word is said.

    A class and no field: trainings are kept under their recipe's fields, and all others would be made anew.
    """

    over_padding: ClassVar[bool] = True


def train_captioner(
    name: str,
    train: DescribedUnits,
    validation: DescribedUnits,
    vocabulary: Vocabulary,
    *,
    length: int,
    recipe: CaptionerRecipe | None = None,
    folder: Path | None = None,
    device: torch.device | None = None,
    progress: EpochProgress | None = None,
    writer: Any = None,
    eyes: Eyes | None = None,
) -> tuple[Decoder, LoopHistory]:
    """Return captioner `name` with its best validation weights, in eval mode, and the run's history.

    `length` is the most words a caption may have, in training and after. `folder` keeps the run's state and log: the
    same call with the same folder goes on where it was interrupted. `eyes`, through which `train` and `validation` must
    look, learn too.
    """
    recipe = recipe or CaptionerRecipe()
    settings = {
        "hidden_size": recipe.hidden_size,
        "embedding_size": recipe.embedding_size,
        "attention_size": recipe.attention_size,
        "dropout": recipe.dropout,
        "length": length,
        **recipe.decoder,
    }
    config = decoder_config(name, feature_size=train.features.feature_size, vocabulary_size=len(vocabulary), **settings)
    model = _Trained(build_decoder(config, seed=recipe.loop.seed), recipe, vocabulary, eyes)
    model.to(device or torch.device("cpu"))
    batches = CaptionBatches(train, vocabulary, length=length)
    held_out = CaptionBatches(validation, vocabulary, length=length)

    def validate() -> dict[str, float]:
        if recipe.select == "bleu":
            return {"val_bleu": greedy_bleu(model.decoder, validation, vocabulary, length=length)}
        return {"val_nll": mean_nll(model.decoder, validation, held_out, vocabulary, regions=recipe.regions)}

    def cut(generator: torch.Generator) -> list[CaptionBatch]:
        if recipe.batches == "unit":
            return batches.by_unit(recipe.batch_size, generator)
        by = batches.by_similar_length if recipe.batches == "similar" else batches.by_length
        return by(3 * recipe.batch_size, generator)

    task = Task(
        module=model,
        batches=cut,
        loss=lambda batch: model.loss(batch, train),
        validate=validate,
        score="val_bleu" if recipe.select == "bleu" else "-val_nll",
        slow=eyes,
        share=lambda batch, rank, count: batch.share(rank, count, pad=vocabulary.pad),
    )
    facts = {"decoder": config.to_json(), "words": vocabulary.words, "texts": train.texts, "recipe": repr(recipe)}
    facts |= {} if eyes is None else {"eyes": type(eyes).__name__}
    history = Loop(task, recipe.loop, folder=folder, facts=facts, progress=progress, writer=writer).run()
    return model.decoder, history


class _Trained(nn.Module):
    """A decoder with what only training needs: the loss, the baseline of hard attention, eyes that learn too."""

    def __init__(
        self, decoder: Decoder, recipe: CaptionerRecipe, vocabulary: Vocabulary, eyes: Eyes | None = None
    ) -> None:
        super().__init__()
        self.decoder, self.recipe, self.vocabulary, self.eyes = decoder, recipe, vocabulary, eyes
        self.hard = HardAttentionLoss() if getattr(decoder.config, "selection", "soft") == "hard" else None

    def loss(self, batch: CaptionBatch, units: DescribedUnits) -> Tensor:
        """Return the loss (scalar) of a batch, or one process' part of it."""
        device = next(self.parameters()).device
        regions = move(units.regions(batch.units, drawn=self._draw(len(batch.units))), device)
        tokens = batch.tokens.to(device)  # (C, L)
        memory = self.decoder.prepare(self._roughened(regions.features), regions.weight)
        forced = force(self.decoder, memory, tokens, start=self.vocabulary.start, unit=batch.owner)
        if self.hard is not None:
            return batch.caption_share * self.hard(forced, tokens, stop=self.vocabulary.stop)
        loss = caption_loss(forced, tokens, stop=self.vocabulary.stop)
        if self.recipe.label_smoothing:
            loss = torch.lerp(loss, spread_loss(forced, tokens, self.vocabulary.stop), self.recipe.label_smoothing)
        loss = batch.token_share * loss
        if self.recipe.penalty and forced.weights:
            share = F.normalize(regions.weight, p=1, dim=1).index_select(0, batch.owner.to(device))  # (C, N)
            over_padding = self.recipe.over_padding
            penalty = coverage_penalty(
                forced.mean_weights, tokens, share, stop=self.vocabulary.stop, over_padding=over_padding
            )
            loss = loss + batch.caption_share * self.recipe.penalty * penalty
        return loss

    def _draw(self, units: int) -> np.ndarray | None:
        """Return the random numbers that pick the regions of a step; None: all regions."""
        return torch.rand(units, self.recipe.regions).numpy() if self.recipe.regions else None

    def _roughened(self, features: Tensor) -> Tensor:
        """Return features (U, N, D) without some channels, the same for all regions of a unit."""
        keep = torch.ones(features.shape[0], 1, features.shape[2], device=features.device)
        return features * F.dropout(keep, self.recipe.feature_dropout)


def move(regions: RegionBatch, device: torch.device) -> RegionBatch:
    """Return a batch of regions on `device`."""
    return RegionBatch(*(tensor.to(device, non_blocking=True) for tensor in regions))


def spread_loss(forced: Forced, tokens: Tensor, stop: int) -> Tensor:
    """Return the mean negative log p of all words at each token (scalar): what label smoothing mixes in."""
    mask = counted(tokens, stop)  # (C, L)
    return -(forced.log_probs.mean(-1) * mask).sum() / mask.sum()


def coverage_penalty(
    weights: Tensor, tokens: Tensor, share: Tensor, *, stop: int, over_padding: bool = False
) -> Tensor:
    """Return sum_i (C w_i - sum_t α_ti)², mean over captions (scalar): look at everything the mask covers.

    Show, Attend and Tell's equation 9 asks each region to receive the same attention in all, τ. Regions here are
    unequal by construction, so a region's τ is the caption's C tokens times its share of the mask: share (C, N) sums
    to 1. weights (C, L, N); padded steps of tokens (C, L) do not count. With `over_padding` what is received at them
    does, though no word is said: a short caption among long ones is told to attend less.
    """
    mask = counted(tokens, stop).to(weights.dtype)  # (C, L)
    received = (weights if over_padding else weights * mask.unsqueeze(-1)).sum(1)  # (C, N)
    return (mask.sum(1, keepdim=True) * share - received).square().sum(1).mean()


@torch.no_grad()
def mean_nll(
    decoder: Decoder,
    units: DescribedUnits,
    batches: CaptionBatches,
    vocabulary: Vocabulary,
    *,
    regions: int = 0,
    batch_size: int = 64,
) -> float:
    """Return the mean negative log p of a reference's token, natural logarithm.

    `regions`: how many of a unit's regions are drawn, always the same ones, as in training; 0: all.
    """
    device, generator = next(decoder.parameters()).device, torch.Generator().manual_seed(0)
    total = count = 0.0
    for batch in batches.by_similar_length(batch_size, generator):
        drawn = torch.rand(len(batch.units), regions, generator=generator).numpy() if regions else None
        seen, tokens = move(units.regions(batch.units, drawn=drawn), device), batch.tokens.to(device)
        memory = decoder.prepare(seen.features, seen.weight)
        forced = force(decoder, memory, tokens, start=vocabulary.start, unit=batch.owner)
        tokens_counted = float(counted(tokens, vocabulary.stop).sum())
        total += float(caption_loss(forced, tokens, stop=vocabulary.stop)) * tokens_counted
        count += tokens_counted
    return total / count


@torch.no_grad()
def greedy_captions(
    decoder: Decoder, units: DescribedUnits, vocabulary: Vocabulary, *, length: int, batch_size: int = 64
) -> list[str]:
    """Return what the decoder says of each unit, word after most probable word."""
    device, captions = next(decoder.parameters()).device, []
    for places in torch.arange(len(units)).split(batch_size):
        regions = move(units.regions(places), device)
        memory = decoder.prepare(regions.features, regions.weight)
        found = greedy(decoder, memory, vocabulary, length=length)
        captions += [" ".join(vocabulary.decode(row)) for row in found.tokens[:, 0]]
    return captions


def greedy_bleu(decoder: Decoder, units: DescribedUnits, vocabulary: Vocabulary, *, length: int) -> float:
    """Return the corpus BLEU-4 of free-running greedy captions, 0 to 100."""
    return corpus_bleu(greedy_captions(decoder, units, vocabulary, length=length), units.texts)


def corpus_bleu(captions: list[str], references: tuple[tuple[str, ...], ...]) -> float:
    """Return sacrebleu's corpus BLEU-4 over lower-cased tokens; units may have different numbers of references."""
    import sacrebleu

    most = max(len(texts) for texts in references)
    tokens = [[" ".join(tokenize(text)) for text in texts] for texts in references]
    streams = [[texts[place] if place < len(texts) else None for texts in tokens] for place in range(most)]
    # None stands for a reference that a unit lacks; sacrebleu takes it, its annotations do not say so
    return float(sacrebleu.corpus_bleu(captions, streams, force=True).score)  # type: ignore[arg-type]
