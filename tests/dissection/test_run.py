"""A whole dissection against the same thing computed slowly, with every activation kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from made_images import Given, Noise
from made_networks import tiny
from torch import nn

from mami_core.config import DissectConfig
from mami_core.dissection import dissect, list_layers
from mami_core.dissection.masks import unit_masks
from mami_core.inputs import Network, Preprocess
from mami_core.store import Dissection


def settings(out: Path, **changes) -> DissectConfig:
    return DissectConfig(network="test", images="test", out=out, **{"k": 4, "batch_size": 8, **changes})


def tiny_network() -> Network:
    return Network("tiny", tiny().eval(), Preprocess(resize=16, crop=16))


@pytest.fixture(scope="module")
def images() -> Noise:
    return Noise(50, labels=[number % 3 for number in range(50)])


@pytest.fixture(scope="module")
def dissection(images: Noise, tmp_path_factory: pytest.TempPathFactory) -> Dissection:
    out = tmp_path_factory.mktemp("run") / "out"
    config = settings(out, layers=("conv1", "conv2", "fc"), exact_statistics=True)
    return dissect(tiny_network(), images, config, out)


@pytest.fixture(scope="module")
def activations(images: Noise) -> dict[str, np.ndarray]:
    """Every activation of every image: the oracle."""
    network = tiny_network()
    module = network.module
    module.relu1 = nn.ReLU()  # out of place, so that what conv1 gave is still there afterwards
    x = torch.stack([network.preprocess(images.load(index)) for index in range(len(images))])
    with torch.inference_mode():
        conv1 = module.conv1(x)
        conv2 = module.conv2(module.relu1(conv1))
        fc = module.fc(module.flat(module.pool(conv2)))
    return {"conv1": conv1.numpy(), "conv2": conv2.numpy(), "fc": fc.numpy()[:, :, None, None]}


LAYERS = ["conv1", "conv2", "fc"]


@pytest.mark.parametrize("layer", LAYERS)
def test_top_and_bottom_exemplars_are_the_extremes_of_all_peaks(dissection, activations, layer):
    peaks = activations[layer].max((2, 3))  # (N, U)
    for unit in range(peaks.shape[1]):
        found = dissection.exemplars_of(layer, unit)
        order = np.argsort(-peaks[:, unit], kind="stable")
        assert [entry.image_id for entry in found["top"]] == order[:4].tolist()
        assert [entry.activation for entry in found["top"]] == pytest.approx(peaks[order[:4], unit].tolist(), rel=1e-4)
        lowest = np.argsort(peaks[:, unit], kind="stable")[: len(found["bottom"])]
        assert [entry.image_id for entry in found["bottom"]] == lowest.tolist()


@pytest.mark.parametrize("layer", LAYERS)
def test_maps_and_peak_cells_are_the_layers_own(dissection, activations, layer):
    maps = activations[layer]  # (N, U, h, w), small enough to be kept whole
    for unit in range(maps.shape[1]):
        for entry in dissection.exemplars_of(layer, unit)["top"]:
            kept = dissection.maps(layer)[dissection.row(layer, unit), entry.rank]
            truth = maps[entry.image_id, unit]
            assert kept.astype(np.float32) == pytest.approx(truth, rel=2e-3, abs=1e-3)
            assert truth[entry.peak_y, entry.peak_x] == pytest.approx(truth.max(), rel=2e-3, abs=1e-3)


@pytest.mark.parametrize("layer", LAYERS)
def test_thresholds_and_moments_are_those_of_all_activations(dissection, activations, layer):
    for unit, values in enumerate(activations[layer].swapaxes(0, 1).reshape(activations[layer].shape[1], -1)):
        found = dissection.statistics(layer, unit)
        assert (values > found.threshold + 1e-5).mean() <= 0.01
        assert (values >= found.threshold - 1e-5).mean() >= 0.01
        deviation = values.std(dtype=np.float64)
        z = (values - values.mean(dtype=np.float64)) / deviation
        assert found.maximum == pytest.approx(values.max(), rel=1e-5)
        assert found.mean == pytest.approx(values.mean(), rel=1e-3, abs=1e-5)
        assert found.variance == pytest.approx(deviation**2, rel=1e-3)
        assert found.skewness == pytest.approx((z**3).mean(), rel=1e-2, abs=1e-3)
        assert found.kurtosis == pytest.approx((z**4).mean() - 3, rel=1e-2, abs=1e-3)
        assert found.fraction_positive == pytest.approx((values > 0).mean(), abs=1e-6)
        assert found.state == "alive"


def test_a_convolution_is_read_before_the_in_place_relu_behind_it(dissection, activations):
    assert activations["conv1"].min() < 0
    assert dissection.units.query("layer == 'conv1'")["histogram_low"].min() < 0


@pytest.mark.parametrize("layer", LAYERS)
def test_every_images_peak_is_kept(dissection, activations, layer):
    assert np.asarray(dissection.peaks(layer)) == pytest.approx(activations[layer].max((2, 3)), rel=1e-3, abs=1e-3)


def test_class_means_are_means_of_the_peaks(dissection, activations, images):
    found = np.load(dissection.path / "classes" / "conv2.npy")
    labels = np.array(images.labels)
    truth = np.stack([activations["conv2"].max((2, 3))[labels == label].mean(0) for label in range(3)])
    assert found == pytest.approx(truth, rel=1e-3, abs=1e-3)


def test_labels_and_class_means_read_back_as_the_images_gave_them(dissection, images):
    assert dissection.image_labels.tolist() == images.labels
    assert dissection.peak_ids.tolist() == list(range(50))
    assert (dissection.classes("conv2") == np.load(dissection.path / "classes" / "conv2.npy")).all()


def test_each_band_holds_images_of_its_share(dissection, activations):
    peaks = activations["conv2"].max((2, 3))
    place = peaks.argsort(0).argsort(0)
    for unit in range(peaks.shape[1]):
        for band in range(4):
            for entry in dissection.exemplars_of("conv2", unit).get(f"band-{band}", ()):
                assert place[entry.image_id, unit] * 4 // 50 == pytest.approx(band, abs=0)


def test_a_mask_is_where_the_upsampled_map_exceeds_the_threshold(dissection):
    unit = 2
    mask = unit_masks(dissection, "conv1", unit, (16, 16))
    kept = np.asarray(dissection.maps("conv1")[unit], dtype=np.float32)
    assert (mask == (kept > np.float32(dissection.statistics("conv1", unit).threshold))).all()  # same size: no change


def test_the_folder_is_sound_and_has_no_stray_file(dissection):
    assert dissection.verify() == []
    assert dissection.manifest.stages == {"dissect": "done"}
    assert not (dissection.path / "parts").exists()


def test_an_unreadable_image_is_named_and_left_out(tmp_path):
    found = dissect(
        tiny_network(), Noise(30, broken=[0, 7, 8]), settings(tmp_path / "out", layers=("conv2",)), tmp_path / "out"
    )
    assert found.manifest.settings["unreadable"] == [f"noise-{number}: cut short" for number in (0, 7, 8)]
    assert not {0, 7, 8} & set(found.exemplars["image_id"])
    assert np.isnan(np.asarray(found.peaks("conv2"))[[0, 7, 8]]).all()


def test_images_of_which_none_can_be_read_are_refused(tmp_path):
    with pytest.raises(ValueError, match="none of the 2 images"):
        dissect(tiny_network(), Noise(2, broken=[0, 1]), settings(tmp_path / "out"), tmp_path / "out")


def test_more_exemplars_than_images_leaves_the_rest_empty(tmp_path):
    found = dissect(tiny_network(), Noise(3), settings(tmp_path / "out", k=5, layers=("conv2",)), tmp_path / "out")
    assert len(found.exemplars_of("conv2", 0)["top"]) == 3
    maps = np.asarray(found.maps("conv2")[0])
    assert np.isnan(maps[3:]).all()
    assert np.isfinite(maps[:3]).all()


def test_states_tell_dead_constant_and_not_finite_units_apart(tmp_path):
    maps = np.random.default_rng(3).normal(size=(20, 6, 3, 3)).astype(np.float32)
    maps[:, 1] = 0
    maps[:, 2] = -1.5
    maps[4, 3, 1, 1] = np.nan
    maps[5, 4, 0, 2] = np.inf
    maps[6, 5, 2, 2] = -np.inf
    found = identity_dissection(maps, tmp_path / "out")
    assert found.units["state"].tolist() == ["alive", "dead", "constant"] + ["not_finite"] * 3
    for unit in (3, 4):
        assert np.isfinite([entry.activation for entry in found.exemplars_of("same", unit)["top"]]).all()
    assert [entry.image_id for entry in found.exemplars_of("same", 1)["top"]] == [0, 1, 2, 3]  # ties: smaller ids


def identity_dissection(maps: np.ndarray, out: Path, **changes) -> Dissection:
    module = nn.Sequential()
    module.add_module("same", nn.Identity())
    network = Network("identity", module.eval(), Preprocess())
    return dissect(network, Given(maps), settings(out, layers=("same",), **changes), out)


def test_a_layer_that_is_not_there_is_refused_with_near_matches(tmp_path):
    with pytest.raises(ValueError, match=r"no layer 'conv3'; near matches: conv[12]"):
        dissect(tiny_network(), Noise(3), settings(tmp_path / "out", layers=("conv3",)), tmp_path / "out")


def test_units_that_a_layer_does_not_have_are_refused(tmp_path):
    with pytest.raises(ValueError, match="units 0-5; --units 90-99 names none"):
        dissect(
            tiny_network(), Noise(3), settings(tmp_path / "out", layers=("conv1",), units="90-99"), tmp_path / "out"
        )


def test_another_dissection_is_never_overwritten(tmp_path):
    out = tmp_path / "out"
    dissect(tiny_network(), Noise(10), settings(out, layers=("conv1",)), out)
    with pytest.raises(ValueError, match=r"another dissection .*it differs in k"):
        dissect(tiny_network(), Noise(10), settings(out, layers=("conv1",), k=2), out)


def test_layers_are_listed_in_the_order_the_data_meets_them():
    listed = {layer.name: (layer.kind, layer.units, layer.height, layer.width) for layer in list_layers(tiny_network())}
    assert list(listed)[:3] == ["conv1", "relu1", "conv2"]
    assert listed["conv2"] == ("maps", 7, 7, 7)
    assert listed["fc"] == ("vector", 5, 1, 1)
