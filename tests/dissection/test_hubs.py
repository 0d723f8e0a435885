"""Models of timm and transformers, opened by name or folder and dissected to the end; without weights of their own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from made_images import Noise
from torch import Tensor

from mami_core.config import DissectConfig
from mami_core.dissection import dissect, list_layers
from mami_core.inputs import Network, open_network
from mami_core.store import Dissection

SIDE = 32  # pixels; patches of 8 make a grid of 4 × 4


def run(network: Network, out: Path, *layers: str) -> Dissection:
    config = DissectConfig(network="t", images="t", out=out, layers=layers, k=3, batch_size=4, spectrum=2)
    return dissect(network, Noise(9, side=SIDE), config, out)


def outputs_of(network: Network, layer: str) -> Tensor:
    """Return what a layer gives for all images, by a hook of our own."""
    kept: list[Tensor] = []
    hook = network.module.get_submodule(layer).register_forward_hook(
        lambda _module, _inputs, output: kept.append(output if isinstance(output, Tensor) else output[0])
    )
    images = Noise(9, side=SIDE)
    with torch.inference_mode():
        network.module(torch.stack([network.preprocess(images.load(index)) for index in range(9)]))
    hook.remove()
    return kept[-1]


def expect_the_strongest(found: Dissection, layer: str, maps: Tensor) -> None:
    """Compare every unit's exemplars with the largest spatial maxima of maps (N, U, h, w)."""
    assert found.units["unit"].tolist() == list(range(maps.shape[1]))
    peaks = maps.amax((2, 3))  # (N, U)
    for unit in range(maps.shape[1]):
        top = found.exemplars_of(layer, unit)["top"]
        assert [entry.activation for entry in top] == pytest.approx(
            peaks[:, unit].topk(3).values.tolist(), rel=1e-3, abs=1e-4
        )
        for entry in top:
            assert float(maps[entry.image_id, unit, entry.peak_y, entry.peak_x]) == pytest.approx(
                entry.activation, rel=2e-3, abs=1e-3
            )


@pytest.fixture(scope="module")
def timm() -> None:
    pytest.importorskip("timm", reason="timm is an extra that is not installed here: pip install 'mami[timm]'")


@pytest.fixture(scope="module")
def timm_vit(request: pytest.FixtureRequest) -> Network:
    request.getfixturevalue("timm")
    tiny = {"img_size": SIDE, "patch_size": 8, "depth": 2, "embed_dim": 12, "num_heads": 2}
    return open_network("timm:vit_tiny_patch16_224", arguments=json.dumps(tiny))


@pytest.mark.usefixtures("timm")
def test_a_convolutional_network_of_timm_is_dissected(tmp_path: Path):
    network = open_network("timm:resnet10t", arguments={"num_classes": 5}, crop=SIDE)
    layer = next(entry.name for entry in list_layers(network) if entry.default)
    expect_the_strongest(run(network, tmp_path / "out", layer), layer, outputs_of(network, layer))


def test_the_tokens_of_timms_transformer_are_read_as_a_grid(timm_vit: Network, tmp_path: Path):
    tokens = outputs_of(timm_vit, "blocks.1")  # (9, 1 + 16, 12)
    grid = tokens[:, 1:].transpose(1, 2).unflatten(2, (4, 4))
    expect_the_strongest(run(timm_vit, tmp_path / "out", "blocks.1"), "blocks.1", grid)


def test_the_heads_of_timms_attention_are_units(timm_vit: Network, tmp_path: Path):
    found = run(timm_vit, tmp_path / "out", "blocks.1.attn@heads")
    attention = timm_vit.module.get_submodule("blocks.1.attn")
    tokens = outputs_of(timm_vit, "blocks.1.norm1")  # (9, 17, 12): what attention is given
    with torch.inference_mode():
        parts = attention.qkv(tokens).unflatten(2, (3, 2, 6))  # (9, 17, query-key-value, head, 6)
        query, key = parts[:, 0, 0], parts[:, :, 1]  # (9, 2, 6), (9, 17, 2, 6)
        weights = (torch.einsum("nhd,nthd->nht", query, key) / 6**0.5).softmax(-1)
    expect_the_strongest(found, "blocks.1.attn@heads", weights[:, :, 1:].unflatten(2, (4, 4)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder as `save_pretrained` leaves it: a tiny transformer with random weights, and its processor."""
    transformers = pytest.importorskip(
        "transformers", reason="transformers is not installed here: pip install transformers"
    )
    torch.manual_seed(0)
    config = transformers.ViTConfig(
        image_size=SIDE, patch_size=8, hidden_size=12, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24
    )
    path = tmp_path_factory.mktemp("hf") / "tiny-vit"
    transformers.ViTForImageClassification(config).save_pretrained(path)
    facts = {"image_processor_type": "ViTImageProcessor", "do_resize": True, "do_normalize": True, "resample": 2,
             "size": {"height": SIDE, "width": SIDE}, "image_mean": [0.5] * 3, "image_std": [0.25] * 3}  # fmt: skip
    (path / "preprocessor_config.json").write_text(json.dumps(facts))
    return path


def test_a_transformers_folder_opens_with_its_own_weights_and_preprocessing(folder: Path):
    network = open_network(f"hf:{folder}")
    assert network.name == "tiny-vit"
    image = Noise(1, side=SIDE).load(0)
    given = network.preprocess(image)  # (3, 32, 32)
    pixels = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8).view(SIDE, SIDE, 3).permute(2, 0, 1)
    assert torch.allclose(given, (pixels / 255 - 0.5) / 0.25, atol=1e-6)


def test_a_transformers_folder_is_dissected_to_the_end(folder: Path, tmp_path: Path):
    network = open_network(f"hf:{folder}")
    layer = [entry.name for entry in list_layers(network) if entry.default and entry.kind == "tokens"][-1]
    grid = outputs_of(network, layer)[:, 1:].transpose(1, 2).unflatten(2, (4, 4))
    expect_the_strongest(run(network, tmp_path / "out", layer), layer, grid)


@pytest.mark.usefixtures("timm")
def test_a_name_that_timm_does_not_know_is_answered_with_near_ones():
    with pytest.raises(ValueError, match="timm has no model 'resnet_nowhere'; near matches"):
        open_network("timm:resnet_nowhere")


def test_a_folder_without_a_model_is_said_to_be_one(tmp_path: Path):
    with pytest.raises(ValueError, match=r"hf:.* cannot be opened"):
        open_network(f"hf:{tmp_path}")
