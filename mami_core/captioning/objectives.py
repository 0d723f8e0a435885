"""What training minimises: caption loss, doubly stochastic penalty, and the hard-attention surrogate."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mami_core.captioning.forcing import Forced
from mami_core.captioning.language_model import counted


def caption_loss(forced: Forced, tokens: Tensor, *, stop: int) -> Tensor:
    """Return the mean negative log p of a token (scalar): words and stops count, padding does not."""
    mask = counted(tokens, stop)  # (C, L)
    return -(forced.token_log_probs(tokens) * mask).sum() / mask.sum()


def doubly_stochastic_penalty(weights: Tensor, tokens: Tensor, *, stop: int, share: bool = True) -> Tensor:
    """Return sum_i (τ - sum_t α_ti)², mean over captions (scalar). Show, Attend and Tell, equation 9.

    weights (C, L, N); only real time steps of tokens (C, L) are summed, so padding changes nothing. `share` takes
    τ = C/N, the attention a region would get if all got the same; else the paper's printed τ = 1.
    """
    mask = counted(tokens, stop).to(weights.dtype)  # (C, L)
    received = (weights * mask.unsqueeze(-1)).sum(1)  # (C, N)
    target = mask.sum(1, keepdim=True) / weights.shape[-1] if share else 1.0
    return (target - received).square().sum(1).mean()


@dataclass(frozen=True)
class HardAttentionSettings:
    """Show, Attend and Tell, equation 12, with the authors' code's values."""

    reward_weight: float = 0.1  # λ_r
    entropy_weight: float = 0.002  # λ_e
    decay: float = 0.9  # of the moving-average baseline
    per_token: bool = True  # the reward is the mean log p of a token, not the caption's sum


class HardAttentionLoss(nn.Module):
    """REINFORCE with a moving-average baseline for captions whose regions were drawn (section 4.1).

    The gradient of the returned loss estimates that of E[-log p(y | s, a)]: the caption's own term, plus the reward
    against the baseline times grad log α of what was drawn. The baseline is a buffer: it is saved with the training.
    """

    baseline: Tensor

    def __init__(self, settings: HardAttentionSettings | None = None) -> None:
        super().__init__()
        self.settings = settings or HardAttentionSettings()
        self.register_buffer("baseline", torch.zeros(()))

    def forward(self, forced: Forced, tokens: Tensor, *, stop: int) -> Tensor:
        """Return the loss (scalar) for captions tokens (C, L), mean over captions, and move the baseline."""
        if forced.log_choice is None or forced.entropy is None:
            raise ValueError("the hard-attention loss needs a decoder with selection=hard")
        settings = self.settings
        mask = counted(tokens, stop).to(forced.entropy.dtype)  # (C, L)
        log_p = (forced.token_log_probs(tokens) * mask).sum(1)  # (C,)
        tokens_each = mask.sum(1) if settings.per_token else torch.ones_like(log_p)
        reward = (log_p / tokens_each).detach()  # (C,)
        chosen = (forced.log_choice * mask).sum(1)  # (C,): 0 where the coin said "expectation"
        surprise = (reward - self.baseline) * chosen
        wander = (forced.entropy * mask).sum(1)
        loss = -log_p / tokens_each - settings.reward_weight * surprise - settings.entropy_weight * wander
        if self.training:
            self.baseline.mul_(settings.decay).add_((1 - settings.decay) * reward.mean())
        return loss.mean()
