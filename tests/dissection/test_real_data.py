"""Real networks over real photographs: what is known of them must be found. No name or number of the pack stands here
but the checks' own headings; everything else is read from its files."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mami_core.config import DissectConfig
from mami_core.dissection import dissect, list_layers
from mami_core.dissection.masks import unit_heatmaps
from mami_core.inputs import ImageFolder, Network, open_network
from mami_core.store import Dissection

pytestmark = pytest.mark.data
FACTORY = f"{Path(__file__).parent / 'real_networks.py'}:described"


def weights_of(data_dir: Path) -> list[str]:
    return sorted(path.stem for path in (data_dir / "weights").glob("*.safetensors"))


def facts_of(data_dir: Path, name: str) -> dict:
    return json.loads((data_dir / "weights" / f"{name}.json").read_text())


def open_real(data_dir: Path, name: str, *, enlarge: bool = True) -> Network:
    """Open a network; the pack's photos are squares that were cropped already, so they are only resized.

    Without `enlarge` a network that takes any size is fed the photos as they are.
    """
    folder, facts = data_dir / "weights", facts_of(data_dir, name)["preprocessing"]
    arguments = {"file": str(folder / f"{name}.json")}
    side = facts.get("center_crop", facts.get("size"))
    if not enlarge and "any size" in facts.get("note", ""):
        side = ImageFolder(data_dir / "photos", include="*.jpg").load(0).width
    return open_network(FACTORY, weights=folder / f"{name}.safetensors", arguments=arguments, resize=side, crop=side)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def dissect_outputs(network: Network, photos: Path, out: Path, **changes) -> Dissection:
    """Dissect a classifier's logits: their peaks are the logits."""
    images = ImageFolder(photos, include="*.jpg")  # class masks lie below as PNG
    last = list_layers(network, images)[-1].name
    config = DissectConfig(
        network=network.name, images=photos.name, out=out, **{"layers": (last,), "k": 5, "spectrum": 0, **changes}
    )
    return dissect(network, images, config, out)


def accuracy(dissection: Dissection, accepted: dict[str, set[int]], names: list[str]) -> float:
    logits = np.asarray(dissection.peaks(dissection.layers[-1]), dtype=np.float32)  # (images, classes)
    hits = [int(row.argmax()) in accepted[name] for name, row in zip(names, logits, strict=True) if accepted.get(name)]
    return float(np.mean(hits))


def test_a_small_classifier_reproduces_its_stated_accuracy(data_dir, tmp_path):
    names = [n for n in weights_of(data_dir) if isinstance(facts_of(data_dir, n)["checks"].get("accuracy top1"), dict)]
    for name in names:
        facts = facts_of(data_dir, name)
        classes = facts["task"].partition(": ")[2].split()
        stated = next(v for k, v in facts["checks"]["accuracy top1"].items() if "public samples" in k)
        photos = ImageFolder(data_dir / "photos_cifar10")
        accepted = {n: {c for c, label in enumerate(classes) if f"_{label}_" in n} for n in photos.names}
        found = dissect_outputs(open_real(data_dir, name), photos.folder, tmp_path / name)
        assert accuracy(found, accepted, list(photos.names)) == pytest.approx(stated, abs=0.01)


def imagenet_networks(data_dir: Path) -> list[str]:
    known = {row["network"] for row in rows(data_dir / "weights" / "known_logit_units.csv")}
    return sorted(known & set(weights_of(data_dir)))


@pytest.mark.slow
def test_logit_units_and_accuracies_are_those_that_are_known(data_dir, tmp_path):
    photos = data_dir / "photos"
    accepted = {
        row["file"]: {int(number) for number in row["imagenet_ok"].split("|") if number}
        for row in rows(photos / "labels.csv")
    }
    names = list(ImageFolder(photos, include="*.jpg").names)
    for name in imagenet_networks(data_dir):
        network = open_real(data_dir, name)
        found = dissect_outputs(network, photos, tmp_path / name)
        checks = facts_of(data_dir, name)["checks"]["accuracy [top1, top5]"]
        stated = next(value[0] for key, value in checks.items() if "photos with an ImageNet class" in key)
        assert accuracy(found, accepted, names) == pytest.approx(stated, abs=0.01), name
        as_they_are = open_real(data_dir, name, enlarge=False)
        if as_they_are.preprocess != network.preprocess:
            found = dissect_outputs(as_they_are, photos, tmp_path / f"{name}-small")
        check_logit_units(data_dir, found, name, accepted)


def check_logit_units(data_dir: Path, found: Dissection, name: str, accepted: dict[str, set[int]]) -> None:
    same_first, precision, stated = [], [], []
    for row in rows(data_dir / "weights" / "known_logit_units.csv"):
        if row["network"] != name:
            continue
        unit = int(row["logit_unit"])
        top = found.exemplars_of(found.layers[-1], unit)["top"]
        precision.append(np.mean([unit in accepted[entry.image_name] for entry in top]))
        stated.append(float(row["precision_at_5"]))
        same_first.append(top[0].image_name == row["top1_photo"])
    wrong = np.abs(np.array(precision) - np.array(stated))
    assert np.mean(same_first) >= 0.9, name
    assert np.mean(precision) == pytest.approx(np.mean(stated), abs=0.015), name
    assert wrong.mean() <= 0.03, name


@pytest.mark.slow
def test_the_named_sky_and_grass_units_cover_sky_and_grass(data_dir, tmp_path):
    photos = data_dir / "photos"
    panoptic = [row["file"] for row in rows(photos / "labels.csv") if row["mask"] == "panoptic"]
    classes = {name: int(n) for n, name in json.loads((photos / "masks_classes.json").read_text()).items()}
    truth = np.stack([_small_mask(photos / "masks" / f"{Path(name).stem}.png") for name in panoptic])  # (n, 64, 64)
    folder = tmp_path / "panoptic"
    folder.mkdir()
    for name in panoptic:
        (folder / name).symlink_to(photos / name)
    order = {name: place for place, name in enumerate(panoptic)}
    for name in weights_of(data_dir):
        checks = facts_of(data_dir, name)["checks"]
        for layers in (value for key, value in checks.items() if key.startswith("IoU")):
            found = _dissect_whole(
                open_real(data_dir, name, enlarge=False), folder, tmp_path / name, tuple(layers), len(panoptic)
            )
            for layer, best in layers.items():
                for stated, unit, class_name in best["top"]:
                    share = _iou(found, layer, unit, truth == classes[class_name], order)
                    assert share == pytest.approx(stated, abs=0.03), (name, layer, unit, class_name)


def _small_mask(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).resize((64, 64), Image.Resampling.NEAREST))


def _dissect_whole(network: Network, photos: Path, out: Path, layers: tuple[str, ...], count: int) -> Dissection:
    """Keep the map of every photo: k is their number."""
    config = DissectConfig(network="t", images="t", out=out, layers=layers, k=count, spectrum=0)
    return dissect(network, ImageFolder(photos), config, out)


def _iou(found: Dissection, layer: str, unit: int, truth: np.ndarray, order: dict[str, int]) -> float:
    """Return the overlap of a concept (n, 64, 64) with the top 4 % of the upsampled activations, as the checks do."""
    heat = unit_heatmaps(found, layer, unit, truth.shape[1:])  # (n, 64, 64)
    masks = heat > np.quantile(heat, 0.96)
    concept = truth[[order[Path(entry.image_name).name] for entry in found.exemplars_of(layer, unit)["top"]]]
    return float((masks & concept).sum() / (masks | concept).sum())


def test_every_network_is_dissected_end_to_end(data_dir, tmp_path):
    for name in weights_of(data_dir):
        network = open_real(data_dir, name)
        images = ImageFolder(data_dir / "photos", include="coco_00000000007*.jpg")
        layers = tuple(layer.split()[0] for layer in facts_of(data_dir, name)["suggested_layers_to_dissect"])
        out = tmp_path / name
        found = dissect(network, images, DissectConfig(network=name, images="photos", out=out, layers=layers, k=5), out)
        assert found.verify() == []
        assert set(found.layers) == set(layers)
        assert (found.units["state"] != "not_finite").all()
        assert found.units.groupby("layer").size().min() >= 8
