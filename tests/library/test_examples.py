"""The examples run as they stand."""

from __future__ import annotations

import doctest
import importlib.util
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest
import torch
from made_dissection import make_dissection

from mami_core.cli import main
from mami_core.store import Dissection

EXAMPLES = Path(__file__).parents[2] / "examples"
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "red", "door", "sea", "green", "blue", "tree", "house"]


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_own_network_goes_from_a_module_to_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    example("own_network").main(tmp_path)
    table = pd.read_csv(tmp_path / "neurons.csv")
    assert table["layer"].value_counts().to_dict() == {"relu2": 12, "relu": 8}
    alive = table[(table["layer"] == "relu2") & (table["state"] == "alive")]
    assert alive["milan@scenery.caption"].notna().all()
    assert "<figure>" in (tmp_path / "neuron.html").read_text()
    assert "<Neuron Sequential/relu2/8" in capsys.readouterr().out


@pytest.fixture(scope="module")
def blip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real BLIP of transformers with random weights, saved as from a hub: 13 words, one layer."""
    from transformers import BertTokenizer, BlipConfig, BlipForConditionalGeneration, BlipImageProcessor, BlipProcessor

    folder = tmp_path_factory.mktemp("models") / "tiny-blip"
    part = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    ends = {"bos_token_id": 2, "eos_token_id": 3, "sep_token_id": 3, "pad_token_id": 0}
    text = {**part, **ends, "encoder_hidden_size": 16, "vocab_size": len(WORDS)}
    torch.manual_seed(3)
    config = BlipConfig(text_config=text, vision_config={**part, "image_size": 32, "patch_size": 16})
    model = BlipForConditionalGeneration(config)
    torch.nn.init.normal_(model.text_decoder.cls.predictions.decoder.weight, std=2.0)  # else it says marks alone
    model.save_pretrained(folder)
    tokenizer = BertTokenizer(vocab={word: number for number, word in enumerate(WORDS)})
    BlipProcessor(BlipImageProcessor(size={"height": 32, "width": 32}), tokenizer).save_pretrained(folder)
    return folder


def test_a_model_of_transformers_captions_units(blip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dissection = make_dissection(tmp_path / "squares")
    name = f"{EXAMPLES / 'image_to_text.py'}:image_to_text:{blip}"
    assert main(["caption", str(dissection), "--captioner", name, "--units", "0-1", "--json"]) == 0
    said = Dissection.open(dissection).captions("tiny-blip")
    assert len(said) == 4
    assert set(" ".join(said["caption"]).split()) <= set(WORDS)
    assert (said["state"] == "ok").all()
    assert main(["caption", str(dissection), "--captioner", name.replace("tiny-blip", "gone")]) == 2
    assert "no model folder" in capsys.readouterr().err


def test_the_caption_most_alike_the_others_is_chosen() -> None:
    module = example("image_to_text")
    assert doctest.testmod(module).failed == 0
    assert module.most_alike(["x y", "a b", "a c", "a b c"]) == "a b c"
    assert module.most_alike([]) == ""
