"""From a configuration to an untrained decoder."""

from __future__ import annotations

import torch

from mami_core.captioning.decoder import AttentionDecoder, Decoder
from mami_core.captioning.inject import InjectDecoder
from mami_core.captioning.names import DecoderConfig


def build_decoder(config: DecoderConfig, *, seed: int | None = None) -> Decoder:
    """Return the untrained decoder that `config` describes; with a seed, always the same one."""
    with torch.random.fork_rng(devices=[], enabled=seed is not None):
        if seed is not None:
            torch.manual_seed(seed)
        return AttentionDecoder(config) if config.kind == "attention" else InjectDecoder(config)
