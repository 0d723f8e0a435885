"""What TensorBoard is given of a training run."""

from __future__ import annotations

import pytest
import torch

from mami_core.captioning.build import build_decoder
from mami_core.captioning.names import decoder_config
from mami_core.training.captioner import CaptionerRecipe, train_captioner
from mami_core.training.loop import LoopSettings
from mami_core.training.tensorboard import CELL, OneStep, attention_picture, log_attention, log_graph, open_log

events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")


@pytest.fixture
def decoder(train_units, vocabulary):
    sizes = {"hidden_size": 12, "embedding_size": 8, "attention_size": 6}
    config = decoder_config(
        "mami", feature_size=train_units.features.feature_size, vocabulary_size=len(vocabulary), **sizes
    )
    return build_decoder(config, seed=3).eval()


def test_a_picture_has_a_row_a_word_and_a_tile_an_exemplar():
    weights = torch.zeros(2, 3 * 4)
    weights[0, 5] = 0.5  # second exemplar, upper right cell
    picture = attention_picture(weights, (3, 2, 2))
    side = 2 * CELL + 2
    assert picture.shape == (1, 2 * side, 3 * side)
    assert picture[0, 1 + CELL // 2, side + 1 + CELL + CELL // 2] == 1
    assert picture.sum() == CELL * CELL


def test_the_graph_is_the_decoders_own_step(decoder, val_units, vocabulary):
    regions = val_units.regions([0, 1])
    tokens = torch.full((2,), vocabulary.start)
    memory = decoder.prepare(regions.features, regions.weight)
    expected = decoder.step(tokens, decoder.init_state(memory), memory).log_probs
    assert torch.equal(OneStep(decoder)(regions.features, regions.weight, tokens), expected)


def test_captions_attention_and_graph_reach_the_log(decoder, val_units, vocabulary, tmp_path):
    writer = open_log(tmp_path)
    log_graph(writer, decoder, val_units.regions([0]), vocabulary.start)
    log_attention(writer, decoder, val_units, vocabulary, length=4, epoch=0)
    writer.close()
    found = events.EventAccumulator(str(tmp_path))
    found.Reload()
    tags = found.Tags()
    assert tags["graph"]
    assert {"unit-0/bahdanau", "unit-0/luong", "unit-0/self"} <= set(tags["images"])
    assert "unit-0/caption/text_summary" in tags["tensors"]


def test_every_epochs_figures_are_scalars(train_units, val_units, vocabulary, tmp_path):
    recipe = CaptionerRecipe(
        hidden_size=12, embedding_size=8, attention_size=6, batch_size=8, loop=LoopSettings(epochs=3)
    )
    writer = open_log(tmp_path)
    _, history = train_captioner("milan", train_units, val_units, vocabulary, length=4, recipe=recipe, writer=writer)
    writer.close()
    found = events.EventAccumulator(str(tmp_path))
    found.Reload()
    for name in ("loss", "val_nll"):
        logged = [entry.value for entry in found.Scalars(name)]
        assert logged == pytest.approx([epoch[name] for epoch in history.epochs])
