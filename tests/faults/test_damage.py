"""Damage: every flipped byte and every truncation is found by `mami inspect --verify` and named; repair mends."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_dissection import make_dissection
from operations import files

from mami_core.cli import main
from mami_core.config import ImportConfig
from mami_core.pipeline.exchange.import_captions import run_import
from mami_core.pipeline.upkeep.repair import repair
from mami_core.store import Dissection, DissectionWriter
from mami_core.store.layout import MANIFEST, captions_file, classes_file


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dissection with classes, splits, and captions that were imported from a file."""
    folder = make_dissection(tmp_path_factory.mktemp("damage") / "squares")
    writer = DissectionWriter.open(folder)
    labels = np.arange(30) % 3
    writer.write_image_labels(labels)
    writer.update(class_names=("a", "b", "c"))
    for layer in Dissection.open(folder).layers:
        peaks = np.asarray(Dissection.open(folder).peaks(layer), dtype=np.float64)
        writer.write_classes(layer, np.stack([peaks[labels == c].sum(0) / 10 for c in range(3)]).astype(np.float32))
    writer.write_splits({"train": [("early", 0)], "test": [("early", 1)]})
    peer = folder.parent / "peer.csv"
    peer.write_text("layer,unit,description\nearly,0,red things\nlate.conv,1,green things\n")
    run_import(ImportConfig(folder, peer, "peer"))
    assert Dissection.open(folder).verify() == []
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "squares"))


def test_two_hundred_flips_and_truncations_are_all_found_by_the_command_and_named(folder, capsys, tally):
    chance = random.Random(11)
    names = sorted(files(folder))
    for number in range(200):
        name = names[number % len(names)]
        before = (folder / name).read_bytes()
        place = chance.randrange(len(before))
        flipped = before[:place] + bytes([before[place] ^ chance.randrange(1, 256)]) + before[place + 1 :]
        (folder / name).write_bytes(flipped if number % 2 else before[:place])
        capsys.readouterr()
        status = main(["inspect", str(folder), "--verify"])
        said = capsys.readouterr().err
        (folder / name).write_bytes(before)
        assert (status, name in said, "Traceback" in said) == (1, True, False), (name, place, said)
        tally("byte flipped" if number % 2 else "file truncated", "inspect --verify", "found")
    assert main(["inspect", str(folder), "--verify"]) == 0


def damage(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] + b"\0\1\2" + content[len(content) // 2 + 3 :])


def test_captions_that_were_imported_are_taken_in_again(folder, made):
    damage(folder / captions_file("peer"))
    done = repair(folder)
    assert (done.todo, done.lost) == ([], [])
    assert files(folder).keys() == files(made).keys()
    assert Dissection.open(folder).verify() == []
    before, after = (Dissection.open(path).captions("peer") for path in (made, folder))
    pd.testing.assert_frame_equal(before, after)
    assert (folder / captions_file("peer")).read_bytes() == (made / captions_file("peer")).read_bytes()


def test_means_by_class_are_computed_again_from_the_peaks(folder, made):
    (folder / classes_file("early")).unlink()
    assert repair(folder).mended == [f"{classes_file('early')}: computed again from the peaks"]
    assert files(folder) == files(made) | {MANIFEST: files(folder)[MANIFEST]}


def test_captions_of_a_captioner_are_let_go_so_that_the_next_run_makes_them(folder):
    damage(folder / captions_file("mami@made"))
    done = repair(folder)
    dissection = Dissection.open(folder)
    assert dissection.verify() == []
    assert "mami@made" not in dissection.captioners
    assert dissection.manifest.stages["caption:mami@made"] == "failed"
    assert f"mami caption {folder} --captioner mami@made" in done.todo[0]
    assert dissection.neuron("early", 0).captions.keys() == {"milan@made", "peer"}


def test_what_only_dissecting_makes_again_is_named_with_the_command_and_taken_from_a_copy(folder, made, capsys):
    names = ["units.parquet", "maps/early.npy", "images.arrow", "peaks/late.conv.npy"]
    for name in names:
        damage(folder / name)
    assert main(["repair", str(folder)]) == 0
    said = capsys.readouterr().out
    assert all(f"to do: {name}: `mami dissect" in said for name in names)
    assert main(["repair", str(folder), "--copy", str(made)]) == 0
    assert files(folder) == files(made)


def test_peoples_words_that_are_lost_are_said_to_be_lost(folder, capsys):
    damage(folder / "references.parquet")
    assert main(["repair", str(folder)]) == 1
    assert "lost: references.parquet" in capsys.readouterr().out


def test_a_damaged_manifest_is_taken_from_a_copy_and_never_guessed(folder, made, capsys):
    damage(folder / MANIFEST)
    assert main(["repair", str(folder)]) == 2
    assert "--copy" in capsys.readouterr().err
    assert main(["repair", str(folder), "--copy", str(made)]) == 0
    assert files(folder) == files(made)


def test_a_copy_that_is_another_dissection_gives_no_file(folder, tmp_path):
    other = make_dissection(tmp_path / "other", captioned=False)
    (other / "units.parquet").write_bytes(b"another")
    damage(folder / "units.parquet")
    assert "units.parquet" in repair(folder, other).todo[0]


def test_nothing_is_done_to_what_is_intact(folder, made, capsys):
    assert main(["repair", str(folder)]) == 0
    assert capsys.readouterr().out.strip() == "nothing to repair"
    assert files(folder) == files(made)
