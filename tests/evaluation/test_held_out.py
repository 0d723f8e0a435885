"""What captions foretell of scenes that a unit does not show, on the bundled demo's own units."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from mami_core.evaluation.claims import claim_of
from mami_core.evaluation.held_out import HeldOut
from mami_core.probing.pictures import scenery_of
from mami_core.store import DEMO, Dissection


@pytest.fixture(scope="module")
def demo() -> Dissection:
    return Dissection.open(DEMO)


@pytest.fixture(scope="module")
def held_out(demo: Dissection) -> HeldOut:
    scenes = scenery_of(demo)
    assert scenes is not None
    return HeldOut.of(demo, scenes, demo.splits["test"][-8:], count=120)


def test_no_unit_is_judged_on_a_scene_that_it_shows(demo, held_out):
    sampled = np.unique(np.linspace(0, 1999, 120).astype(int))
    for key, rows in held_out.rows.items():
        shown = {entry.image_id for entries in demo.exemplars_of(*key).values() for entry in entries}
        unseen = [image for image in sampled if image not in shown]
        assert held_out.peaks[key].tolist() == demo.peaks(key[0])[unseen, demo.row(*key)].astype(float).tolist()
        assert len(rows) == len(unseen)


def test_auprc_is_scikit_learns_and_a_caption_that_claims_nothing_has_the_prevalence(held_out):
    key = next(iter(held_out.rows))
    fires = held_out.peaks[key] > held_out.thresholds[key]
    expected = held_out.table.strength(claim_of("trees and roofs"))[held_out.rows[key]]
    found = held_out.scores(key, "trees and roofs")
    assert found["auprc"] == pytest.approx(average_precision_score(fires, expected))
    assert found["lift"] == pytest.approx(found["auprc"] / fires.mean())
    empty = held_out.scores(key, "various things")
    assert empty["auprc"] == pytest.approx(fires.mean())
    assert (empty["pearson"], empty["iou"]) == (0, 0)


def test_a_unit_that_is_not_known_has_no_figures(held_out):
    assert all(np.isnan(value) for value in held_out.scores(("elsewhere", 0), "trees").values())


def test_joined_parts_that_no_scene_holds_are_expected_nowhere(held_out):
    assert held_out.table.strength(claim_of("tents and pianos")).dtype == np.float64
