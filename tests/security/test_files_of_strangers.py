"""Files of strangers: nothing in them is run, and nothing outside their folder is read or changed."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mami_core.captioning.encoder import CONFIG
from mami_core.captioning.encoders import open_encoder
from mami_core.inputs import ImageFolder, open_network
from mami_core.inputs.arrays import ImageArray
from mami_core.inputs.weights import read_weights
from mami_core.interop.milan_checkpoint import read_milan_checkpoint
from mami_core.interop.milannotations import MilanSet
from mami_core.store import Dissection, DissectionWriter
from mami_core.store.download import unpack
from mami_core.store.layout import MANIFEST
from mami_core.store.manifest import read_manifest


class Burglar:
    """Unpickled, it would leave a mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.mark),)


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    return tmp_path / "was here"


@pytest.fixture
def folder(squares: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(squares, tmp_path / "squares"))


def test_the_burglar_would_leave_its_mark(mark: Path) -> None:
    pickle.loads(pickle.dumps(Burglar(mark)))
    assert mark.is_dir()


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "bare pickle"])
def test_weights_that_pickle_code_are_refused(tmp_path: Path, mark: Path, legacy: bool) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"a": torch.zeros(1), "b": Burglar(mark)}, path, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(ValueError, match="is not run"):
        read_weights(path)
    assert not mark.exists()


def test_a_pickle_called_safetensors_is_refused(tmp_path: Path, mark: Path) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(pickle.dumps(Burglar(mark)))
    with pytest.raises(ValueError, match="cannot be read as weights"):
        read_weights(path)
    assert not mark.exists()


def test_a_milan_checkpoint_that_pickles_code_is_refused(tmp_path: Path, mark: Path) -> None:
    path = tmp_path / "milan.pth"
    torch.save({"properties": {"indexer": Burglar(mark)}, "state_dict": {}}, path)
    with pytest.raises(ValueError, match="nothing in it was run"):
        read_milan_checkpoint(path)
    assert not mark.exists()


@pytest.mark.parametrize("name", ["images.npy", "images.npz", "packed.npz"])
def test_arrays_of_objects_are_refused(tmp_path: Path, mark: Path, name: str) -> None:
    objects = np.full((2, 4, 4), Burglar(mark), dtype=object)
    path = tmp_path / name
    if name.endswith(".npy"):
        np.save(path, objects, allow_pickle=True)
    else:
        (np.savez if name == "images.npz" else np.savez_compressed)(path, images=objects, allow_pickle=True)
    with pytest.raises(ValueError, match="cannot be read as an array of images"):
        ImageArray(path)
    assert not mark.exists()


def test_masks_of_objects_are_refused(tmp_path: Path, mark: Path) -> None:
    (tmp_path / "set" / "conv1").mkdir(parents=True)
    np.save(tmp_path / "set" / "conv1" / "masks.npy", np.array([Burglar(mark)], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="Python objects"):
        _ = MilanSet("made", tmp_path / "set").layers[0].masks
    assert not mark.exists()


def test_a_dissections_maps_of_objects_are_refused(folder: Path, mark: Path) -> None:
    np.save(folder / "maps" / "early.npy", np.array([Burglar(mark)], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match=r"early\.npy cannot be read"):
        Dissection.open(folder).maps("early")
    assert not mark.exists()


@pytest.mark.parametrize("name", ["../out.txt", "/tmp/out.txt", "a/../../out.txt", "..\\out.txt", "C:\\out.txt"])
def test_a_zip_whose_names_lead_out_is_not_unpacked(tmp_path: Path, name: str) -> None:
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("fine.txt", "fine")
        entry = zipfile.ZipInfo("x")
        entry.filename = name
        file.writestr(entry, "out")
    with pytest.raises(ValueError, match="leads out of the folder; nothing was unpacked"):
        unpack(archive, tmp_path / "deep" / "set")
    assert {path.name for path in tmp_path.iterdir()} == {"a.zip"}


def test_a_zip_with_a_link_is_not_unpacked(tmp_path: Path) -> None:
    archive, entry = tmp_path / "a.zip", zipfile.ZipInfo("link")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(entry, "/etc")
    with pytest.raises(ValueError, match="is a link"):
        unpack(archive, tmp_path / "set")


def test_no_code_of_ours_unpacks_a_tar() -> None:
    package = Path(read_manifest.__code__.co_filename).parents[1]
    opens = [path.name for path in package.rglob("*.py") if "tarfile" in path.read_text(encoding="utf-8")]
    assert opens == []


@pytest.mark.parametrize("name", ["../keep.txt", "/etc/hostname", "maps/../../keep.txt", "..\\keep.txt", ""])
def test_a_manifest_that_lists_files_outside_is_refused_and_they_stay(folder: Path, name: str) -> None:
    (folder.parent / "keep.txt").write_text("mine")
    body = json.loads((folder / MANIFEST).read_text())
    body["files"][name] = {"sha256": "0" * 64, "bytes": 4}
    (folder / MANIFEST).write_text(json.dumps(body))
    with pytest.raises(ValueError, match="leads out of the folder"):
        Dissection.open(folder)
    with pytest.raises(ValueError, match="leads out of the folder"):
        DissectionWriter.create(folder, read_manifest(folder))  # it deletes what the old manifest lists
    assert (folder.parent / "keep.txt").read_text() == "mine"


@pytest.mark.parametrize("what", ["references.parquet", "maps", MANIFEST])
def test_a_dissection_whose_files_are_links_to_elsewhere_is_refused(folder: Path, what: str) -> None:
    outside = folder.parent / "outside"
    (folder / what).rename(outside)
    (folder / what).symlink_to(outside)
    with pytest.raises(ValueError, match="is a link that leads out of the folder"):
        Dissection.open(folder)


def test_a_link_to_the_whole_dissection_opens(folder: Path) -> None:
    (folder.parent / "link").symlink_to(folder)
    assert Dissection.open(folder.parent / "link").verify() == []


def test_a_layer_named_like_a_path_stays_inside_the_folder(folder: Path) -> None:
    writer = DissectionWriter.open(folder)
    writer.write_peaks("../../../evil", np.zeros((2, 2)))
    assert [path.name for path in (folder / "peaks").iterdir() if "evil" in path.name] == ["..%2F..%2F..%2Fevil.npy"]
    assert Dissection.open(folder).verify() == []


def test_a_folder_of_images_that_links_to_itself_lists_each_image_once(tmp_path: Path) -> None:
    (tmp_path / "images" / "cats").mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(tmp_path / "images" / "cats" / "a.png")
    (tmp_path / "images" / "cats" / "again").symlink_to(tmp_path / "images")
    (tmp_path / "images" / "loop").symlink_to(tmp_path / "images")
    assert list(ImageFolder(tmp_path / "images").names) == ["cats/a.png"]


def test_code_of_a_hub_is_not_run_whatever_a_dissection_asks_for(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="code of a hub is not run"):
        open_network(f"hf:{tmp_path}", arguments='{"trust_remote_code": true}')


def test_an_encoder_is_never_unpickled(tmp_path: Path, mark: Path) -> None:
    (tmp_path / CONFIG).write_text("{}")
    (tmp_path / "weights.safetensors").write_bytes(pickle.dumps(Burglar(mark)))
    with pytest.raises((ValueError, FileNotFoundError)):
        open_encoder(tmp_path)
    assert not mark.exists()
