"""What is bundled keeps what the README promises of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from mami_core.cli import main
from mami_core.pipeline.evaluations.measuring import evaluate_dissection
from mami_core.store import DEMO, Dissection, known_models

CAPTIONERS = ("milan@scenery", "mami@scenery")


@pytest.fixture(scope="module")
def demo() -> Dissection:
    return Dissection.open(DEMO)


def test_inspect_says_what_the_demo_holds_and_that_it_is_intact(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(DEMO), "--verify", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["simulated"] is True
    assert len(summary["layers"]) >= 4
    assert summary["units"] >= 300
    assert summary["images"] > 0
    assert tuple(summary["captioners"]) == CAPTIONERS
    assert set(summary["stages"].values()) == {"done"}
    assert {"name", "units", "alive", "dead"} <= set(summary["layers"][0])


def test_a_flipped_byte_in_any_file_is_found_and_named(
    demo: Dissection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "demo"
    shutil.copytree(DEMO, copy)
    names = sorted(path.relative_to(copy).as_posix() for path in copy.rglob("*") if path.is_file())
    assert set(names) == {*demo.manifest.files, "dissection.json"}
    for place, name in enumerate(names):
        path = copy / name
        whole = path.read_bytes()
        flipped = bytearray(whole)
        flipped[(place * 7919) % len(whole)] ^= 1 << (place % 8)
        path.write_bytes(flipped)
        assert main(["inspect", str(copy), "--verify", "--json"]) == 1, name
        assert name in capsys.readouterr().err
        path.write_bytes(whole)


def test_it_is_small_enough_to_bundle() -> None:
    assert sum(path.stat().st_size for path in DEMO.rglob("*") if path.is_file()) <= 15e6
    assert sum(path.stat().st_size for path in DEMO.parent.rglob("*") if path.is_file()) <= 25e6


def test_every_living_unit_is_captioned_with_heads_and_references(demo: Dissection) -> None:
    for layer in demo.layers:
        record = demo.neuron(layer, demo.unit_keys(layer)[0][1])
        assert {reference.set for reference in record.references} == {"short", "long"}
        assert [head.head for head in record.captions["milan@scenery"].heads] == ["bahdanau"]
        heads = [head.head for head in record.captions["mami@scenery"].heads]
        assert heads == ["bahdanau", "luong", "self", "combined"]
    for name in CAPTIONERS:
        states = demo.captions(name)["state"]
        assert len(states) == len(demo.units)
        assert set(states) <= {"ok", "dead_unit"}


def test_every_word_has_its_gate_and_every_head_what_the_others_say_without_it(demo: Dissection) -> None:
    for layer in demo.layers:
        captions = demo.neuron(layer, demo.unit_keys(layer)[-1][1]).captions
        for name in CAPTIONERS:
            said = captions[name]
            assert len(said.gate) == len(said.words)
            heads = [head for head in said.heads if head.head != "combined"]
            assert all(len(head.entropy) == len(head.norm) == len(said.words) for head in heads)
        assert all(head.without for head in captions["mami@scenery"].heads if head.head != "combined")


def test_every_living_unit_has_a_vector_by_the_captioners_encoder(demo: Dissection) -> None:
    (label,) = demo.encoders
    facts = demo.manifest.captioners["mami@scenery"]["encoder"]
    assert label == f"{facts['name']}.{facts['sha256'][:12]}"
    known = ~np.isnan(demo.features(label)).any(1)
    assert known.tolist() == (demo.units["state"] == "alive").tolist()


def test_captioners_carry_the_world_they_learnt_from(demo: Dissection) -> None:
    for name in CAPTIONERS:
        facts = demo.manifest.captioners[name]
        assert name.endswith("@scenery")
        assert facts["simulated"] is True
        assert "scenery" in facts["trained_on"]
        assert facts["decoding"]["strategy"]
        assert len(facts["settings_sha256"]) == 64
    assert set(CAPTIONERS) <= set(known_models("captioner.json"))


def test_captions_name_the_most_enriched_part_of_the_masks_on_test_units(demo: Dissection) -> None:
    report = evaluate_dissection(demo, split="test", references="long").report
    for name in CAPTIONERS:
        figure = report["truth"][name]["names_top"]
        assert figure["count"] == len(demo.splits["test"])
        assert figure["mean"] >= 0.60, f"{name}: {figure}"
        assert report["truth"][name]["precision"]["mean"] >= 0.60
    assert "nearest neighbour (copied caption)" in report["truth"]
