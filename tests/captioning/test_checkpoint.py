import json

import pytest
import torch
from lively import FEATURES, REGIONS, draw
from safetensors.torch import load_file, save_file

from mami_core.captioning.checkpoint import (
    DESCRIPTION,
    WEIGHTS,
    Checkpoint,
    fill,
    load_checkpoint,
    save_checkpoint,
)
from mami_core.captioning.names import CAPTIONERS
from mami_core.captioning.vocabulary import Vocabulary


@pytest.fixture
def checkpoint(make_decoder, vocabulary, language_model):
    return Checkpoint(
        decoder=make_decoder("mami", dtype=torch.float32),
        vocabulary=vocabulary,
        language_model=language_model.float(),
        settings={"strategy": "beam", "beam_size": 3},
        encoder={"name": "parts@scenery"},
        provenance={"trained_on": "scenery", "simulated": True},
    )


@pytest.mark.parametrize("name", CAPTIONERS)
def test_every_captioner_comes_back_the_same(make_decoder, vocabulary, tmp_path, name):
    saved = Checkpoint(make_decoder(name, dtype=torch.float32), vocabulary)
    save_checkpoint(tmp_path, saved)
    loaded = load_checkpoint(tmp_path)
    assert loaded.decoder.config == saved.decoder.config
    assert not loaded.decoder.training
    for key, value in saved.decoder.state_dict().items():
        assert torch.equal(loaded.decoder.state_dict()[key], value)


def test_words_settings_and_origin_come_back(checkpoint, tmp_path):
    save_checkpoint(tmp_path, checkpoint)
    loaded = load_checkpoint(tmp_path)
    assert loaded.vocabulary == checkpoint.vocabulary
    assert loaded.settings == checkpoint.settings
    assert loaded.encoder == checkpoint.encoder
    assert loaded.provenance == checkpoint.provenance
    tokens = checkpoint.vocabulary.batch(["red roof"])
    with torch.no_grad():
        expected = checkpoint.language_model.log_probability(tokens)
        assert torch.equal(loaded.language_model.log_probability(tokens), expected)


def test_half_precision_halves_the_file_and_hardly_moves_log_p(checkpoint, tmp_path, vocabulary):
    save_checkpoint(tmp_path / "full", checkpoint)
    save_checkpoint(tmp_path / "half", checkpoint, half=True)
    sizes = [(tmp_path / name / WEIGHTS).stat().st_size for name in ("full", "half")]
    assert sizes[1] < 0.7 * sizes[0]
    features, spoken = draw(2, REGIONS, FEATURES, dtype=torch.float32), torch.full((2,), vocabulary.start)
    with torch.no_grad():
        log_p = [
            decoder.step(spoken, decoder.init_state(decoder.prepare(features)), decoder.prepare(features)).log_probs
            for decoder in (checkpoint.decoder, load_checkpoint(tmp_path / "half").decoder)
        ]
    torch.testing.assert_close(log_p[0], log_p[1], atol=2e-2, rtol=0)


def test_no_captioner_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"captioner\.json is missing"):
        load_checkpoint(tmp_path)


def test_weights_gone(checkpoint, tmp_path):
    save_checkpoint(tmp_path, checkpoint)
    (tmp_path / WEIGHTS).unlink()
    with pytest.raises(FileNotFoundError, match=r"but no weights\.safetensors"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("place", [0, 40, -1])
def test_a_changed_byte_of_the_weights_is_noticed(checkpoint, tmp_path, place):
    save_checkpoint(tmp_path, checkpoint)
    data = bytearray((tmp_path / WEIGHTS).read_bytes())
    data[place] ^= 1
    (tmp_path / WEIGHTS).write_bytes(data)
    with pytest.raises(ValueError, match="is not the file that"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 99}'])
def test_a_description_that_is_none_is_refused(checkpoint, tmp_path, text):
    save_checkpoint(tmp_path, checkpoint)
    (tmp_path / DESCRIPTION).write_text(text)
    with pytest.raises(ValueError, match=r"is not JSON|is not of captioner format 1"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("part", ["decoder", "vocabulary", "language_model"])
def test_a_description_without_a_part_is_refused(checkpoint, tmp_path, part):
    save_checkpoint(tmp_path, checkpoint)
    described = json.loads((tmp_path / DESCRIPTION).read_text())
    del described[part]
    (tmp_path / DESCRIPTION).write_text(json.dumps(described))
    with pytest.raises(ValueError, match="is not a whole captioner"):
        load_checkpoint(tmp_path)


def test_an_unknown_setting_is_refused(checkpoint, tmp_path):
    save_checkpoint(tmp_path, checkpoint)
    described = json.loads((tmp_path / DESCRIPTION).read_text())
    described["decoder"]["colour"] = "red"
    (tmp_path / DESCRIPTION).write_text(json.dumps(described))
    with pytest.raises(ValueError, match="unknown settings: colour"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("fault", ["lacks", "does not know", "misfit"])
def test_weights_that_do_not_fit_are_named(checkpoint, tmp_path, fault):
    save_checkpoint(tmp_path, checkpoint)
    tensors = load_file(tmp_path / WEIGHTS)
    bias = tensors.pop("decoder.gate.bias")
    if fault == "does not know":
        tensors["decoder.gate.bias"], tensors["decoder.gate.scale"] = bias, bias.clone()
    if fault == "misfit":
        tensors["decoder.gate.bias"] = bias[:-1].clone()
    save_file(tensors, tmp_path / WEIGHTS)
    with pytest.raises(ValueError, match=rf"do not fit AttentionDecoder: {fault} gate\."):
        load_checkpoint(tmp_path, verify=False)


def test_a_decoder_and_words_that_do_not_match_are_refused(make_decoder):
    with pytest.raises(ValueError, match="the decoder speaks 9 ids, the vocabulary has 5"):
        Checkpoint(make_decoder("milan"), Vocabulary(("red",)))


def test_nothing_half_filled_is_left(make_decoder):
    decoder = make_decoder("milan")
    before = {name: value.clone() for name, value in decoder.state_dict().items()}
    with pytest.raises(ValueError, match="lacks"):
        fill(decoder, {"gate.bias": before["gate.bias"] + 1}, source="a test")
    assert all(torch.equal(value, before[name]) for name, value in decoder.state_dict().items())
