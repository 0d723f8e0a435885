"""The dashboard's bench: its made dissection is a real one, and it says in a sentence what it lacks."""

from __future__ import annotations

import pytest

from mami_core.cli import main
from mami_core.config import BenchDashboardConfig
from mami_core.pipeline.benches.dashboard_parts.made import made_dissection
from mami_core.probing.payload import neuron_payload
from mami_core.store import Dissection


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return made_dissection(120, 32, tmp_path_factory.mktemp("made"))


def test_the_made_dissection_is_intact_and_says_that_it_is_simulated(made):
    dissection = Dissection.open(made)
    assert dissection.verify() == []
    assert dissection.manifest.simulated
    assert len(dissection.units) == 120


def test_a_made_unit_has_all_that_the_screen_draws(made):
    found = neuron_payload(Dissection.open(made), "block0.conv0", 7)
    assert len(found["exemplars"]["top"]) == 15
    assert found["histogram"] is not None
    heads = [head["head"] for caption in found["captions"] for head in caption["heads"]]
    assert {"bahdanau", "luong", "self"} <= set(heads)


def test_what_was_made_is_not_made_again(made):
    before = (made / "dissection.json").stat().st_mtime_ns
    assert made_dissection(120, 32, made.parent) == made
    assert (made / "dissection.json").stat().st_mtime_ns == before


def test_without_a_chromium_the_bench_says_what_to_install(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    pytest.importorskip("playwright")
    assert main(["bench", "dashboard"]) == 2
    assert "no Chromium here" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [({"units": 3}, "--units must be at least 100"), ({"clients": 0}, "must be at least 1"), ({"walk": 1}, "--walk")],
    ids=["units", "clients", "walk"],
)
def test_what_cannot_be_measured_is_refused(wrong, reason):
    with pytest.raises(ValueError, match=reason):
        BenchDashboardConfig(**wrong)
