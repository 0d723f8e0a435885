"""Units of every kind: tokens of a transformer, attention heads, fully connected outputs, generators."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from made_images import Noise
from PIL import Image
from torch import Tensor, nn
from torchvision.models import VisionTransformer

from mami_core.config import DissectConfig
from mami_core.dissection import dissect, list_layers
from mami_core.dissection.masks import unit_heatmaps
from mami_core.inputs import Network, Preprocess, open_images, open_network, sha256_of_names
from mami_core.store import Dissection


def run(network: Network, images, out: Path, *layers: str, **changes) -> Dissection:
    config = DissectConfig(network="t", images="t", out=out, layers=layers, **{"k": 3, "batch_size": 4, **changes})
    return dissect(network, images, config, out)


@pytest.fixture
def vit() -> Network:
    torch.manual_seed(0)
    module = VisionTransformer(
        image_size=32, patch_size=8, num_layers=2, num_heads=2, hidden_dim=12, mlp_dim=24, num_classes=5
    )
    nn.init.normal_(module.heads.head.weight)
    return Network("vit", module.eval(), Preprocess(resize=32, crop=32))


BLOCK = "encoder.layers.encoder_layer_1"


def test_a_transformers_class_token_is_dropped_and_its_grid_restored(vit, tmp_path):
    images = Noise(9, side=32)
    found = run(vit, images, tmp_path / "out", BLOCK)
    kept: list[Tensor] = []
    vit.module.get_submodule(BLOCK).register_forward_hook(lambda _module, _inputs, output: kept.append(output))
    with torch.inference_mode():
        vit.module(torch.stack([vit.preprocess(images.load(index)) for index in range(9)]))
    grid = kept[0][:, 1:].reshape(9, 4, 4, 12).permute(0, 3, 1, 2)  # (N, U, h, w)
    for unit in range(12):
        for entry in found.exemplars_of(BLOCK, unit)["top"]:
            truth = grid[entry.image_id, unit]
            assert entry.activation == pytest.approx(float(truth.max()), rel=1e-3, abs=1e-4)
            assert float(truth[entry.peak_y, entry.peak_x]) == pytest.approx(float(truth.max()), rel=1e-3, abs=1e-3)


def test_a_heads_map_is_what_its_class_token_attends_to(vit, tmp_path):
    images, layer = Noise(5, side=32), f"{BLOCK}.self_attention"
    found = run(vit, images, tmp_path / "out", f"{layer}@heads", k=5)
    attention = vit.module.get_submodule(layer)
    kept: list[Tensor] = []
    attention.register_forward_hook(lambda _module, inputs, _output: kept.append(inputs[0]))
    with torch.inference_mode():
        vit.module(torch.stack([vit.preprocess(images.load(index)) for index in range(5)]))
        tokens = kept.pop()
        _, weights = attention(
            tokens, tokens, tokens, need_weights=True, average_attn_weights=False
        )  # (N, heads, T, T)
    assert found.units["unit"].tolist() == [0, 1]
    for head in range(2):
        for entry in found.exemplars_of(f"{layer}@heads", head)["top"]:
            assert entry.activation == pytest.approx(float(weights[entry.image_id, head, 0, 1:].max()), rel=1e-3)


def test_the_blocks_of_a_transformer_are_its_default_layers(vit):
    chosen = [layer.name for layer in list_layers(vit) if layer.default]
    assert chosen[-2:] == ["encoder.layers.encoder_layer_0", BLOCK]


def test_a_module_that_runs_twice_is_read_at_its_last_run(tmp_path):
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.same = nn.Conv2d(3, 3, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.same(self.same(x))

    torch.manual_seed(0)
    module = Twice().eval()
    images = Noise(6)
    network = Network("twice", module, Preprocess(resize=16, crop=16))
    found = run(network, images, tmp_path / "out", "same")
    with torch.inference_mode():
        peaks = module(torch.stack([network.preprocess(images.load(index)) for index in range(6)])).amax((2, 3))
    assert np.asarray(found.peaks("same")) == pytest.approx(peaks.numpy(), rel=1e-3, abs=1e-3)


GENERATOR = """
import torch
from torch import nn

class Painter(nn.Module):
    output_range = (0.0, 1.0)
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(3, 4)
        self.block = nn.ConvTranspose2d(8, 6, 4)
        self.to_image = nn.Conv2d(6, 3, 1)
    def forward(self, z, label):
        x = torch.cat([z, self.embed(label)], 1)[:, :, None, None]
        return torch.sigmoid(self.to_image(torch.relu(self.block(x))))

def factory():
    def sample(n, generator):
        return torch.randn(n, 4, generator=generator), torch.randint(0, 3, (n,), generator=generator)
    return Painter(), sample
"""


def test_a_class_conditional_generators_own_output_is_the_exemplar(tmp_path):
    (tmp_path / "gan.py").write_text(GENERATOR)
    network = open_network(f"{tmp_path / 'gan.py'}:factory")
    latents = open_images("latents:20:3", network=network)
    found = run(network, latents, tmp_path / "out", "block")
    top = found.exemplars_of("block", 2)["top"][0]
    with torch.inference_mode():
        made = network.module(*(part[None] for part in latents.inputs(top.image_id)))[0]
    expected = (made * 255).round().permute(1, 2, 0).numpy()
    assert found.images.array(top.image_id).astype(float) == pytest.approx(expected, abs=12)  # WebP is not exact


class _Spots:
    """A white square on grey, somewhere: what fires must be seen where the square is in the picture that is kept."""

    name, simulated, labels = "spots", True, None
    names = tuple(str(number) for number in range(8))

    def __len__(self) -> int:
        return 8

    def load(self, index: int) -> Image.Image:
        pixels = np.full((120, 200, 3), 90, dtype=np.uint8)
        top, left = 15 + 10 * index, 45 + 12 * index
        pixels[top : top + 14, left : left + 14] = 255
        return Image.fromarray(pixels)

    def fingerprint(self) -> str:
        return sha256_of_names(self.names)


@pytest.mark.parametrize("thumbnail", [32, 224])
def test_the_heatmap_peaks_where_the_kept_picture_shows_the_object(tmp_path, thumbnail):
    module = nn.Sequential()
    module.add_module("bright", nn.AvgPool2d(7, stride=4, padding=3))
    network = Network("bright", module.eval(), Preprocess(resize=72, crop=64))
    found = run(network, _Spots(), tmp_path / "out", "bright", k=8, thumbnail=thumbnail)
    for entry in found.exemplars_of("bright", 0)["top"]:
        picture = found.images.array(entry.image_id).mean(2)  # (h, w)
        heat = unit_heatmaps(found, "bright", 0, picture.shape)[entry.rank]
        y, x = np.unravel_index(heat.argmax(), heat.shape)
        assert picture[y, x] > 170, entry
        assert picture.shape == (min(64, thumbnail),) * 2
