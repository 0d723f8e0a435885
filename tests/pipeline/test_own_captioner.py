"""A captioner of a user's own: found as a plugin or in a file, and everywhere the built-in ones are."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from made_dissection import DEAD, make_dissection

from mami_core.cli import main
from mami_core.store import Dissection

SOURCE = '''
from mami_core.captioning.protocol import caption_of

class Colours:
    """Says which of red, green and blue is strongest where the unit fires."""

    def __init__(self, prefix):
        self.name = "colours"
        self.provenance = {"decoding": "by rule", "trained_on": "nothing", "prefix": prefix}

    def caption(self, units):
        return [caption_of(self.name, " ".join([self.prefix_of(), self.colour(unit)]).strip()) for unit in units]

    def prefix_of(self):
        return self.provenance["prefix"]

    def colour(self, unit):
        picture = unit.images[0]
        inside = unit.masks((picture.height, picture.width))[0]
        red, green, blue = (
            sum(value for value, kept in zip(band.getdata(), inside.ravel()) if kept) for band in picture.split()
        )
        return max((red, "red"), (green, "green"), (blue, "blue"))[1]

def make(argument, device):
    return Colours(argument)

def make_broken(argument, device):
    made = Colours(argument)
    made.caption = lambda units: ["only words"]
    return made

def make_nothing(argument, device):
    return 3
'''


@pytest.fixture
def dissection(tmp_path: Path) -> Path:
    return make_dissection(tmp_path / "squares")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(SOURCE)
    return path


@pytest.fixture
def plugin(file: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same captioner as an installed distribution offers it."""
    about = file.parent / "mine-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[mami.captioners]\ncolours = mine:make\nbroken = mine:absent\n")
    monkeypatch.syspath_prepend(str(file.parent))
    return "colours"


def test_a_plugin_is_found_by_name_and_its_argument_reaches_it(dissection: Path, plugin: str) -> None:
    assert main(["caption", str(dissection), "--captioner", f"{plugin}:mostly", "--layers", "early", "--json"]) == 0
    said = Dissection.open(dissection).captions("colours").loc["early"]["caption"]
    assert said[:3].tolist() == ["mostly red", "mostly green", "mostly blue"]


def test_its_captions_stand_beside_the_built_in_ones(dissection: Path, plugin: str, tmp_path: Path) -> None:
    before = Dissection.open(dissection).captioners
    assert main(["caption", str(dissection), "--captioner", plugin, "--json"]) == 0
    opened = Dissection.open(dissection)
    assert opened.captioners == (*before, "colours")
    assert opened.caption("colours", *DEAD).state == "dead_unit"
    assert not opened.verify()
    assert main(["export", str(dissection), str(tmp_path / "units.csv"), "--json"]) == 0
    assert pd.read_csv(tmp_path / "units.csv")["colours.caption"].notna().sum() == len(opened.unit_keys()) - 1


def test_a_factory_in_a_file_needs_no_installation(dissection: Path, file: Path) -> None:
    command = ["caption", str(dissection), "--captioner", f"{file}:make", "--units", "0", "--layers", "early", "--json"]
    assert main(command) == 0
    assert Dissection.open(dissection).caption("colours", "early", 0).text == "red"


def test_units_captioned_before_in_the_same_way_are_kept(dissection: Path, file: Path) -> None:
    for unit in ("0", "1"):
        main(
            ["caption", str(dissection), "--captioner", f"{file}:make", "--units", unit, "--layers", "early", "--json"]
        )
    assert len(Dissection.open(dissection).captions("colours")) == 2
    command = ["caption", str(dissection), "--captioner", f"{file}:make:very", "--units", "2", "--layers", "early"]
    main([*command, "--json"])
    assert Dissection.open(dissection).captions("colours")["caption"].tolist() == ["very blue"]


@pytest.mark.parametrize(
    ("factory", "reason"),
    [
        ("mine.py:absent", "has no function 'absent'"),
        ("gone.py:make", "no captioner file"),
        ("mine.py:make_nothing", "gave int; a captioner has a name"),
        ("mine.py:make_broken", "one Caption a unit"),
    ],
)
def test_what_is_no_captioner_is_refused_in_one_sentence(
    dissection: Path, file: Path, factory: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["caption", str(dissection), "--captioner", str(file.parent / factory), "--json"]) == 2
    assert reason in capsys.readouterr().err


@pytest.mark.usefixtures("plugin")
def test_a_plugin_that_cannot_be_loaded_says_why_and_the_others_are_listed(
    dissection: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["caption", str(dissection), "--captioner", "broken"]) == 2
    assert "plugin 'broken' (mine:absent) cannot be loaded" in capsys.readouterr().err
    assert main(["caption", str(dissection), "--captioner", "nobody"]) == 2
    assert "plugins: colours, broken" in capsys.readouterr().err


def test_the_record_of_the_dissection_says_where_its_captions_come_from(dissection: Path, file: Path) -> None:
    main(["caption", str(dissection), "--captioner", f"{file}:make", "--json"])
    facts = json.loads((dissection / "dissection.json").read_text())["captioners"]["colours"]
    assert facts["trained_on"] == "nothing"
    assert len(facts["settings_sha256"]) == 64
