"""The MILAN reference's own exemplars, thresholds and masks, reproduced in its manner."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made_networks import listed
from PIL import Image

from mami_core.config import DissectConfig
from mami_core.dissection import dissect
from mami_core.dissection.masks import unit_masks, upsample
from mami_core.inputs import IMAGENET_MEAN, IMAGENET_STD, Network, Preprocess
from mami_core.inputs.weights import fit_weights, read_weights
from mami_core.store import Dissection


class _Pixels:
    """The golden images, as an image source."""

    name, simulated, labels = "golden", True, None

    def __init__(self, images: np.ndarray) -> None:
        self.images = images
        self.names = [str(number) for number in range(len(images))]

    def __len__(self) -> int:
        return len(self.images)

    def load(self, index: int) -> Image.Image:
        return Image.fromarray(self.images[index].transpose(1, 2, 0))

    def fingerprint(self) -> str:
        return "golden"


@pytest.fixture(scope="module")
def meta(golden_dir: Path) -> dict[str, Any]:
    path = golden_dir / "exemplars" / "meta.json"
    if not path.is_file():
        pytest.skip("these golden vectors have no exemplars")
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def parity(golden_dir: Path, meta: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Dissection:
    return run_parity(golden_dir, meta, tmp_path_factory.mktemp("golden") / "out")


def run_parity(golden_dir: Path, meta: dict[str, Any], out: Path, **changes: Any) -> Dissection:
    settings = meta["config"]
    module = listed(meta["architecture"])
    fit_weights(module, read_weights(golden_dir / "exemplars" / "net.pt"), origin="net.pt")
    plain = settings["norm"] == "pt"
    mean, std = ((0.0,) * 3, (1.0,) * 3) if plain else (IMAGENET_MEAN, IMAGENET_STD)
    network = Network("golden", module.eval(), Preprocess(resize=None, crop=None, mean=mean, std=std))
    images = _Pixels(np.load(golden_dir / "exemplars" / "images.npz")["images"])
    config = DissectConfig(
        network="golden",
        images="golden",
        out=out,
        k=settings["k"],
        quantile=settings["quantile"],
        batch_size=settings["batch"],
        milan_parity=True,
        **{"layers": tuple(meta["layers"]), **changes},
    )
    return dissect(network, images, config, out)


def expected(golden_dir: Path, layer: str) -> Any:
    return np.load(golden_dir / "exemplars" / f"expected_{layer}.npz")


def test_exemplars_are_the_references_and_activations_agree(golden_dir, meta, parity):
    for layer in meta["layers"]:
        truth = expected(golden_dir, layer)
        for unit, (ids, activations) in enumerate(zip(truth["ids"], truth["activations"], strict=True)):
            top = parity.exemplars_of(layer, unit)["top"]
            assert [entry.image_id for entry in top] == ids.tolist(), (layer, unit)
            assert [entry.activation for entry in top] == pytest.approx(activations.tolist(), abs=2e-5, rel=1e-5)


def test_thresholds_are_the_exact_hazen_quantiles(golden_dir, meta, parity):
    for layer in meta["layers"]:
        exact = expected(golden_dir, layer)["level_exact"]
        ours = parity.units.query("layer == @layer")["threshold"].to_numpy()
        assert ours == pytest.approx(exact, abs=2e-5)


def test_masks_differ_in_no_more_than_one_pixel_of_ten_thousand(golden_dir, meta, parity):
    size = meta["config"]["out"]
    for layer in meta["layers"]:
        packed = expected(golden_dir, layer)["masks_exact_packed"]
        theirs = np.unpackbits(packed, axis=-1).reshape(*packed.shape[:2], size, size).astype(bool)
        ours = np.stack([unit_masks(parity, layer, unit, (size, size)) for unit in range(len(theirs))])
        assert (ours != theirs).mean() <= 1e-4, layer


def test_upsampling_fades_to_zero_at_the_border_as_the_references_does(golden_dir, meta, parity):
    for layer in meta["layers"]:
        theirs = expected(golden_dir, layer)["upsampled_first"]  # (n, S, S)
        maps = torch.from_numpy(np.array(parity.maps(layer)[: len(theirs), 0]))  # (n, h, w)
        ours = upsample(maps, theirs.shape[-2:], outside="zeros")
        assert np.abs(ours.numpy() - theirs).max() <= 2e-5, layer


def test_a_subset_of_units_keeps_its_real_numbers(golden_dir, meta, tmp_path):
    subset = meta.get("units_subset")
    if subset is None:
        pytest.skip("these golden vectors have no subset of units")
    wanted = ",".join(str(unit) for unit in subset["requested"])
    found = run_parity(golden_dir, meta, tmp_path / "out", units=wanted, layers=(subset["layer"],))
    assert found.units["unit"].tolist() == subset["units_npy"]
    for unit, ids in zip(subset["units_npy"], subset["ids"], strict=True):
        assert [entry.image_id for entry in found.exemplars_of(subset["layer"], unit)["top"]] == ids


def test_kept_images_are_the_references_to_the_byte(golden_dir, meta, parity):
    size = meta["config"]["out"]
    for layer in meta["layers"]:
        theirs = expected(golden_dir, layer)["images_first2"]  # (2, k, 3, S, S)
        for unit, pictures in enumerate(theirs):
            for entry in parity.exemplars_of(layer, unit)["top"]:
                kept = parity.images.image(entry.image_id).resize((size, size), Image.Resampling.NEAREST)
                assert (np.asarray(kept).transpose(2, 0, 1) == pictures[entry.rank]).all(), (layer, unit, entry.rank)
