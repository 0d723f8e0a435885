"""Table 2 of units that people described: one set of references, no truth, networks as sources."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from mami_core.captioning.encoders import AnyEncoder, open_encoder
from mami_core.cli import main
from mami_core.evaluation.truth import MEASURES
from mami_core.pipeline.tables.table2.figures import table_of
from mami_core.pipeline.tables.table2.keeping import keep
from mami_core.pipeline.tables.table2.markdown import as_markdown
from mami_core.pipeline.tables.table2.published_units import PublishedUnits, find_described
from mami_core.pipeline.tables.table2.run import expected_minutes
from mami_core.pipeline.tables.table2.said import Row, Said, TestUnit
from mami_core.pipeline.tables.table2.trainings import EPOCHS, Training, epochs_of, planned
from mami_core.store import Dissection, dissections_folder, find_model

UNKNOWN = {"value": None, "low": None, "high": None, "spread": None, "by_seed": [None]}
K, SIDE, UNITS = 3, 24, 40
COLOURS = {"red": (220, 30, 30), "green": (30, 200, 40), "blue": (40, 60, 220), "white": (240, 240, 240)}


def silent(_what: str, _done: int, _total: int) -> None:
    """Report to nobody."""


def publish(folder: Path, units: int = UNITS, *, described: bool = True, pictures: bool = True) -> None:
    """Write a set in the published layout: plain pictures in four colours, described by colour."""
    rng = np.random.default_rng(len(folder.parent.name))
    (folder / "conv1").mkdir(parents=True)
    names = [list(COLOURS)[unit % len(COLOURS)] for unit in range(units)]
    ids = np.arange(units)[:, None] % len(COLOURS) * K + np.arange(K)  # units of a colour share their pictures
    plain = np.array(list(COLOURS.values()), np.uint8).repeat(K, axis=0)[:, :, None, None]
    pictures_by_id = plain + rng.integers(0, 15, (len(plain), 3, SIDE, SIDE), dtype=np.uint8)
    masks = np.zeros((units, K, 1, SIDE, SIDE), np.uint8)
    masks[..., 4:20, 4:20] = 1
    np.save(folder / "conv1" / "masks.npy", masks)
    if pictures:
        np.save(folder / "conv1" / "images.npy", pictures_by_id[ids])
    np.savetxt(folder / "conv1" / "ids.csv", ids, "%d", ",")
    rows = [
        ("conv1", unit, f"{article}{name} {thing}")
        for unit, name in enumerate(names if described else [])
        for article, thing in (("the ", "colored walls and floors"), ("a ", "area"), ("", "things"))
    ]
    with (folder / "annotations.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("layer", "unit", "summary"), *rows])


@pytest.fixture
def sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder where sets lie, as `<network>/<data set>`."""
    monkeypatch.setenv("MILAN_DATA_DIR", str(tmp_path / "sets"))
    return tmp_path / "sets"


@pytest.mark.slow
def test_the_command_trains_on_a_published_set_and_says_what_it_cannot_know(sets, tmp_path, capsys) -> None:
    publish(sets / "alexnet" / "places365")
    command = ["reproduce", "table2", "--data", "milannotations:alexnet/places365", "--captioners", "milan"]
    out, kept = tmp_path / "results.md", tmp_path / "kept"

    assert main([*command, "--seeds", "1", "--json", "--out", str(out), "--keep", str(kept)]) == 0

    table = json.loads(capsys.readouterr().out)
    assert {name.split("/")[0] for name in table["rows"]} == {"human"}
    assert {"human/alexnet/milan/best", "human/compound/milan/last"} < table["rows"].keys()
    figures = table["rows"]["human/compound/milan/best"]
    assert figures["units"] == len(units_tested())
    assert table["rows"]["human/compound/nearest/best"]["bleu"]["milan"]["value"] > 50  # colour tells the unit
    assert [figures["truth"][name]["value"] for name in MEASURES] == [None] * len(MEASURES)
    assert table["annotators"] == {"human": dict.fromkeys(MEASURES)}
    assert "not computed" in out.read_text()
    assert Said.load(kept).painted is False
    assert {row["names_top"] for row in csv.DictReader((kept / "table.csv").open())} == {"not computed"}
    assert main(["reproduce", "table2", "--captions", str(kept), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == table


def units_tested() -> list[tuple[str, int]]:
    """Return the test units of AlexNet's set, as the command left them."""
    return Dissection.open(dissections_folder() / "milannotations-alexnet-places365").splits["test"]


@pytest.fixture
def blind() -> Said:
    """Captions of units whose truth is not known: ours repeats a reference, MILAN says another unit's."""
    keys = [("milannotations-alexnet-places365", "conv1", unit) for unit in range(20)]
    names = [list(COLOURS)[unit % len(COLOURS)] for unit in range(len(keys))]
    texts = {key: {"human": (f"a {name} area", f"{name} things and walls")}
             for key, name in zip(keys, names, strict=True)}  # fmt: skip
    right = {key: texts[key]["human"][1] for key in keys}
    wrong = dict(zip(keys, [*list(right.values())[1:], "a red area"], strict=True))
    said = {"consensus": {0: right}, "milan": {0: wrong}, "nearest": {0: wrong}}
    captions = {Row("human", "compound", name): found for name, found in said.items()}
    captions[Row("human", "without-alexnet", "milan")] = {0: wrong}
    return Said({key: TestUnit(key, "alexnet", texts[key], None) for key in keys}, captions)


def test_truth_that_is_not_known_is_not_computed_rather_than_zero(blind, tmp_path) -> None:
    table = table_of(blind)
    json.dumps(table, allow_nan=False)
    compared = table["comparisons"]["human/compound/consensus/best - milan"]
    text = as_markdown(table, blind, command="mami reproduce table2", world="units that people described")
    keep(tmp_path, table, blind)

    assert compared["bleu"]["milan"]["difference"]["value"] > 0
    assert compared["truth"]["names_top"] == {"difference": UNKNOWN, "ratio": UNKNOWN, "p": None}
    assert table["rows"]["human/compound/milan/best"]["truth"] == dict.fromkeys(MEASURES, UNKNOWN)
    assert table["across"] == {}
    assert "Simulated" not in text
    assert "on references `human`" in text
    papers = [line for line in text.splitlines() if line.startswith("| Compound-Best-BLEU | Bahdanau retrained |")]
    assert "20.0595" in papers[0]
    assert papers[0].endswith("| not computed |")
    assert "The longest references" in text
    assert "Ours better" not in text
    assert "ours on described units" in (tmp_path / "table2.svg").read_text()
    assert table_of(Said.load(tmp_path)) == table


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Dissections of sets of three networks."""
    place = tmp_path_factory.mktemp("published")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MILAN_DATA_DIR", str(place / "sets"))
        patch.setenv("MAMI_HOME", str(place / "home"))
        for network in ("alexnet", "resnet152", "biggan"):
            publish(place / "sets" / network / "places365")
        return [found.path for found in find_described(Path("milannotations:places365"), silent)]


@pytest.fixture(scope="module")
def places(folders: list[Path], tmp_path_factory: pytest.TempPathFactory) -> PublishedUnits:
    """Their units."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAMI_HOME", str(tmp_path_factory.mktemp("home")))
        return PublishedUnits.read([Dissection.open(folder) for folder in folders], encoder(), silent)


def encoder() -> AnyEncoder:
    return open_encoder(find_model("parts@scenery", "encoder.json"))


def test_networks_are_the_papers_sources_and_one_can_be_held_out(places) -> None:
    own = {source: set(places.rows(source, "test")) for source in ("alexnet", "resnet", "generator")}

    assert set(places.sources.values()) == own.keys()
    assert set(places.rows("compound", "test")) == set.union(*own.values())
    without = {split: set(places.rows("without-resnet", split)) for split in ("train", "val", "test")}
    assert without["test"] == own["resnet"] | set(places.rows("resnet", "val"))
    assert without["train"] == set(places.rows("alexnet", "train")) | set(places.rows("generator", "train"))


def test_trainings_depend_on_how_pictures_were_cut_and_units_split(places) -> None:
    assert places.facts.keys() == {"keys", "texts", "splits", "settings"}
    assert set(places.texts) == {"human"}
    assert places.contents is None


def test_the_time_expected_grows_with_the_units_trained_on(places) -> None:
    one, two = (Training("milan", source, "human", 0) for source in ("compound", "without-resnet"))

    assert expected_minutes([one], places) == pytest.approx(1.5 * expected_minutes([two], places))
    assert expected_minutes([one, two], places) == pytest.approx(50 / 60 * 5 * 31 / 2600)  # 31 of 40 units train


def test_captioners_of_one_source_take_as_many_steps_as_those_of_all(places) -> None:
    one, third = (Training("milan", source, "human", 0) for source in ("compound", "resnet"))

    assert (epochs_of(one, places), epochs_of(third, places)) == (EPOCHS, 3 * EPOCHS)
    assert expected_minutes([third], places) == pytest.approx(expected_minutes([one], places))


def test_a_single_network_holds_nothing_out() -> None:
    one, three = planned(["alexnet"], 1, ["human"]), planned(["alexnet", "resnet", "generator"], 1, ["human"])

    assert not any(training.source.startswith("without-") for training in one)
    assert sum(training.source.startswith("without-") for training in three) == 6
    assert {training.references for training in (*one, *three)} == {"human"}


def test_a_dissection_or_a_folder_of_some_is_opened_where_it_lies(folders) -> None:
    assert [found.path for found in find_described(folders[0], silent)] == folders[:1]
    assert [found.path for found in find_described(folders[0].parent, silent)] == sorted(folders)
    assert find_described(Path("scenery"), silent) == []


def test_what_was_never_split_is_split_once(folders, tmp_path) -> None:
    folder = shutil.copytree(folders[0], tmp_path / "unsplit")
    (folder / "splits.json").unlink()

    first = PublishedUnits.read([Dissection.open(folder)], encoder(), silent)

    counts = {split: len(first.rows("compound", split)) for split in ("train", "val", "test")}
    assert counts == {"train": 29, "val": 3, "test": 8}
    assert Dissection.open(folder).splits == first.own["unsplit"]


@pytest.mark.parametrize(
    ("made", "says"),
    [
        ({"described": False}, "milannotations-alexnet-places365 has no references"),
        ({"pictures": False}, "alexnet/places365 comes without pictures"),
        ({"units": 5}, "no described unit in split 'val': 5 are too few"),
    ],
)
def test_what_cannot_be_trained_on_is_refused_in_one_sentence(sets, capsys, made, says) -> None:
    publish(sets / "alexnet" / "places365", **made)

    assert main(["reproduce", "table2", "--data", "milannotations:alexnet/places365", "--seeds", "1"]) != 0

    said = capsys.readouterr().err
    assert says in said
    assert "Traceback" not in said
