"""`mami caption --captioner compositional:ENCODER`: on painted scenes, on a folder's pictures, on what it cannot do."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from mami_core.cli import main
from mami_core.pipeline.captions.compositional import at_most, group_of, pictures_of, within
from mami_core.scenery.content import UnitContent
from mami_core.scenery.images import SceneryImages
from mami_core.scenery.reading import read_caption
from mami_core.store import DEMO, Dissection
from tests.made_dissection import COLOURS, DEAD, make_dissection, unit_keys

PARTS = "compositional:parts@scenery"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAMI_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_units_of_any_pictures_are_captioned_and_dead_ones_read_so(tmp_path: Path, home: Path) -> None:
    made = make_dissection(tmp_path / "made")
    assert main(["caption", str(made), "--captioner", PARTS, "--json"]) == 0

    opened = Dissection.open(made)
    captions = {key: opened.caption("compositional", *key) for key in unit_keys()}
    assert captions[DEAD].state == "dead_unit"
    spoken = {key: caption for key, caption in captions.items() if key != DEAD}
    assert all(caption.state == "ok" and not read_caption(caption.text).unread_words for caption in spoken.values())
    assert all(caption.alternatives[0] == (caption.text, pytest.approx(caption.score)) for caption in spoken.values())
    named = [name in read_caption(caption.text).colours for (_, unit), caption in spoken.items()
             for name in [list(COLOURS)[unit]]]  # fmt: skip
    assert sum(named) >= len(named) / 2  # squares of one colour on gray are no part, but they have a colour
    assert opened.manifest.captioners["compositional"]["score_name"].startswith("nats")
    assert opened.verify() == []
    assert len(list((home / "cache" / "things").iterdir())) == 1


def test_pictures_are_looked_at_once(tmp_path: Path, home: Path) -> None:
    made = make_dissection(tmp_path / "made")
    assert main(["caption", str(made), "--captioner", PARTS, "--units", "0-1", "--json"]) == 0
    first = {key: Dissection.open(made).caption("compositional", *key) for key in unit_keys()}
    (kept,) = (home / "cache" / "things").iterdir()
    before = kept.stat().st_mtime_ns
    assert main(["caption", str(made), "--captioner", PARTS, "--units", "1-2", "--json"]) == 0
    again = {key: Dissection.open(made).caption("compositional", *key) for key in unit_keys()}
    assert kept.stat().st_mtime_ns == before
    assert {key: caption.text for key, caption in again.items() if caption is not None and key[1] < 2} == {
        key: caption.text for key, caption in first.items() if caption is not None
    }


@pytest.mark.usefixtures("home")
def test_what_it_needs_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = make_dissection(tmp_path / "made")
    assert main(["caption", str(made), "--captioner", "compositional"]) == 2
    assert "needs an encoder that sees concepts" in capsys.readouterr().err
    assert main(["caption", str(made), "--captioner", "compositional:nowhere"]) == 2
    assert "no model 'nowhere'" in capsys.readouterr().err


def test_a_unit_is_held_against_its_own_half_only(tmp_path: Path) -> None:
    made = Dissection.open(make_dissection(tmp_path / "made"))
    made.manifest.settings["halves"] = [[0, 15], [15, 30]]
    key = ("early", 0)
    shown = {exemplar.image_id for exemplar in made.exemplars_of(*key)["top"]}
    assert group_of(made, key) == (15, 30)
    assert shown <= set(within(np.arange(30), group_of(made, key)).tolist())


def test_of_too_many_pictures_those_with_maps_are_looked_at_first() -> None:
    ids = np.arange(100) * 2
    assert at_most(ids, np.array([4, 198]), 100).tolist() == ids.tolist()
    some = at_most(ids, np.array([3, 4, 198]), 10)
    assert len(set(some.tolist())) == 10
    assert {4, 198} <= set(some.tolist())
    assert sorted(some) == some.tolist()
    assert len(at_most(ids, ids, 7)) == 7


def test_all_painted_scenes_are_looked_at_and_of_other_pictures_those_that_are_kept(tmp_path: Path) -> None:
    demo = Dissection.open(DEMO)
    ids, load = pictures_of(demo)
    assert len(ids) == demo.manifest.images
    scenes = SceneryImages(*map(int, demo.manifest.dataset.split(":")[1:]))
    assert np.array_equal(np.asarray(load(int(ids[3]))), scenes.scene(int(ids[3])).image)
    made = Dissection.open(make_dissection(tmp_path / "made"))
    ids, _ = pictures_of(made)
    assert ids.tolist() == made.images.ids()


@pytest.mark.slow
@pytest.mark.usefixtures("home")
def test_formulas_name_what_the_masks_of_the_demo_truly_hold(tmp_path: Path) -> None:
    shutil.copytree(DEMO, tmp_path / "demo")
    command = ["caption", str(tmp_path / "demo"), "--captioner", PARTS, "--layers", "layer4", "--units", "0-39"]
    assert main([*command, "--json"]) == 0
    opened = Dissection.open(tmp_path / "demo")
    hits = []
    for key in opened.unit_keys("layer4")[:40]:
        if key in opened.truth:
            names = {share.name for share in UnitContent.from_dict(opened.truth[key]).parts}
            caption = opened.caption("compositional", *key)
            assert caption is not None
            hits.append(bool(names & set(read_caption(caption.text).parts)))
    assert sum(hits) > 0.5 * len(hits)
