"""Networks open by name or file, weights fit or say what does not, and each is fed as it was trained."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torchvision import models

from mami_core.inputs import Preprocess, open_images, open_network
from mami_core.inputs.networks import _torchvision_preprocess
from mami_core.inputs.weights import read_weights

FACTORY = """
import torch
from torch import nn

def factory(width=4, depth=1):
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.ReLU(), nn.Conv2d(width, 2, 1))

def generator():
    module = nn.Sequential(nn.ConvTranspose2d(8, 3, 4))
    return module, lambda n, generator: torch.randn(n, 8, 1, 1, generator=generator)

def nothing():
    return 7
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(FACTORY)
    return path


@pytest.mark.parametrize("name", ["resnet18", "efficientnet_b0", "vit_b_16", "convnext_tiny", "inception_v3"])
@pytest.mark.parametrize("size", [(300, 200), (199, 341), (64, 64)], ids=str)
def test_preprocessing_is_torchvisions_own_to_the_last_bit(name, size):
    weights = next(iter(models.get_model_weights(name)))
    image = Image.fromarray(np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))
    preset = weights.transforms()
    ours = _torchvision_preprocess(weights)(image)
    assert torch.allclose(ours, preset(image), atol=1e-6)


def test_the_view_is_exactly_what_the_tensor_was_made_of():
    image = Image.fromarray(np.random.default_rng(2).integers(0, 256, (90, 130, 3), dtype=np.uint8))
    preprocess = Preprocess(resize=64, crop=(48, 56))
    undone = preprocess(image) * torch.tensor(preprocess.std).view(3, 1, 1) + torch.tensor(preprocess.mean).view(
        3, 1, 1
    )
    assert (undone * 255).round().permute(1, 2, 0).numpy().astype(np.uint8).tolist() == np.asarray(
        preprocess.view(image)
    ).tolist()


def test_half_precision_weights_are_cast(file, tmp_path):
    state = open_network(f"{file}:factory").module.state_dict()
    save_file({key: value.half() + 1 for key, value in state.items()}, tmp_path / "w.safetensors")
    found = open_network(f"{file}:factory", weights=tmp_path / "w.safetensors")
    assert found.module[0].weight.dtype == torch.float32
    assert torch.allclose(found.module[0].weight, state["0.weight"] + 1, atol=1e-2)
    assert found.weights_sha256 != open_network(f"{file}:factory").weights_sha256


@pytest.mark.parametrize(
    "wrap", [lambda s: s, lambda s: {"state_dict": s}, lambda s: {f"module.{k}": v for k, v in s.items()}]
)
def test_weights_are_found_in_wrapped_checkpoints(file, tmp_path, wrap):
    state = open_network(f"{file}:factory").module.state_dict()
    torch.save(wrap(dict(state)), tmp_path / "w.pth")
    found = open_network(f"{file}:factory", weights=tmp_path / "w.pth")
    assert torch.equal(found.module[0].weight, state["0.weight"])


def test_weights_that_do_not_fit_name_the_keys(file, tmp_path):
    save_file({"0.weight": torch.zeros(9, 3, 3, 3), "extra": torch.zeros(1)}, tmp_path / "w.safetensors")
    with pytest.raises(
        ValueError, match=r"missing 0\.bias, 2\.weight, 2\.bias; unknown extra; .*0\.weight \(9, 3, 3, 3\)"
    ):
        open_network(f"{file}:factory", weights=tmp_path / "w.safetensors")


class _Harm:
    def __reduce__(self):
        return (Path.touch, (Path("/tmp/mami-was-here"),))


def test_a_pickle_that_would_run_code_is_refused(tmp_path):
    (tmp_path / "w.pth").write_bytes(pickle.dumps(_Harm()))
    with pytest.raises(ValueError, match=r"not run|cannot be read as weights"):
        read_weights(tmp_path / "w.pth")
    assert not Path("/tmp/mami-was-here").exists()


@pytest.mark.parametrize(
    ("spec", "arguments", "message"),
    [
        ("torchvision:resnet81", "{}", "near matches: resnet18"),
        ("nonsense", "{}", "none of torchvision:NAME"),
        ("absent.py:factory", "{}", "no network file absent.py"),
        ("{file}:absent", "{}", "no function 'absent'"),
        ("{file}:nothing", "{}", "gave int"),
        ("{file}:factory", '{"colour": 1}', "does not take these arguments"),
        ("torchvision:resnet18", '{"colour": 1}', "does not take these arguments"),
    ],
)
def test_a_wrong_spec_is_refused_with_what_to_try(file, spec, arguments, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        open_network(spec.replace("{file}", str(file)), arguments=arguments)


def test_unknown_named_weights_list_the_known_ones():
    with pytest.raises(ValueError, match="known: IMAGENET1K_V1"):
        open_network("torchvision:resnet18", weights="IMAGENET_V9")


def test_a_network_without_weights_is_the_same_every_time():
    first, second = (open_network("torchvision:squeezenet1_1") for _ in range(2))
    assert first.weights_sha256 == second.weights_sha256


def test_explicit_preprocessing_wins():
    found = open_network("torchvision:squeezenet1_1", crop=96, mean=(0.1, 0.2, 0.3))
    assert found.preprocess == Preprocess(resize=96, crop=96, mean=(0.1, 0.2, 0.3))


def test_a_latent_depends_on_its_seed_and_number_alone(file):
    network = open_network(f"{file}:generator")
    few, many = (open_images(f"latents:{count}:5", network=network) for count in (3, 9))
    assert torch.equal(few.inputs(2)[0], many.inputs(2)[0])
    assert not torch.equal(many.inputs(2)[0], many.inputs(3)[0])
    assert not torch.equal(few.inputs(2)[0], open_images("latents:3:6", network=network).inputs(2)[0])


def test_latents_of_a_network_that_names_none_are_refused(file):
    with pytest.raises(ValueError, match="does not say what its latents are"):
        open_images("latents:4", network=open_network(f"{file}:factory"))
