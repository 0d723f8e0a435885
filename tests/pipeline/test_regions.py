"""What captioning leaves in a dissection for finding units that look alike to the encoder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from made_dissection import make_dissection

from mami_core.captioning.encoder import RegionEncoder, fit_encoder, save_encoder
from mami_core.captioning.features import alive_units
from mami_core.pipeline.worlds.regions import regions_to_caption
from mami_core.probing.similarity import FeatureIndex
from mami_core.scenery.networks import PartsEncoder
from mami_core.store import Dissection, DissectionWriter


@pytest.fixture
def encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RegionEncoder:
    monkeypatch.setenv("MAMI_HOME", str(tmp_path / "home"))
    torch.manual_seed(1)
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 112, 112), dtype=np.uint8)
    return save_encoder(fit_encoder(PartsEncoder(), images), tmp_path / "parts")


@pytest.fixture
def dissection(tmp_path: Path) -> Dissection:
    folder = make_dissection(tmp_path / "made")
    units = Dissection.open(folder).units
    thresholds = np.where(units["state"] == "alive", 0.5, np.nan)
    DissectionWriter.open(folder).write_units(units.assign(threshold=thresholds))
    return Dissection.open(folder)


def test_captioning_some_units_then_others_keeps_the_vectors_of_all(dissection, encoder) -> None:
    alive = alive_units(dissection)
    for keys in (alive[:2], dissection.unit_keys()):
        features = regions_to_caption(Dissection.open(dissection.path), encoder, keys, "milan", lambda *_: None)
        kept = Dissection.open(dissection.path)
        (label,) = kept.encoders
        known = ~np.isnan(kept.features(label)).any(1)
        expected = [key in alive and key in keys for key in kept.unit_keys()]
        assert known.tolist() == expected
    assert label == f"{encoder.name}.{encoder.sha256[:12]}"
    assert kept.verify() == []

    pooled = features.pooled()  # the oracle: cosine of the whole vectors
    unit = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
    row = dict(zip(features.keys, range(len(unit)), strict=True))
    for entry in FeatureIndex.kept(kept, label).similar(*alive[0], count=20):
        exact = float(unit[row[alive[0]]] @ unit[row[entry.layer, entry.unit]])
        assert entry.score == pytest.approx(exact, abs=4 * (1 - exact**2) / np.sqrt(128) + 2e-3)
