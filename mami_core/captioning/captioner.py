"""A captioner: a decoder, a language model, a vocabulary, and the settings it is decoded with best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mami_core.captioning.checkpoint import Checkpoint, load_checkpoint
from mami_core.captioning.decoding import Decoding, decode, without_repeats
from mami_core.captioning.explain import Explanation, explain
from mami_core.captioning.forcing import force
from mami_core.captioning.match import Matcher, load_matcher
from mami_core.captioning.rerank import score_texts
from mami_core.captioning.sampling import content_seeds
from mami_core.captioning.search import Decoded
from mami_core.captioning.visible import VisibleRegions, visible_regions
from mami_core.records import Caption, HeadOutput, join_words

NOT_FINITE = float("nan")


@dataclass(frozen=True, eq=False)
class Captioner:
    """Say in words what units fire for. U units, N regions, D feature size."""

    name: str
    checkpoint: Checkpoint
    decoding: Decoding = field(default_factory=Decoding)
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    matcher: Matcher | None = None  # a learned similarity of captions and regions, for consensus

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        name: str | None = None,
        decoding: Decoding | None = None,
        device: torch.device | None = None,
    ) -> Captioner:
        """Read the captioner in `folder`, with its own best settings unless `decoding` is given."""
        checkpoint = load_checkpoint(folder)
        chosen = decoding or Decoding.from_json(checkpoint.settings)
        matcher = load_matcher(folder, checkpoint.vocabulary)
        return cls(name or folder.name, checkpoint, chosen, matcher=matcher).to(device or torch.device("cpu"))

    def to(self, device: torch.device) -> Captioner:
        """Return the captioner on another device."""
        for part in (self.checkpoint.decoder, self.checkpoint.language_model, self.matcher):
            if part is not None:
                part.to(device)
        return replace(self, device=device)

    @property
    def simulated(self) -> bool:
        """Whether it learnt from a simulated world: every screen and file that shows its captions says so."""
        return bool(self.checkpoint.provenance.get("simulated", False))

    @property
    def provenance(self) -> Mapping[str, Any]:
        """What is written beside its captions: where it comes from and how it decodes."""
        return {
            "captioner": self.name,
            "decoder": self.checkpoint.decoder.config.to_json(),
            "decoding": self.decoding.to_json(),
            "encoder": dict(self.checkpoint.encoder),
            **self.checkpoint.provenance,
        }

    def caption(
        self,
        features: Tensor,
        weight: Tensor | None = None,
        *,
        grid: tuple[int, int, int] | None = None,
        batch_size: int = 16,
        alternatives: int = 5,
    ) -> list[Caption]:
        """Caption units features (U, N, D), weight (U, N): one record each, in order, whatever the batches are.

        With `grid` (exemplars, h, w) of the N regions, each caption carries its attention heads and gate. A unit whose
        features are not finite gets a caption in state `failed`. ValueError where shapes do not fit the decoder.
        """
        self._check(features, weight, grid)
        captions: list[Caption] = []
        for rows in torch.arange(len(features)).split(batch_size):
            captions += self._batch(features[rows], None if weight is None else weight[rows], grid, alternatives)
        return captions

    def explain(self, features: Tensor, captions: list[Caption], weight: Tensor | None = None) -> list[Explanation]:
        """Return what the heads did while they said `captions` of units features (U, N, D), weight (U, N)."""
        tokens = self.checkpoint.vocabulary.batch([caption.words for caption in captions]).to(self.device)
        weight = None if weight is None else weight.to(self.device)
        decoder, length = self.checkpoint.decoder, self.decoding.length
        return explain(
            decoder, features.to(self.device), tokens, self.checkpoint.vocabulary, weight=weight, length=length
        )

    def _batch(
        self, features: Tensor, weight: Tensor | None, grid: tuple[int, int, int] | None, alternatives: int
    ) -> list[Caption]:
        """Caption one batch; units that are not finite are left out of it and reported as failed."""
        finite = torch.isfinite(features).flatten(1).all(1)
        if weight is not None:
            finite = finite & torch.isfinite(weight).all(1) & (weight >= 0).all(1)
        failed = Caption(self.name, (), NOT_FINITE, NOT_FINITE, state="failed")
        if not bool(finite.any()):
            return [failed] * len(features)
        kept = features[finite].to(self.device, torch.float32)
        visible = None if weight is None else visible_regions(kept, weight[finite].to(self.device, torch.float32))
        seeds = content_seeds(kept, seed=self.decoding.seed)
        spoken = iter(self._speak(kept, visible, seeds, grid, alternatives))
        return [next(spoken) if fine else failed for fine in finite.tolist()]

    @torch.no_grad()
    def _speak(
        self,
        features: Tensor,
        visible: VisibleRegions | None,
        seeds: list[int],
        grid: tuple[int, int, int] | None,
        alternatives: int,
    ) -> list[Caption]:
        """Caption units whose features are finite; a seed for each unit's samples."""
        decoder, vocabulary = self.checkpoint.decoder, self.checkpoint.vocabulary
        seen, weight = (features, None) if visible is None else (visible.features, visible.weight)
        model = self.checkpoint.language_model
        memory = decoder.prepare(seen, weight)
        match = (
            None
            if self.matcher is None
            else partial(self.matcher.scores, seen, _ones(seen) if weight is None else weight)
        )
        found = decode(decoder, memory, vocabulary, self.decoding, language_model=model, seeds=seeds, match=match)
        best = found.tokens[:, 0]  # (U, T)
        log_p = force(decoder, memory, best, start=vocabulary.start).caption_log_probs(best, stop=vocabulary.stop)
        prior = torch.full_like(log_p, NOT_FINITE) if model is None else score_texts(model, best)
        heads: list[tuple[HeadOutput, ...]] = [()] * len(best)
        gates: list[tuple[float, ...]] = [()] * len(best)
        if grid is not None and decoder.config.heads:
            told = explain(decoder, seen, best, vocabulary, weight=weight, length=self.decoding.length)
            heads = [self._heads(one, visible, unit, grid) for unit, one in enumerate(told)]
            gates = [() if one.gate is None else tuple(one.gate.tolist()) for one in told]
        return [
            Caption(
                captioner=self.name,
                words=vocabulary.decode(best[unit]),
                log_p_given_exemplars=float(log_p[unit]),
                log_p=float(prior[unit]),
                alternatives=self._alternatives(found, unit, alternatives),
                heads=heads[unit],
                gate=gates[unit],
            )
            for unit in range(len(best))
        ]

    def _alternatives(self, found: Decoded, unit: int, most: int) -> tuple[tuple[str, float], ...]:
        rows = without_repeats(found.tokens[unit], found.scores[unit], most=most)
        words = [(self.checkpoint.vocabulary.decode(found.tokens[unit, row]), score) for row, score in rows]
        return tuple((join_words(said), score) for said, score in words)

    def _heads(
        self, told: Explanation, visible: VisibleRegions | None, unit: int, grid: tuple[int, int, int]
    ) -> tuple[HeadOutput, ...]:
        """Return the heads with their weights over all regions, those left out as hidden included."""
        if visible is None:
            return told.outputs(grid)
        full = {
            name: replace(head, weights=visible.scatter_unit(head.weights, unit)) for name, head in told.heads.items()
        }
        return replace(told, heads=full).outputs(grid)

    def _check(self, features: Tensor, weight: Tensor | None, grid: tuple[int, int, int] | None) -> None:
        size = self.checkpoint.decoder.config.feature_size
        if features.ndim != 3 or features.shape[-1] != size:
            raise ValueError(
                f"{self.name} reads features (units, regions, {size}), got {tuple(features.shape)}; "
                "were they made by its encoder?"
            )
        if weight is not None and weight.shape != features.shape[:2]:
            raise ValueError(f"weight {tuple(weight.shape)} does not fit features {tuple(features.shape)}")
        if grid is not None and grid[0] * grid[1] * grid[2] != features.shape[1]:
            raise ValueError(f"a grid of {grid} does not hold {features.shape[1]} regions")


def _ones(features: Tensor) -> Tensor:
    return features.new_ones(features.shape[:2])
