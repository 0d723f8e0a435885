"""Arrays and data sets give the same pictures as the files they were made of."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import TensorDataset

from mami_core.inputs import DatasetImages, DatasetTensors, ImageArray, UnreadableImageError, open_images


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (5, 6, 7, 3), dtype=np.uint8)


@pytest.mark.parametrize("form", ["last", "first", "float"])
def test_arrays_in_any_form_give_the_same_pictures(tmp_path, pixels, form):
    stored = {"last": pixels, "first": pixels.transpose(0, 3, 1, 2), "float": (pixels / 255).astype(np.float32)}[form]
    np.save(tmp_path / "x.npy", stored)
    found = open_images(tmp_path / "x.npy")
    assert len(found) == 5
    assert all((np.asarray(found.load(index)) == pixels[index]).all() for index in range(5))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_an_npz_brings_its_labels(tmp_path, pixels, save):
    save(tmp_path / "x.npz", images=pixels, labels=np.array([2, 0, 1, 1, 0]))
    found = ImageArray(tmp_path / "x.npz")
    assert (np.asarray(found.load(3)) == pixels[3]).all()
    assert found.labels == [2, 0, 1, 1, 0]
    assert found.class_names == ("0", "1", "2")


def test_a_plain_npz_is_mapped_and_not_read(tmp_path, pixels):
    np.savez(tmp_path / "x.npz", images=pixels)
    assert isinstance(ImageArray(tmp_path / "x.npz").images, np.memmap)


def test_an_array_without_images_is_refused(tmp_path):
    np.save(tmp_path / "x.npy", np.zeros(4))
    with pytest.raises(ValueError, match=r"holds no images .* but images \(4,\)"):
        open_images(tmp_path / "x.npy")


def test_floats_beyond_one_are_named_and_not_clipped(tmp_path):
    np.save(tmp_path / "x.npy", np.full((1, 4, 4, 3), 7.0))
    with pytest.raises(UnreadableImageError, match="values from 7 to 7"):
        open_images(tmp_path / "x.npy").load(0)


def test_a_data_set_of_pairs_gives_images_and_classes(pixels):
    dataset = [(Image.fromarray(image), 1) for image in pixels]
    found = DatasetImages(dataset, name="pairs")
    assert (np.asarray(found.load(4)) == pixels[4]).all()


def test_a_data_set_of_ready_tensors_feeds_the_network_and_shows_the_picture(pixels):
    mean, std = (0.5, 0.4, 0.3), (0.2, 0.3, 0.4)
    plain = torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255
    ready = (plain - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)
    found = DatasetTensors(TensorDataset(ready), name="ready", mean=mean, std=std)
    assert torch.equal(found.inputs(2), ready[2])
    assert (np.asarray(found.load(2)) == pixels[2]).all()
