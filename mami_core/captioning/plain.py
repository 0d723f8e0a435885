"""MILAN's captioning arithmetic, step by step as its reference does it: the yardstick of `bench`, the oracle of tests.

Keys are made anew at every step, a unit's features are copied for each of its beams and gathered again at each step,
ended beams go on being computed, and the language model reads every candidate from its start.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mami_core.captioning.decoder import AttentionDecoder
from mami_core.captioning.language_model import LanguageModel, counted
from mami_core.captioning.search import Decoded
from mami_core.captioning.vocabulary import Vocabulary


@dataclass(frozen=True, eq=False)
class PlainMilan:
    """One decoder's weights, used the plain way; only captioner `milan` has this arithmetic."""

    decoder: AttentionDecoder
    vocabulary: Vocabulary

    def start(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return h and c (B, H) of features (B, N, D)."""
        mean = features.mean(1)
        return self.decoder.init_hidden(mean).tanh(), self.decoder.init_cell(mean).tanh()

    def step(self, features: Tensor, tokens: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Say tokens (B,) about features (B, N, D): log p (B, V), h and c (B, H)."""
        decoder = self.decoder
        head = decoder.heads.heads["bahdanau"]
        mixed = torch.tanh(head.from_region(features) + head.from_state(hidden).unsqueeze(1))  # type: ignore[operator]
        weights = head.score(mixed).squeeze(-1).softmax(-1)  # type: ignore[operator]  # (B, N)
        context = (weights.unsqueeze(-1) * features).sum(1)  # (B, D)
        assert decoder.gate is not None
        assert decoder.from_context is not None
        gated = decoder.gate(hidden).sigmoid() * context
        drive = decoder.from_word(decoder.embedding(tokens)) + decoder.from_context(gated) + decoder.from_state(hidden)
        enter, forget, fresh, leave = drive.chunk(4, -1)
        cell = forget.sigmoid() * cell + enter.sigmoid() * fresh.tanh()
        hidden = leave.sigmoid() * cell.tanh()
        return decoder.to_words(hidden).log_softmax(-1), hidden, cell

    @torch.no_grad()
    def beam(self, features: Tensor, *, length: int, width: int) -> Decoded:
        """Return the `width` most probable captions of each of U units, best first; ended beams say stop for free."""
        units, size, stop = len(features), len(self.vocabulary), self.vocabulary.stop
        hidden, cell = self.start(features)
        opening = torch.full((units,), self.vocabulary.start, dtype=torch.long)
        log_probs, hidden, cell = self.step(features, opening, hidden, cell)
        scores, last = log_probs.topk(width)  # (U, W)
        tokens = last.unsqueeze(-1)
        copied = features.repeat_interleave(width, 0)
        hidden, cell = hidden.repeat_interleave(width, 0), cell.repeat_interleave(width, 0)
        free = torch.full((size,), -torch.inf)
        free[stop] = 0.0
        for _ in range(length - 1):
            if bool((last == stop).all()):
                break
            log_probs, hidden, cell = self.step(copied, last.flatten(), hidden, cell)
            log_probs = torch.where((last == stop).view(-1, 1), free, log_probs)
            each, words = log_probs.topk(width)  # (U·W, W)
            every = (scores.unsqueeze(-1) + each.view(units, width, width)).flatten(1)
            scores, place = every.topk(width)
            last = words.view(units, -1).gather(1, place)
            rows = (place // width + torch.arange(units).unsqueeze(1) * width).flatten()
            copied, hidden, cell = copied[rows], hidden[rows], cell[rows]
            tokens = tokens.flatten(0, 1)[rows].view(units, width, -1)
            tokens = torch.cat([tokens, last.unsqueeze(-1)], -1)
        return Decoded(tokens, scores)

    @torch.no_grad()
    def rerank(self, found: Decoded, model: LanguageModel, *, weight: float) -> Tensor:
        """Return the winning tokens (U, T) by log p(d|E) - weight · log p(d)."""
        flat = found.tokens.flatten(0, 1)
        opening = torch.full((len(flat), 1), self.vocabulary.start, dtype=torch.long)
        log_probs = model(torch.cat([opening, flat[:, :-1]], 1))
        said = log_probs.gather(-1, flat.unsqueeze(-1)).squeeze(-1) * counted(flat, model.stop)
        best = (found.scores - weight * said.sum(1).view_as(found.scores)).argmax(1)
        return found.tokens[torch.arange(len(best)), best]
