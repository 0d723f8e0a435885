"""What others say of units becomes captions beside ours; what does not fit is named by file, line and column."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_dissection import make_dissection

from mami_core.config import ImportConfig
from mami_core.exports import export_bytes
from mami_core.interop.synthetic_neurons import read_synthetic
from mami_core.pipeline.exchange.import_captions import import_captions, import_synthetic
from mami_core.probing.figures import figure_names, unit_figure
from mami_core.probing.filtering import UnitFilter, chosen_keys, chosen_rows, unit_table
from mami_core.probing.payload import payload_bytes
from mami_core.store import Dissection

TAKE = Callable[..., dict[str, Any]]


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A dissection with the layers `early` (units 0 to 5) and `late.conv` (0 to 4)."""
    return make_dissection(tmp_path / "made")


@pytest.fixture
def take(tmp_path: Path) -> TAKE:
    """Import a text as a file of that name into a folder."""

    def run(folder: Path, text: str, name: str = "peer", **settings: Any) -> dict[str, Any]:
        path = tmp_path / "captions.csv"
        path.write_text(text, encoding="utf-8")
        return import_captions(ImportConfig(folder, path, name, **settings))

    return run


def test_captions_stand_beside_ours_with_their_scores_and_their_file(made: Path, take: TAKE) -> None:
    text = "layer,unit,description,similarity\nearly,0,black - white,0.25616455\nearly,1,,0.5\n"

    result = take(made, text)

    opened = Dissection.open(made)
    said = opened.caption("peer", "early", 0)
    assert said is not None
    assert (said.text, said.score, said.state) == ("black - white", 0.25616455, "ok")
    assert opened.caption("peer", "early", 1).state == "failed"  # type: ignore[union-attr]
    assert opened.caption("peer", "early", 2) is None
    assert opened.manifest.captioners["peer"]["score_name"] == "similarity"
    assert opened.imported("peer").decode() == text
    assert (result["units"], opened.captioners[-1], opened.verify()) == (2, "peer", [])
    payload = json.loads(payload_bytes(opened, "early", 0))
    assert payload["captions"][-1]["score"] == 0.25616455


WRONG = [
    ("early,6,x", "line 2, column 'unit': made has no early/6; its early has units 0 to 5, counted from 0"),
    ("middle,0,x", "line 2, column 'layer': made has no 'middle', but early, late.conv"),
    ("early,0,x\nearly,0,y", "line 3, column 'description': early/0 is 'y' here and 'x' on line 2"),
]


@pytest.mark.parametrize(("rows", "says"), WRONG, ids=[says for _, says in WRONG])
def test_what_does_not_fit_is_named_and_nothing_is_written(made: Path, take: TAKE, rows: str, says: str) -> None:
    before = {path: path.read_bytes() for path in sorted(made.rglob("*")) if path.is_file()}

    with pytest.raises(ValueError, match=r"captions\.csv") as problem:
        take(made, f"layer,unit,description\n{rows}\n")

    assert says in str(problem.value)
    assert {path: path.read_bytes() for path in sorted(made.rglob("*")) if path.is_file()} == before


def test_rows_of_other_units_are_left_out_only_when_asked(made: Path, take: TAKE) -> None:
    result = take(made, "layer,unit,description\nearly,0,x\nearly,99,y\n", unknown="skip")

    assert (result["units"], result["skipped"]) == (1, 1)
    with pytest.raises(ValueError, match="was dissected: its units are what they are"):
        take(made, "layer,unit,description\nearly,99,y\n", unknown="add")


def test_without_a_dissection_one_is_made_of_the_captions_alone(tmp_path: Path, take: TAKE) -> None:
    folder = tmp_path / "bare"
    take(folder, "layer,unit,description\nconv2,7,a roof\nconv1,3,sky\nconv2,1,grass\n", "milan", network="resnet50")

    opened = Dissection.open(folder)
    assert opened.unit_keys() == [("conv2", 1), ("conv2", 7), ("conv1", 3)]
    assert opened.manifest.network == "resnet50"
    assert [opened.caption("milan", *key).text for key in opened.unit_keys()] == ["grass", "a roof", "sky"]  # type: ignore[union-attr]
    assert json.loads(payload_bytes(opened, "conv2", 7))["exemplars"] == {}
    with pytest.raises(ValueError, match=r"no conv1/4; .*--unknown add takes the units in"):
        take(folder, "layer,unit,description\nconv1,4,x\n")
    take(folder, "layer,unit,description\nconv1,4,x\n", "other", unknown="add")
    grown = Dissection.open(folder)
    assert grown.unit_keys("conv1") == [("conv1", 3), ("conv1", 4)]
    assert (grown.caption("milan", "conv2", 7).text, grown.verify()) == ("a roof", [])  # type: ignore[union-attr]


def test_what_people_wrote_becomes_references_beside_those_there_are(made: Path, take: TAKE) -> None:
    take(made, "layer,unit,summary\nearly,0,one\nearly,0,two\n", "human")
    take(made, "layer,unit,summary\nearly,0,three\n", "human")

    opened = Dissection.open(made)
    assert [entry.text for entry in opened.references_of("early", 0) if entry.set == "human"] == ["three"]
    assert {entry.set for entry in opened.references_of("early", 0)} == {"short", "long", "human"}
    assert opened.captioners == ("milan@made", "mami@made")


def test_a_file_with_several_captions_a_unit_gives_several_captioners(made: Path, take: TAKE) -> None:
    text = "layer,Neuron ID,Label 1,Label 2,Label 3\nearly,2,spirals,circles,\n"

    assert take(made, text, "dnd")["names"] == ["dnd:label_1", "dnd:label_2"]
    assert take(made, text, "best", source="label_1")["names"] == ["best"]


TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=12).map(str.strip)


@given(text=TEXTS)
def test_any_caption_is_kept_to_the_letter(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("letter")
    with (folder / "captions.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["layer", "unit", "description"], ["fc", 0, text]])

    import_captions(ImportConfig(folder / "bare", folder / "captions.csv", "peer"))

    assert Dissection.open(folder / "bare").caption("peer", "fc", 0).text == text  # type: ignore[union-attr]


NEURON = {"label": "dog_bird", "image_names": ["1.jpg", "2.jpg"], "activations": [0.25, 0.5]}


def synthetic(folder: Path, entries: Any, name: str = "synthetic_or.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(entries))
    return path


def test_synthetic_neurons_open_as_planted_truth(tmp_path: Path) -> None:
    folder = tmp_path / "maia"
    import_synthetic(ImportConfig(folder, synthetic(tmp_path, [NEURON]), "planted"))
    mono = synthetic(tmp_path, [{**NEURON, "label": "car window"}], "synthetic_mono.json")
    import_synthetic(ImportConfig(folder, mono, "planted"))

    opened = Dissection.open(folder)
    assert opened.unit_keys() == [("or", 0), ("mono", 0)]
    assert [entry.text for entry in opened.references_of("or", 0)] == ["dog or bird"]
    assert [entry.text for entry in opened.references_of("mono", 0)] == ["car window"]
    assert opened.truth["or", 0] == {"rule": "or", "concepts": ["dog", "bird"]}
    top = opened.exemplars_of("or", 0)["top"]
    assert [(entry.image_name, entry.activation) for entry in top] == [
        ("or/dog_bird/2.jpg", 0.5),
        ("or/dog_bird/1.jpg", 0.25),
    ]
    assert len({entry.image_id for key in opened.unit_keys() for entry in opened.exemplars_of(*key)["top"]}) == 4


BROKEN = [
    ({"label": "dog_bird"}, "entry 1, field 'image_names': missing"),
    ({**NEURON, "label": "dog"}, "entry 1, field 'label': 'dog' does not name the concepts of 'or'"),
    ({**NEURON, "activations": [1.0]}, "entry 1, field 'activations': 1 numbers for 2 image names"),
]


@pytest.mark.parametrize(("entry", "says"), BROKEN, ids=[says for _, says in BROKEN])
def test_a_broken_synthetic_neuron_is_named(tmp_path: Path, entry: Any, says: str) -> None:
    path = synthetic(tmp_path, [NEURON, entry])

    with pytest.raises(ValueError, match=r"synthetic_or\.json") as problem:
        read_synthetic(path)
    assert says in str(problem.value)


def test_scores_sort_units_under_their_own_name(made: Path, take: TAKE) -> None:
    take(made, "layer,unit,category,label,iou\nearly,3,object,sky,0.1\nearly,1,object,tree,0.3\n", "netdissect")

    opened = Dissection.open(made)
    assert figure_names(opened)["score:netdissect"] == "IoU, netdissect"
    found = unit_figure(opened, "score:netdissect")
    rows = chosen_rows(unit_table(opened), UnitFilter(sort="score:netdissect", least=0.0), figure=found)
    assert chosen_keys(unit_table(opened), rows) == [("early", 1), ("early", 3)]


@pytest.mark.parametrize("form", ["milan", "clip-dissect", "imported"])
def test_peers_forms_are_written_again_to_the_letter(tmp_path: Path, take: TAKE, form: Any) -> None:
    text = 'layer,unit,description\nconv1,0,"Red, - and ""blue"" :"\nconv1,2,sky\n'
    if form == "clip-dissect":
        text = "layer,unit,description,similarity\nconv1,0,halloween,0.12890625\nconv1,1,red,0.25616455\n"
    take(tmp_path / "bare", text)

    written = export_bytes(Dissection.open(tmp_path / "bare"), form, captioner="peer")

    assert written.decode() == text


@pytest.mark.data
def test_every_published_caption_file_is_imported_whole(data_dir: Path, tmp_path: Path) -> None:
    folder = data_dir / "descriptions"
    with (folder / "MANIFEST.csv").open(newline="") as file:
        listed = list(csv.DictReader(file))

    for row in listed:
        made = tmp_path / row["file"]
        result = import_captions(ImportConfig(made, folder / row["file"], "peer", network=row["network"]))
        opened = Dissection.open(made)
        assert result["rows"] == int(row["public_rows"]), row["file"]
        assert result["units"] == len(opened.unit_keys()), row["file"]
        form = {"milan": "milan", "clip-dissect": "clip-dissect"}.get(result["form"])
        for name in opened.captioners:
            assert form is None or export_bytes(opened, form) == (folder / row["file"]).read_bytes()  # type: ignore[arg-type]
            assert opened.imported(name) == (folder / row["file"]).read_bytes()


@pytest.mark.data
def test_maias_neurons_all_open(data_dir: Path, tmp_path: Path) -> None:
    for rule, count in (("mono", 47), ("or", 18), ("and", 20)):
        path = data_dir / "descriptions" / "maia" / f"synthetic_{rule}.json"
        import_synthetic(ImportConfig(tmp_path / "maia", path, "planted"))
        opened = Dissection.open(tmp_path / "maia")
        assert len(opened.unit_keys(rule)) == count
    assert all(len(opened.exemplars_of(*key)["top"]) == 15 for key in opened.unit_keys())
