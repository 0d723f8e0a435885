"""A captioner of whole images that was never trained, but whose attention is lively."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from mami_core.captioning.build import build_decoder
from mami_core.captioning.checkpoint import Checkpoint, save_checkpoint
from mami_core.captioning.encoder import fit_encoder, save_encoder
from mami_core.captioning.image_encoder import save_image_encoder
from mami_core.captioning.names import decoder_config
from mami_core.captioning.vocabulary import Vocabulary
from mami_core.pipeline.trainings.captioned import IMAGE_ENCODER, backbone_encoder
from mami_core.scenery.networks import PartsEncoder
from mami_core.scenery.world import paint

WORDS = ("a", "red", "roof", "in", "the", "park")


def make_encoder(folder: Path) -> Path:
    """Write an encoder of parts into `folder` and return it."""
    torch.manual_seed(1)
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 112, 112), dtype=np.uint8)
    save_encoder(fit_encoder(PartsEncoder(), images), folder)
    return folder


def make_captioner(name: str, encoder: str, folder: Path) -> Path:
    """Write a captioner over an encoder into `folder` and return it."""
    fitted = backbone_encoder(encoder).fitted([Image.fromarray(paint(seed).image) for seed in range(3)])
    vocabulary = Vocabulary(WORDS)
    sizes = {"hidden_size": 12, "embedding_size": 8, "attention_size": 6, "length": 5}
    config = decoder_config(name, feature_size=fitted.feature_size, vocabulary_size=len(vocabulary), **sizes)
    decoder = build_decoder(config, seed=2)
    torch.manual_seed(3)
    with torch.no_grad():
        for weight in decoder.parameters():
            weight.copy_(torch.randn_like(weight) * 0.4)
        decoder.to_words.bias[vocabulary.stop] = -5.0  # never silent
    facts = {"name": fitted.name, "sha256": fitted.sha256}
    save_checkpoint(folder, Checkpoint(decoder, vocabulary, None, {"strategy": "greedy"}, facts, {"simulated": True}))
    save_image_encoder(fitted, folder / IMAGE_ENCODER)
    return folder
