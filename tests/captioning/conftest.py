"""Small decoders with lively weights: an untrained one attends uniformly, and would hide faults."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from mami_core.captioning.build import build_decoder
from mami_core.captioning.decoder import Decoder
from mami_core.captioning.language_model import LanguageModel, LanguageModelConfig
from mami_core.captioning.names import decoder_config
from mami_core.captioning.vocabulary import Vocabulary

FEATURES, HIDDEN, EMBEDDING, WIDTH, REGIONS = 6, 7, 5, 4, 8


@pytest.fixture
def vocabulary() -> Vocabulary:
    return Vocabulary(("red", "roof", "tiles", "of", "a"))


@pytest.fixture
def make_decoder(vocabulary) -> Callable[..., Decoder]:
    """Build a small decoder by captioner name, every weight drawn anew with spread `scale`."""

    def make(name: str = "mami", *, seed: int = 0, scale: float = 0.7, dtype=torch.float64, **changes) -> Decoder:
        sizes = {"hidden_size": HIDDEN, "embedding_size": EMBEDDING, "attention_size": WIDTH, **changes}
        config = decoder_config(name, feature_size=FEATURES, vocabulary_size=len(vocabulary), **sizes)
        return enliven(build_decoder(config), seed=seed, scale=scale).to(dtype).eval()

    return make


@pytest.fixture
def language_model(vocabulary) -> LanguageModel:
    config = LanguageModelConfig(len(vocabulary), embedding_size=EMBEDDING, hidden_size=HIDDEN)
    model = LanguageModel(config, start=vocabulary.start, stop=vocabulary.stop)
    return enliven(model, seed=5, scale=0.7).double().eval()


def enliven(module, *, seed: int, scale: float):
    """Draw every parameter from N(0, scale²)."""
    chance = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=chance) * scale)
    return module


def draw(*shape: int, seed: int = 0, dtype=torch.float64) -> torch.Tensor:
    """Return numbers from N(0, 1), always the same for a seed."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)
