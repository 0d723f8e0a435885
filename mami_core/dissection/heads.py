"""Attention heads as units: a head's map is how strongly the class token attends to each patch.

A layer written `blocks.3.attn@heads` stands for the heads of that attention module. Without a class token the map is
the attention that each patch receives, averaged over all patches.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

HEADS = "@heads"


def head_count(module: nn.Module) -> int | None:
    """Return how many heads an attention module has, where its queries and keys can be read; None for any other.

    Known are torch's `MultiheadAttention` (torchvision), timm's `qkv`, and transformers' `query` and `key`.
    """
    if isinstance(module, nn.MultiheadAttention):
        return module.num_heads if module.in_proj_weight is not None else None
    if isinstance(getattr(module, "qkv", None), nn.Linear):
        return getattr(module, "num_heads", None)
    if isinstance(getattr(module, "query", None), nn.Linear) and isinstance(getattr(module, "key", None), nn.Linear):
        return getattr(module, "num_attention_heads", None)
    return None


def attention_input(module: nn.Module, inputs: tuple[Any, ...], keywords: dict[str, Any]) -> Tensor:
    """Return the tokens (B, N, D) that an attention module was called with."""
    found = inputs[0] if inputs else next(value for value in keywords.values() if isinstance(value, Tensor))
    sequence_first = isinstance(module, nn.MultiheadAttention) and not module.batch_first
    return found.transpose(0, 1) if sequence_first else found


def head_attention(module: nn.Module, tokens: Tensor, prefix: int) -> Tensor:
    """Return each head's attention over all tokens, (B, heads, N), rows summing to 1.

    tokens (B, N, D); `prefix` class and register tokens stand in front, the first of which asks.
    """
    queries, keys = _queries_and_keys(module, tokens)  # (B, heads, N, d)
    asking = queries[:, :, :1] if prefix else queries  # (B, heads, 1 or N, d)
    scores = asking @ keys.transpose(-1, -2) * keys.shape[-1] ** -0.5  # (B, heads, 1 or N, N)
    return scores.softmax(-1).mean(2)  # (B, heads, N)


def _queries_and_keys(module: nn.Module, tokens: Tensor) -> tuple[Tensor, Tensor]:
    heads = head_count(module)
    assert heads is not None
    if isinstance(module, nn.MultiheadAttention):
        both = F.linear(tokens, module.in_proj_weight, module.in_proj_bias)  # (B, N, 3D)
        query, key, _ = both.chunk(3, dim=-1)
    elif isinstance(getattr(module, "qkv", None), nn.Linear):
        query, key, _ = module.qkv(tokens).chunk(3, dim=-1)  # type: ignore[operator]
    else:
        query, key = module.query(tokens), module.key(tokens)  # type: ignore[operator]
    query, key = (part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in (query, key))  # (B, heads, N, d)
    normed = (getattr(module, name, None) or torch.nn.Identity() for name in ("q_norm", "k_norm"))
    return tuple(norm(part) for norm, part in zip(normed, (query, key), strict=True))  # type: ignore[return-value]
