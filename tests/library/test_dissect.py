"""`mami.dissect` with a user's own module and images in whatever form they are at hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.utils.data import Dataset, TensorDataset

import mami_core as mami
from mami_core.store import encode_image, find_dissections

SETTINGS: dict[str, Any] = {"k": 4, "spectrum": 0, "batch_size": 8, "progress": False}
HALF = ([0.5] * 3, [0.5] * 3)


class Pairs(Dataset):
    """Pictures with labels, as torchvision's data sets give them."""

    def __init__(self, entries: list[Any]) -> None:
        self.entries = entries

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        return self.entries[index], 0


def normalised(pixels: np.ndarray) -> torch.Tensor:
    return (torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255 - 0.5) / 0.5


def folder_of(pictures: list[Image.Image], folder: Path) -> Path:
    folder.mkdir()
    for number, picture in enumerate(pictures):
        picture.save(folder / f"{number:02}.png")
    return folder


@pytest.mark.parametrize("form", ["list", "array", "folder", "data set", "tensor", "data set of tensors"])
def test_the_form_of_the_images_changes_nothing(
    form: str, module: nn.Module, pixels: np.ndarray, pictures: list[Image.Image], tmp_path: Path
) -> None:
    given: Any = {
        "list": lambda: pictures,
        "array": lambda: pixels,
        "folder": lambda: folder_of(pictures, tmp_path / "folder"),
        "data set": lambda: Pairs(pictures),
        "tensor": lambda: normalised(pixels),
        "data set of tensors": lambda: TensorDataset(normalised(pixels)),
    }[form]()
    told = {"normalised": HALF} if "tensor" in form else {}
    expected = mami.dissect(module, pictures, "1", out=tmp_path / "expected", **SETTINGS)
    found = mami.dissect(module, given, "1", out=tmp_path / "found", **told, **SETTINGS)
    assert found.units["threshold"].tolist() == pytest.approx(expected.units["threshold"].tolist(), rel=1e-6)
    assert found.exemplars["image_id"].tolist() == expected.exemplars["image_id"].tolist()
    assert np.allclose(found.maps("1"), expected.maps("1"), atol=1e-3)
    shown = found.exemplars["image_id"].iloc[0]
    assert np.abs(found.images.array(shown).astype(int) - expected.images.array(shown)).max() <= 2


def test_the_module_comes_back_as_it_was(module: nn.Module, pictures: list[Image.Image], tmp_path: Path) -> None:
    module.train()
    module[2].eval()
    mami.dissect(module, pictures, ["1", "3"], out=tmp_path / "out", **SETTINGS)
    assert [part.training for part in module] == [True, True, False, True]
    assert all(parameter.requires_grad for parameter in module.parameters())
    assert not any(part._forward_hooks for part in module.modules())


def test_the_same_call_finds_the_same_dissection_without_running_again(
    module: nn.Module, pictures: list[Image.Image]
) -> None:
    first = mami.dissect(module, pictures, "1", **SETTINGS)
    written = (first.path / "units.parquet").stat().st_mtime_ns
    again = mami.dissect(module, pictures, "1", **SETTINGS)
    assert again.path == first.path
    assert (again.path / "units.parquet").stat().st_mtime_ns == written
    assert first.path in find_dissections()


@pytest.mark.parametrize("changed", ["images", "weights", "settings", "data set"])
def test_anything_else_is_another_dissection(
    changed: str, module: nn.Module, pictures: list[Image.Image], pixels: np.ndarray
) -> None:
    first = mami.dissect(module, Pairs(pictures) if changed == "data set" else pictures, "1", **SETTINGS)
    given: Any = pictures
    if changed == "images":
        given = [Image.fromarray(255 - values) for values in pixels]
    elif changed == "data set":
        given = Pairs([Image.fromarray(255 - values) for values in pixels])
    elif changed == "weights":
        nn.init.zeros_(module[0].bias)
    more = {**SETTINGS, "k": 3} if changed == "settings" else SETTINGS
    assert mami.dissect(module, given, "1", **more).path != first.path


def test_what_is_shown_is_what_a_transform_lets_the_network_see(
    module: nn.Module, pictures: list[Image.Image], tmp_path: Path
) -> None:
    from torchvision.transforms import v2  # after mami_core, whose guard lets it import beside a CPU-only torch

    steps = [v2.CenterCrop(12), v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(*HALF)]
    found = mami.dissect(module, pictures, "1", out=tmp_path / "out", preprocess=v2.Compose(steps), **SETTINGS)
    shown = int(found.exemplars["image_id"].iloc[0])
    assert found.images.encoded(shown) == encode_image(pictures[shown].crop((6, 6, 18, 18)))


def test_a_name_is_what_lists_call_it(module: nn.Module, pictures: list[Image.Image], tmp_path: Path) -> None:
    found = mami.dissect(module, pictures, "1", out=tmp_path / "out", name="mine", **SETTINGS)
    assert found.manifest.network == "mine"
    assert found.manifest.simulated is False
    assert "mine" in repr(found)


@pytest.mark.parametrize(
    ("images", "reason"),
    [
        (lambda _: [], "there are no images"),
        (lambda _: 3, "images are int; give a folder"),
        (lambda _: "nowhere/at/all", "no image folder"),
        (lambda pixels: normalised(pixels), "so it is normalised: give normalised="),
    ],
)
def test_what_holds_no_images_is_refused_in_one_sentence(
    images: Any, reason: str, module: nn.Module, pixels: np.ndarray, tmp_path: Path
) -> None:
    with pytest.raises((ValueError, FileNotFoundError), match=reason):
        mami.dissect(module, images(pixels), "1", out=tmp_path / "out", **SETTINGS)


def test_what_is_no_network_is_refused(pictures: list[Image.Image], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"the model is dict; give a torch\.nn\.Module"):
        mami.dissect({}, pictures, out=tmp_path / "out")  # type: ignore[arg-type]
