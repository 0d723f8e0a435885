"""A dissection's regions: packed, padded, kept on disk, the same alone as in a batch."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch
from made_dissection import make_dissection

from mami_core.captioning import features as features_module
from mami_core.captioning.encoder import fit_encoder, load_encoder, save_encoder
from mami_core.captioning.features import alive_units, join_features, unit_features
from mami_core.scenery.networks import PartsEncoder
from mami_core.store import Dissection, DissectionWriter


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    torch.manual_seed(1)
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 112, 112), dtype=np.uint8)
    return save_encoder(fit_encoder(PartsEncoder(), images), tmp_path_factory.mktemp("encoder") / "parts")


@pytest.fixture
def dissection(tmp_path) -> Dissection:
    folder = make_dissection(tmp_path / "made")
    writer = DissectionWriter.open(folder)
    units = Dissection.open(folder).units
    writer.write_units(units.assign(threshold=np.where(units["state"] == "alive", 0.5, np.nan)))
    return Dissection.open(folder)


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("MAMI_HOME", str(tmp_path / "home"))


def test_each_alive_unit_has_the_regions_it_has_alone(dissection, encoder):
    found = unit_features(dissection, encoder, cache=False)

    assert list(found.keys) == alive_units(dissection)
    assert found.grid == (dissection.maps(found.keys[0][0]).shape[1], 7, 7)
    for row, key in enumerate(found.keys):
        top = dissection.exemplars_of(*key)["top"]
        images = np.stack([np.asarray(dissection.images.image(e.image_id).resize((112, 112), 2)) for e in top])
        maps = np.array(dissection.maps(key[0])[dissection.row(*key)], dtype=np.float32)
        expected, weight = encoder.dense(images.transpose(0, 3, 1, 2), maps, 0.5)
        values, weights = found.dense(row)
        assert np.allclose(weights, weight.numpy())
        assert np.allclose(values, expected.float().numpy(), atol=2e-2)


def test_a_batch_hides_its_padding(dissection, encoder):
    found = unit_features(dissection, encoder, cache=False)
    batch = found.batch(range(len(found)))
    counts = np.diff(found.offsets)

    assert batch.features.shape == (len(found), counts.max(), encoder.feature_size)
    assert ((batch.weight > 0).sum(1).numpy() == counts).all()
    assert (batch.cells[batch.weight == 0] == -1).all()
    alone = found.batch([1])
    assert torch.equal(alone.features[0], batch.features[1, : counts[1]])


def test_weights_of_regions_go_back_to_their_cells(dissection, encoder):
    found = unit_features(dissection, encoder, cache=False)
    batch = found.batch([0, 1])
    grid = batch.on_grid(batch.weight[1], 1, found.grid_size)
    assert np.allclose(grid.numpy(), found.dense(1)[1])


def test_pooling_is_the_weighted_mean_over_the_grid(dissection, encoder):
    found = unit_features(dissection, encoder, cache=False)
    values, weights = found.dense(2)
    assert np.allclose(found.pooled()[2], weights @ values, atol=1e-3)


def test_units_in_another_order_have_the_same_regions(dissection, encoder):
    every = unit_features(dissection, encoder, cache=False)
    keys = list(reversed(every.keys))
    turned = unit_features(dissection, encoder, keys, cache=False)

    assert list(turned.keys) == keys
    for row, key in enumerate(keys):
        assert np.array_equal(turned.dense(row)[0], every.dense(every.keys.index(key))[0])


def test_the_cache_gives_the_same_and_knows_its_content(dissection, encoder, monkeypatch):
    first = unit_features(dissection, encoder)
    monkeypatch.setattr(features_module, "_make", None)  # must not be needed again
    second = unit_features(dissection, encoder)

    assert first.keys == second.keys
    assert np.array_equal(first.values, second.values)
    other = dataclasses.replace(encoder, sha256="0" * 64)
    with pytest.raises(TypeError):  # another encoder's regions are not these
        unit_features(dissection, other)


def test_joined_features_keep_every_units_regions(dissection, encoder):
    found = unit_features(dissection, encoder, cache=False)
    both = join_features([found, found])
    last = len(both) - 1
    assert len(both) == 2 * len(found)
    assert np.array_equal(both.dense(last)[0], found.dense(len(found) - 1)[0])


def test_features_of_different_encoders_are_not_joined(dissection, encoder):
    found = unit_features(dissection, encoder, cache=False)
    with pytest.raises(ValueError, match="cannot be joined"):
        join_features([found, dataclasses.replace(found, values=found.values[:, :5])])


def test_a_dead_unit_is_refused_by_name(dissection, encoder):
    dead = next(key for key in dissection.unit_keys() if key not in alive_units(dissection))
    with pytest.raises(ValueError, match=f"unit {dead[1]} of {dead[0]} is not alive"):
        unit_features(dissection, encoder, [dead], cache=False)


def test_a_dissection_without_alive_units_is_refused(dissection, encoder):
    units = dissection.units.assign(state="dead")
    DissectionWriter.open(dissection.path).write_units(pd.DataFrame(units))
    with pytest.raises(ValueError, match="no unit that is alive"):
        unit_features(Dissection.open(dissection.path), encoder)


def test_few_images_in_memory_give_the_same_regions(dissection, encoder, monkeypatch):
    every = unit_features(dissection, encoder, cache=False)
    monkeypatch.setattr(features_module, "_IMAGES_KEPT", 4)
    monkeypatch.setattr(features_module, "_UNITS_AT_ONCE", 1)
    few = unit_features(dissection, encoder, cache=False)
    assert np.array_equal(few.cells, every.cells)
    assert np.allclose(few.values, every.values, atol=2e-2)


def test_an_encoder_that_was_never_saved_is_not_cached(dissection, encoder, tmp_path):
    unit_features(dissection, dataclasses.replace(encoder, sha256=""))
    assert not (tmp_path / "home").exists()


def test_the_encoder_reads_back_from_its_folder(encoder, tmp_path):
    again = save_encoder(encoder, tmp_path / "again")
    assert load_encoder(tmp_path / "again").sha256 == again.sha256
