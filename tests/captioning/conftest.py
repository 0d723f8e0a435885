"""Small decoders with lively weights: an untrained one attends uniformly, and would hide faults."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from lively import EMBEDDING, FEATURES, HIDDEN, WIDTH, enliven

from mami_core.captioning.build import build_decoder
from mami_core.captioning.decoder import Decoder
from mami_core.captioning.language_model import LanguageModel, LanguageModelConfig
from mami_core.captioning.names import decoder_config
from mami_core.captioning.vocabulary import Vocabulary


@pytest.fixture
def vocabulary() -> Vocabulary:
    return Vocabulary(("red", "roof", "tiles", "of", "a"))


@pytest.fixture
def make_decoder(vocabulary) -> Callable[..., Decoder]:
    """Build a small decoder by captioner name, every weight drawn anew with spread `scale`."""

    def make(
        name: str = "mami",
        *,
        seed: int = 0,
        scale: float = 0.7,
        dtype: torch.dtype = torch.float64,
        vocabulary: Vocabulary = vocabulary,
        **changes,
    ) -> Decoder:
        sizes = {"hidden_size": HIDDEN, "embedding_size": EMBEDDING, "attention_size": WIDTH, **changes}
        config = decoder_config(name, feature_size=FEATURES, vocabulary_size=len(vocabulary), **sizes)
        return enliven(build_decoder(config), seed=seed, scale=scale).to(dtype).eval()

    return make


@pytest.fixture
def language_model(vocabulary) -> LanguageModel:
    config = LanguageModelConfig(len(vocabulary), embedding_size=EMBEDDING, hidden_size=HIDDEN)
    model = LanguageModel(config, start=vocabulary.start, stop=vocabulary.stop)
    return enliven(model, seed=5, scale=0.7).double().eval()
