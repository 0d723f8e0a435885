"""MILANNOTATIONS opens where it lies, by the reference's own vectors; its two faults of joining are not repeated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mami_core.dissection.masks import unit_masks
from mami_core.interop.milannotations import BASE, FITTING, SETS, SQUASHED, MilanSet, open_set, sets_of
from mami_core.probing.payload import payload_bytes
from mami_core.store import Dissection


@pytest.fixture(scope="module")
def golden(golden_dir: Path) -> Path:
    folder = golden_dir / "milannotations"
    if not folder.is_dir():
        pytest.skip(f"{golden_dir} holds no milannotations")
    return folder


@pytest.fixture(scope="module")
def expected(golden: Path) -> dict[str, Any]:
    return json.loads((golden / "expected.json").read_text())


@pytest.fixture
def toy(golden: Path, expected: dict[str, Any]) -> MilanSet:
    name = expected["top_images"]["name"]
    return MilanSet(name, golden / name)


@pytest.fixture
def opened(toy: MilanSet, tmp_path: Path) -> Dissection:
    return open_set(toy, tmp_path / "opened", annotations=0)


def test_layers_and_units_are_the_references(opened: Dissection, expected: dict[str, Any]) -> None:
    told = expected["top_images"]

    assert [list(key) for key in opened.unit_keys()] == told["samples"]
    assert list(opened.layers) == told["layers"]  # names of digits stay strings
    assert opened.verify() == []


def test_pictures_are_the_references(opened: Dissection, expected: dict[str, Any]) -> None:
    for entry in expected["annotated_count_None"]:
        top = opened.exemplars_of(entry["layer"], entry["unit"])["top"]
        total = sum(opened.images.array(shown.image_id).astype(np.float64).sum() / 255 for shown in top)
        assert total == pytest.approx(entry["images_sum"], abs=1e-2), entry


def test_masks_are_the_stored_ones_to_the_pixel(opened: Dissection, toy: MilanSet) -> None:
    for layer in toy.layers:
        stored = np.load(layer.folder / "masks.npy")
        for row, unit in enumerate(layer.units):
            found = unit_masks(opened, layer.name, unit, stored.shape[3:])
            assert (found == stored[row, :, 0].astype(bool)).all()


def test_annotations_are_joined_by_name_and_real_unit(opened: Dissection, expected: dict[str, Any]) -> None:
    """The reference gives layers named by digits none, and a subset's units the annotations of other units."""
    subset = {tuple(key) for key in expected["top_images"]["samples"]}
    by_position = {key for key in subset if not key[0].isdigit() and opened.row(*key) != key[1]}
    for entry in expected["annotated_count_None"]:
        key = (entry["layer"], entry["unit"])
        texts = [reference.text for reference in opened.references_of(*key)]
        if not key[0].isdigit() and key not in by_position:
            assert texts == entry["annotations"], key
        assert all(f"for {key[0]}/{key[1]}," in text for text in texts), key
    assert any(opened.references_of(layer, unit) for layer, unit in subset if layer.isdigit())


def test_a_fixed_number_of_annotations_drops_units_with_fewer(
    toy: MilanSet, tmp_path: Path, expected: dict[str, Any]
) -> None:
    three = open_set(toy, tmp_path / "three", annotations=3)

    for entry in expected["annotated_count_3"]:
        key = (entry["layer"], entry["unit"])
        if key in three.unit_keys() and three.row(*key) == key[1]:
            assert [reference.text for reference in three.references_of(*key)] == entry["annotations"], key
    assert {len(three.references_of(*key)) for key in three.unit_keys()} <= {0, 3}


def test_a_neuron_opens_on_the_screen(opened: Dissection) -> None:
    payload = json.loads(payload_bytes(opened, *opened.unit_keys()[-1]))

    assert payload["maps"]["top"]["max"] == 1
    assert len(payload["exemplars"]["top"]) == opened.manifest.settings["k"]


def test_arrays_that_changed_since_are_refused(toy: MilanSet, tmp_path: Path) -> None:
    root = tmp_path / "copy"
    for path in sorted(toy.root.rglob("*")):
        if path.is_file():
            (root / path.relative_to(toy.root)).parent.mkdir(parents=True, exist_ok=True)
            (root / path.relative_to(toy.root)).write_bytes(path.read_bytes())
    layer = toy.layers[0].name
    open_set(MilanSet(toy.name, root), tmp_path / "opened")
    np.save(root / layer / "masks.npy", 1 - np.load(root / layer / "masks.npy"))

    with pytest.raises(ValueError, match=r"masks\.npy has changed since it was opened first"):
        Dissection.open(tmp_path / "opened").maps(layer)
    (root / layer / "masks.npy").unlink()
    with pytest.raises(FileNotFoundError, match=r"masks\.npy is gone"):
        Dissection.open(tmp_path / "opened").maps(layer)


def test_nothing_is_copied_and_arrays_are_memory_mapped(opened: Dissection) -> None:
    files = [path.name for path in opened.path.rglob("*") if path.is_file()]

    assert sorted(files) == [
        "arrays.json",
        "dissection.json",
        "exemplars.parquet",
        "references.parquet",
        "units.parquet",
    ]
    maps: Any = opened.maps(opened.layers[0])
    while not isinstance(maps, np.memmap):
        maps = maps.base
    assert not maps.flags.writeable


@pytest.fixture
def without_pictures(tmp_path: Path) -> MilanSet:
    """A set like ImageNet's classifiers' one: ids count the sorted files of a local ImageNet, 300 x 256 pixels each."""
    rng = np.random.default_rng(0)
    layer = tmp_path / "alexnet" / "imagenet" / "conv1"
    layer.mkdir(parents=True)
    np.save(layer / "masks.npy", rng.integers(0, 2, (2, 2, 1, 224, 224), dtype=np.uint8))
    (layer / "ids.csv").write_text("0,2\n1,0\n")
    (layer.parent / "annotations.csv").write_text("layer,unit,summary\nconv1,0,a\n")
    for number, place in enumerate(("n01/b.png", "n01/a.png", "n02/c.png")):
        path = tmp_path / "imagenet" / "val" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.full((256, 300, 3), 60 * number, np.uint8)
        pixels[:, :38] = 255  # what a centre crop leaves out
        Image.fromarray(pixels).save(path)
    return MilanSet("alexnet/imagenet", layer.parent)


def test_pictures_come_from_a_local_imagenet_cut_as_the_masks_were(without_pictures: MilanSet, tmp_path: Path) -> None:
    found = open_set(without_pictures, tmp_path / "fits", imagenet=tmp_path / "imagenet" / "val")
    merged = open_set(without_pictures, tmp_path / "merged", imagenet=tmp_path / "imagenet" / "val", crop=SQUASHED)

    assert [entry.image_name for entry in found.exemplars_of("conv1", 0)["top"]] == ["n01/a.png", "n02/c.png"]
    cut, squashed = found.images.array(0), merged.images.array(0)
    assert cut.shape == squashed.shape == (224, 224, 3)
    assert cut.mean() == pytest.approx(60, abs=2)
    assert (squashed[:, :20] > 200).all()
    assert repr(FITTING) == found.manifest.settings["preprocess"]


def test_a_set_without_pictures_says_what_it_needs(without_pictures: MilanSet, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="comes without pictures: name a folder of ImageNet"):
        open_set(without_pictures, tmp_path / "out", imagenet=tmp_path / "nowhere")
    with pytest.raises(ValueError, match="holds 1 images, but alexnet/imagenet speaks of image 2"):
        open_set(without_pictures, tmp_path / "out", imagenet=tmp_path / "imagenet" / "val" / "n02")


def test_groups_are_the_references() -> None:
    assert [len(sets_of(name)) for name in ("base", "cls", "gen", "imagenet", "places365", "alexnet")] == [
        6,
        4,
        2,
        3,
        3,
        2,
    ]
    assert "dino_vits8/imagenet" not in BASE
    assert all(sets_of(name) == (name,) for name in SETS)
    assert sets_of("not-biggan-places365") == tuple(name for name in BASE if name != "biggan/places365")
    with pytest.raises(ValueError, match="MILANNOTATIONS has no 'places'; try places365"):
        sets_of("places")
