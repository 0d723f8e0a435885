"""Peers' caption files are recognised by their columns; what is wrong is named by file, line and column."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from uneven_dissection import open_made

from mami_core.exports import write_export
from mami_core.interop.captions_csv import read_captions, read_descriptions, read_references


def written(folder: Path, text: str) -> Path:
    path = folder / "captions.csv"
    path.write_text(text, encoding="utf-8")
    return path


FILES = [
    ("milan", "layer,unit,description\nconv1,7,Edges of objects\n", ("conv1", 7, "Edges of objects", None)),
    ("clip-dissect", "layer,unit,description,similarity\nconv1,0,red,0.25\n", ("conv1", 0, "red", 0.25)),
    ("milannotations", "layer,unit,position,summary\nlayer2,117,0,brown dogs\n", ("layer2", 117, "brown dogs", None)),
    ("simscore", "layer,unit,description,sim_correlation\nlayer1,1,beaded,-0.5\n", ("layer1", 1, "beaded", -0.5)),
    ("netdissect", "layer,unit,category,label,iou\nlayer1,0,color,purple-c,0.09\n", ("layer1", 0, "purple-c", 0.09)),
    ("invert", "layer,unit,concept,concept_id,metric\nlayer4,0,lhasa,n02098413,0.9\n", ("layer4", 0, "lhasa", 0.9)),
]


@pytest.mark.parametrize(("form", "text", "expected"), FILES, ids=[form for form, _, _ in FILES])
def test_a_form_is_recognised_by_its_columns(tmp_path: Path, form: str, text: str, expected: tuple) -> None:
    found = read_captions(written(tmp_path, text))

    row = found.rows[0]
    assert found.form == form
    assert (row.layer, row.unit, row.caption, row.score) == expected
    assert row.line == 2


UNLAYERED = [
    ("invert", "neuron,concept,concept_id,metric\n3,crib,n03131574,0.95\n", 3, "crib", 0.95),
    ("netdissect-tally", "unit,category,label,score,part-label\n1,part,body,0.04,body\n", 0, "body", 0.04),
    ("simscore", "unit,description,sim correlation,sim ablation(optim)\n4,Furniture,0.1,0.2\n", 4, "Furniture", 0.1),
    ("describe-and-dissect", "Neuron ID,Label 1,Label 2,Label 3\n29,spirals,circles, \n", 29, "spirals", None),
]


@pytest.mark.parametrize(("form", "text", "unit", "caption", "score"), UNLAYERED, ids=[entry[0] for entry in UNLAYERED])
def test_files_of_one_layer_are_read_when_it_is_named(
    tmp_path: Path, form: str, text: str, unit: int, caption: str, score: float | None
) -> None:
    path = written(tmp_path, text)

    row = read_captions(path, layer="layer4").rows[0]

    assert (row.layer, row.unit, row.caption, row.score) == ("layer4", unit, caption, score)
    with pytest.raises(ValueError, match=f"line 1: {form} without a column 'layer'"):
        read_captions(path)


def test_linear_explanations_name_the_concepts_with_weight(tmp_path: Path) -> None:
    header = "layer,unit,val correlation,weight0,concept0,weight1,concept1,weight2,concept2,bias,sim correlation\n"

    row = read_captions(written(tmp_path, header + "layer4,24,0.3,5.07,jeans,0.13,artifact,0,0,0.48,0.39\n")).rows[0]

    assert (row.caption, row.score) == ("jeans, artifact", 0.39)


def test_ratings_hold_four_candidates_with_the_mean_of_two_people(tmp_path: Path) -> None:
    stems = ("mean_caption", "topk_sq", "image_products", "topk_compare")
    labels = ("mean_caption_label", "topk_sq_caption_label", "image_products_label", "topk_compare_label")
    header = ["layer", "unit", *labels, *(f"{s}_e1_rating" for s in stems), *(f"{s}_e2_rating" for s in stems)]
    text = ",".join(header) + "\nlayer1,10,a,b,c,d,1,2,3,,5,4,,\n"

    found = read_captions(written(tmp_path, text))

    assert found.sources == labels
    assert [(row.caption, row.score) for row in found.rows] == [("a", 3), ("b", 3), ("c", 3), ("d", None)]
    assert found.by_unit("topk_compare_label") == {("layer1", 10): "d"}
    with pytest.raises(ValueError, match="several captions a unit; choose one of: mean_caption_label"):
        found.by_unit()
    with pytest.raises(ValueError, match="no captions 'best'"):
        found.by_unit("best")


WRONG = [
    ("", "is empty"),
    ("a,b\n1,2\n", "line 1, column 'a': no known form has the columns a, b"),
    ("layer;unit;description\nconv1;0;x\n", "line 1, column 'layer;unit;description': no known form"),
    ("layer,unit,summery\nconv1,0,x\n", "line 1, column 'summary': missing"),
    ("layer,unit,description\nconv1,one,x\n", "line 2, column 'unit': 'one' is no whole number"),
    ("layer,unit,description\nconv1,-1,x\n", "line 2, column 'unit': '-1'"),
    ("layer,unit,description\nconv1,1.0,x\n", "line 2, column 'unit': '1.0'"),
    ("layer,unit,description\nconv1,0,x\n,1,y\n", "line 3, column 'layer': empty"),
    ("layer,unit,description\nconv1,0,x,more\n", "line 2: 4 cells under 3 columns"),
    ("layer,unit,unit,description\nconv1,0,0,x\n", "line 1: two columns are called 'unit'"),
    ("layer,unit,description,similarity\nconv1,0,x,high\n", "line 2, column 'similarity': 'high' is no number"),
    ('layer,unit,description\nconv1,0,"two\nlines"\nconv1,x,y\n', "line 4, column 'unit'"),
    ('layer,unit,description\nconv1,0,"open\n', "line 2: not CSV"),
    ("layer,concept,concept_id,metric\nconv1,x,y,1\n", "line 1: invert without a column unit or neuron"),
    ("unit,category,label,score,layer\n0,part,body,0.04,layer4\n", "'0' is no whole number from 1"),
]


@pytest.mark.parametrize(("text", "says"), WRONG, ids=[says for _, says in WRONG])
def test_what_is_wrong_is_named_by_file_line_and_column(tmp_path: Path, text: str, says: str) -> None:
    path = written(tmp_path, text)

    with pytest.raises(ValueError, match=r"captions\.csv") as problem:
        read_captions(path)
    assert says in str(problem.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no file .*none\.csv"):
        read_captions(tmp_path / "none.csv")


def test_text_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    text = 'layer,unit,description\nconv1,0,roofs\nconv1,1,"red, Dächer"\n'
    (tmp_path / "old.csv").write_bytes(text.encode("latin-1"))
    (tmp_path / "wide.csv").write_bytes(text.encode("utf-16"))

    with pytest.raises(ValueError, match=r"old\.csv, line 3, column 'description': not UTF-8"):
        read_captions(tmp_path / "old.csv")
    with pytest.raises(ValueError, match=r"wide\.csv, line 1, column 1: the file is UTF-16"):
        read_captions(tmp_path / "wide.csv")


def test_a_spreadsheets_mark_at_the_start_and_empty_lines_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "excel.csv"
    path.write_bytes("\ufefflayer,unit,description\r\nconv1,0,a roof\r\n\r\nconv1,1,sky\r\n".encode())

    assert read_captions(path).by_unit() == {("conv1", 0): "a roof", ("conv1", 1): "sky"}


def test_rows_that_stand_twice_count_once_and_contradictions_are_named(tmp_path: Path) -> None:
    head = "layer,unit,description\nconv1,0,a roof\nconv1,1,sky\nconv1,0,a roof\n"

    assert read_captions(written(tmp_path, head)).by_unit() == {("conv1", 0): "a roof", ("conv1", 1): "sky"}
    with pytest.raises(ValueError, match="line 5, column 'description': conv1/1 is 'grass' here and 'sky' on line 3"):
        read_captions(written(tmp_path, head + "conv1,1,grass\n")).by_unit()


def test_references_keep_every_text_in_order(tmp_path: Path) -> None:
    text = "layer,unit,summary\nconv1,0,roof\nconv1,1,sky\nconv1,0,roof\nconv1,0,\n"

    assert read_captions(written(tmp_path, text)).references() == {
        ("conv1", 0): ["roof", "roof", ""],
        ("conv1", 1): ["sky"],
    }


TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=20)


@given(texts=st.lists(TEXTS, min_size=1, max_size=5))
def test_any_text_reads_back(texts: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("csv") / "captions.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["layer", "unit", "description"], *(["fc", n, t] for n, t in enumerate(texts))])

    assert [row.caption for row in read_captions(path).rows] == [text.strip() for text in texts]


@pytest.mark.parametrize("form", ["milan", "clip-dissect"])
def test_what_we_write_in_a_peers_form_we_read(tmp_path: Path, form: str) -> None:
    dissection = open_made(tmp_path / "made")
    write_export(dissection, tmp_path / "out.csv", form, captioner="mami@scenery")  # type: ignore[arg-type]

    found = read_captions(tmp_path / "out.csv")

    said = dissection.captions("mami@scenery")
    assert found.form == form
    assert found.by_unit() == said[said["state"] == "ok"]["caption"].to_dict()


def test_our_own_form_holds_each_captioners_captions(tmp_path: Path) -> None:
    dissection = open_made(tmp_path / "made")
    write_export(dissection, tmp_path / "out.csv")

    found = read_captions(tmp_path / "out.csv")

    said = dissection.captions("milan@scenery")
    assert (found.form, found.score_name) == ("mami", "PMI")
    assert found.sources == ("milan@scenery.caption", "mami@scenery.caption")
    assert found.by_unit("milan@scenery.caption") == said[said["state"] == "ok"]["caption"].to_dict()


def test_our_own_form_holds_the_references(tmp_path: Path) -> None:
    dissection = open_made(tmp_path / "made")
    write_export(dissection, tmp_path / "out.csv")

    found = read_references(tmp_path / "out.csv")

    texts = {key: [entry.text for entry in dissection.references_of(*key)] for key in dissection.unit_keys()}
    assert found == {key: given for key, given in texts.items() if given}


def test_captions_and_references_are_read_alike_from_a_peers_file(tmp_path: Path) -> None:
    path = written(tmp_path, "layer,unit,description\nconv1,0,a roof\nconv1,1,\n")

    assert read_descriptions(path) == {("conv1", 0): "a roof", ("conv1", 1): ""}
    assert read_references(path) == {("conv1", 0): ["a roof"], ("conv1", 1): [""]}


@pytest.mark.data
def test_every_published_file_is_recognised(data_dir: Path) -> None:
    kinds = {"milan_": "milan", "clip_": "clip-dissect", "netdissect_": "netdissect", "invert_": "invert"}
    kinds |= {"simscore_": "simscore", "dnd_": "describe-and-dissect-ratings", "milannotations_": "milannotations"}
    with (data_dir / "descriptions" / "MANIFEST.csv").open(newline="") as file:
        listed = [row["file"] for row in csv.DictReader(file)]

    for name in listed:
        found = read_captions(data_dir / "descriptions" / name)
        assert found.form == next(form for start, form in kinds.items() if name.startswith(start)), name
        assert all(row.caption for row in found.rows), name
        assert (found.score_name is None) == all(row.score is None for row in found.rows), name
