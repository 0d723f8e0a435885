"""Consensus decoding: say what most of the captions that could be said agree on. Ours, beyond the papers.

Minimum Bayes risk (Kumar and Byrne 2004): the candidate with the highest expected word F1 against captions sampled
from the decoder. Likelihood prefers short, empty captions; agreement does not.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mami_core.captioning.search import Decoded
from mami_core.captioning.vocabulary import Vocabulary


def consensus_scores(
    candidates: Decoded,
    samples: Decoded,
    vocabulary: Vocabulary,
    *,
    recall_weight: float = 0.3,
    discount: float = 0.9,
) -> Tensor:
    """Return (1 - recall_weight) · F1 + recall_weight · recall of each candidate (U, C), mean over samples (U, S).

    A word at position i counts discount^i in F1: what is said first matters most. Recall, undiscounted, keeps long
    captions from losing. Candidates that have not ended rank behind those that have; -inf where there is none.
    """
    if not 0 <= recall_weight <= 1 or not 0 < discount <= 1:
        raise ValueError(f"consensus needs recall_weight in [0, 1] and discount in (0, 1]; {recall_weight}, {discount}")
    ours, theirs = (
        word_weights(candidates.tokens, vocabulary, discount),
        word_weights(samples.tokens, vocabulary, discount),
    )
    shared = torch.bmm(ours.sqrt(), theirs.sqrt().transpose(1, 2))  # (U, C, S): dot of roots, so at most the mean
    total = ours.sum(-1).unsqueeze(2) + theirs.sum(-1).unsqueeze(1)  # (U, C, S)
    f1 = 2 * shared / total.clamp_min(1e-9)
    said, heard = (ours > 0).float(), (theirs > 0).float()
    recall = torch.bmm(said, heard.transpose(1, 2)) / heard.sum(-1).unsqueeze(1).clamp_min(1)
    scores = ((1 - recall_weight) * f1 + recall_weight * recall).mean(2)  # (U, C), in [0, 1]
    ended = (candidates.tokens == vocabulary.stop).any(-1)
    return torch.where(ended, scores, scores - 2).masked_fill(~torch.isfinite(candidates.scores), -torch.inf)


def word_weights(tokens: Tensor, vocabulary: Vocabulary, discount: float) -> Tensor:
    """Return how much each word counts in each caption: tokens (U, C, T) to (U, C, words), discount^position.

    A repeated word counts at its first place only.
    """
    words = len(vocabulary.words)
    live = ((tokens == vocabulary.stop).cumsum(-1) == 0) & (tokens < words)  # (U, C, T)
    place = torch.arange(tokens.shape[-1], device=tokens.device)
    worth = torch.where(live, discount ** place.float(), 0.0)  # (U, C, T)
    bags = torch.zeros(*tokens.shape[:2], words + 1, device=tokens.device)
    bags = bags.scatter_reduce(2, torch.where(live, tokens, words), worth, "amax")
    return bags[..., :words]
