"""What a network does for one more image against the activations that its dissection kept."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from scipy.stats import percentileofscore

from mami_core.config import DissectConfig
from mami_core.dissection import dissect
from mami_core.inputs import Network, Preprocess
from mami_core.probing import firing
from mami_core.probing.firing import fire, percentiles
from mami_core.store import Dissection

sys.path.append(str(Path(__file__).parents[1] / "dissection"))
from made_images import Noise
from made_networks import tiny

LAYERS = ("conv1", "conv2", "fc")
VALUES = st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.5, -2.5, 60000.0, -60000.0, 0.001, np.nan, np.inf])
PEAKS = npst.arrays(np.float16, st.tuples(st.integers(1, 20), st.just(3)), elements=VALUES.map(np.float16))


@pytest.fixture(scope="module")
def network() -> Network:
    return Network("tiny", tiny().eval(), Preprocess(resize=16, crop=16), weights_sha256="a" * 64)


@pytest.fixture(scope="module")
def images() -> Noise:
    return Noise(40, broken=[7])


@pytest.fixture(scope="module")
def dissection(network: Network, images: Noise, tmp_path_factory: pytest.TempPathFactory) -> Dissection:
    out = tmp_path_factory.mktemp("fire") / "out"
    config = DissectConfig(
        network="test", images="test", out=out, k=4, batch_size=8, layers=LAYERS, units="0-3", exact_statistics=True
    )
    return dissect(network, images, config, out)


@given(peaks=PEAKS, value=VALUES)
def test_percentiles_are_mid_ranks(peaks: np.ndarray, value: float) -> None:
    found = percentiles(peaks, np.full(3, value, dtype=np.float32))

    for unit in range(3):
        known = peaks[:, unit][np.isfinite(peaks[:, unit])].astype(np.float64)
        if not len(known) or not np.isfinite(value):
            assert np.isnan(found[unit])
        else:
            assert found[unit] == pytest.approx(percentileofscore(known, np.float64(np.float16(value)), kind="mean"))


def test_percentiles_do_not_depend_on_the_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    peaks, values = rng.normal(size=(101, 5)).astype(np.float16), rng.normal(size=5)
    whole = percentiles(peaks, values)
    monkeypatch.setattr(firing, "_STRIP", 15)

    assert percentiles(peaks, values).tolist() == whole.tolist()


@pytest.mark.parametrize("image", [0, 23])
def test_a_dissected_image_fires_as_it_did_in_the_dissection(network, images, dissection, image: int) -> None:
    found = fire(network, dissection, images.load(image))

    assert len(found.table) == len(dissection.units)
    for row in found.table.itertuples():
        kept = np.asarray(dissection.peaks(row.layer)[:, dissection.row(row.layer, row.unit)], dtype=np.float64)
        assert row.activation == pytest.approx(kept[image], rel=2e-3, abs=1e-3)
        known = np.delete(kept, 7)  # could not be read
        assert row.percentile == pytest.approx(percentileofscore(known, np.float16(row.activation), kind="mean"))
        own = found.maps[row.layer][row.row]
        assert own[row.peak_y, row.peak_x] == own.max() == pytest.approx(row.activation)


def test_the_top_exemplar_of_a_unit_leads_its_units_percentiles(network, images, dissection) -> None:
    best = dissection.exemplars_of("conv1", 2)["top"][0]

    table = fire(network, dissection, images.load(best.image_id), layers=["conv1"]).table
    row = table.set_index("unit").loc[2]

    assert row["percentile"] == pytest.approx(100 * (38.5 / 39))
    assert (row["peak_y"], row["peak_x"]) == (best.peak_y, best.peak_x)
    assert table["percentile"].is_monotonic_decreasing


def test_other_weights_and_other_networks_are_refused(network, images, dissection) -> None:
    with pytest.raises(ValueError, match="other weights"):
        fire(replace(network, weights_sha256="b" * 64), dissection, images.load(0))
    with pytest.raises(ValueError, match="no layer 'conv9'"):
        fire(network, dissection, images.load(0), layers=["conv9"])
    with pytest.raises(ValueError, match="makes images"):
        fire(replace(network, generates=True), dissection, images.load(0))


def test_no_hook_stays_behind(network, images, dissection) -> None:
    fire(network, dissection, images.load(0))

    assert not any(module._forward_hooks for module in network.module.modules())
