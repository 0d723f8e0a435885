"""Table 2: the paper's figures as printed, rescoring what was kept, and what the Markdown says."""

from __future__ import annotations

import csv
import json
from xml.etree import ElementTree

import pytest
from made_world import made_contents

from mami_core.cli import main
from mami_core.pipeline.tables.table2.figures import table_of
from mami_core.pipeline.tables.table2.keeping import keep
from mami_core.pipeline.tables.table2.markdown import as_markdown
from mami_core.pipeline.tables.table2.paper import CAPTIONERS, GROUPS, PRINTED
from mami_core.pipeline.tables.table2.said import Row, Said, TestUnit
from mami_core.pipeline.tables.table2.scored import Scored
from mami_core.pipeline.tables.table2.trainings import RunFolders, Training, planned, recipe_of

KEYS = [("resnet-0", "layer1", unit) for unit in range(24)]


@pytest.fixture(scope="module")
def said() -> Said:
    """Two captioners of two seeds: ours repeats a reference, MILAN says the top part of the unit before."""
    contents = made_contents(24)
    parts = [content.parts[0].name for content in contents]
    texts = {key: (f"red {part} and green grass", f"a {part}", "things") for key, part in zip(KEYS, parts, strict=True)}
    units = {key: TestUnit(key, "resnet", {"short": texts[key], "long": texts[key]}, content)
             for key, content in zip(KEYS, contents, strict=True)}  # fmt: skip
    right = {key: texts[key][0] for key in KEYS}
    wrong = {key: f"red {parts[place - 1]}" for place, key in enumerate(KEYS)}
    captions = {}
    for references in ("short", "long"):
        captions[Row(references, "compound", "consensus")] = {0: right, 1: right}
        captions[Row(references, "compound", "milan")] = {0: wrong, 1: {**wrong, KEYS[0]: right[KEYS[0]]}}
        captions[Row(references, "compound", "mami")] = {0: wrong}
        captions[Row(references, "compound", "nearest")] = {0: wrong}
    return Said(units, captions)


def test_captions_that_were_kept_give_the_same_figures(said, tmp_path):
    said.save(tmp_path)
    again = Said.load(tmp_path)

    assert table_of(again) == table_of(said)
    first = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    again.save(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == first


def test_the_better_captioner_is_found_better(said):
    compared = table_of(said)["comparisons"]["short/compound/consensus/best - milan"]

    assert compared["seeds"] == [0, 1]
    assert compared["bleu"]["milan"]["difference"]["low"] > 0
    assert compared["bleu"]["sat"]["ratio"]["value"] > 1
    assert compared["truth"]["names_top"]["difference"]["value"] > 0.5


def test_floors_are_compared_with_every_seed_of_ours(said):
    assert table_of(said)["comparisons"]["long/compound/consensus/best - nearest"]["seeds"] == [0, 1]


def test_truth_is_counted_once_a_caption(said):
    scored = Scored(said)
    row = Row("short", "compound", "consensus")

    assert scored.truth(row).shape == (5, 2, 24)
    assert scored.truth(row)[0].min() == 1.0


def test_kept_captions_are_scored_by_the_command(said, tmp_path, capsys):
    said.save(tmp_path)

    assert main(["reproduce", "table2", "--captions", str(tmp_path), "--json"]) == 0

    assert json.loads(capsys.readouterr().out)["rows"]["short/compound/consensus/best"]["seeds"] == [0, 1]


def test_what_is_kept_holds_figures_and_a_chart(said, tmp_path):
    table = table_of(said)
    keep(tmp_path, table, said)

    rows = list(csv.DictReader((tmp_path / "table.csv").open()))
    assert len(rows) == len(table["rows"])
    assert json.loads((tmp_path / "table.json").read_text()) == table
    bars = ElementTree.parse(tmp_path / "table2.svg").findall(".//{*}rect[@stroke-dasharray]")
    assert len(bars) == 20  # the paper's figures of four captioners in five groups


def test_the_table_shows_the_papers_rows_beside_ours_and_says_what_it_cannot_do(said):
    text = as_markdown(table_of(said), said, command="mami reproduce table2", world="a test")

    assert "cannot be reproduced as such" in text
    assert text.count("| Compound-Best-BLEU |") == 5
    assert "21.2262" in text
    assert "not computed" in text  # no roberta-large here


def test_a_table_without_ours_is_shown_too(said):
    theirs = Said(said.units, {row: found for row, found in said.captions.items() if row.captioner != "consensus"})

    assert "Examples" not in as_markdown(table_of(theirs), theirs, command="x", world="a test")


def test_the_papers_table_is_whole_and_its_claim_follows_from_it():
    assert {group: set(rows) for group, rows in PRINTED.items()} == {group: set(CAPTIONERS) for group in GROUPS}
    assert sum(value is not None for rows in PRINTED.values() for row in rows.values() for value in row) == 75
    # gains the paper's text states: MAMI over Bahdanau retrained, 1.22 times
    assert PRINTED["compound"]["mami"][0] / PRINTED["compound"]["milan"][0] == pytest.approx(1.22, abs=0.005)


def test_what_most_depends_on_is_trained_first():
    order = planned(["alexnet", "resnet"], 5)

    assert order[:2] == [Training("consensus", "compound", "long", 0), Training("milan", "compound", "long", 0)]
    assert len(set(order)) == len(order)
    assert sum(one.captioner == "milan" and one.source == "compound" for one in order) == 10


def test_the_penalty_over_padding_is_one_training_beside_the_same_without():
    order = planned(["alexnet", "resnet"], 5)
    names = ("milan", "milan+penalty", "milan+padded")
    recipes = {name: recipe_of(Training(name, "compound", "short", 0)) for name in names}

    assert [one for one in order if "+" in one.captioner] == [
        Training("milan+penalty", "compound", "short", 0), Training("milan+padded", "compound", "short", 0)
    ]  # fmt: skip
    assert {one.kind for one in order if "+" in one.captioner} == {"milan"}
    assert {name: (recipe.penalty, recipe.over_padding) for name, recipe in recipes.items()} == {
        "milan": (0.0, False), "milan+penalty": (1.0, False), "milan+padded": (1.0, True)
    }  # fmt: skip


def test_what_ours_learnt_is_kept_apart_from_what_the_papers_captioners_did(tmp_path):
    folders = RunFolders(tmp_path, tmp_path / "consensus-1")

    assert folders.kept(Training("milan", "compound", "long", 3)) == tmp_path / "long-compound-milan-3.json"
    assert folders.run(Training("consensus", "compound", "long", 3)).parent == tmp_path / "consensus-1"


def test_every_row_of_the_papers_table_has_every_seed():
    order = planned(["alexnet", "resnet", "generator"], 3)

    for source in ("alexnet", "resnet", "generator", "compound"):
        for captioner in ("milan", "luong", "self", "mami"):
            assert {one.seed for one in order if (one.source, one.captioner, one.references)
                    == (source, captioner, "short")} == {0, 1, 2}  # fmt: skip


def test_what_a_new_network_costs_is_measured_on_the_units_that_both_were_tested_on(said):
    row = Row("long", "compound", "consensus")
    right = said.captions[row][0]
    half = dict.fromkeys(KEYS[:12], "nothing") | {
        key: right[key] for key in KEYS[6:12]
    }  # says nothing of the first six
    held_out = {Row("long", "without-resnet", "consensus"): {0: half}}

    table = table_of(Said(said.units, {**said.captions, **held_out}))

    found = table["across"]["consensus"]
    assert (found["resnet"]["units"], found["resnet"]["seeds"]) == (12, 1)
    top = found["all"]["truth"]["names_top"]
    assert (top["met"], top["held_out"], top["difference"]["value"]) == (1.0, 0.5, -0.5)
    assert "1.000 → 0.500" in as_markdown(table, said, command="x", world="a test")
