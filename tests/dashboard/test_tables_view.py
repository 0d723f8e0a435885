"""The view of the papers' tables: each figure leads to the units behind it, those to their pages if they are open."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from dashboard import kept_tables, loaders
from mami_core.pipeline.tables.table2.behind import PEOPLE
from mami_core.pipeline.tables.table2.figures import table_of
from mami_core.pipeline.tables.table2.keeping import keep
from mami_core.pipeline.tables.table2.rows import NAMES
from mami_core.pipeline.tables.table2.said import Row, Said, TestUnit
from mami_core.probing.descriptions import descriptions
from mami_core.store import Dissection
from mami_core.store.home import bundled_assets

ROW = Row("long", "compound", "milan")


def drawn(test: Any) -> dict:
    """Return what the page's last component of ours was given."""
    return json.loads(test.get("bidi_component")[-1].proto.json)


def shown(test: Any) -> str:
    return " ".join(entry.value for entry in (*test.markdown, *test.caption, *test.error, *test.info))


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch) -> loaders.Found:
    """The bundled demo."""
    monkeypatch.setenv(loaders.NAMED, str(bundled_assets() / "demo"))
    return loaders.found_dissections()["demo"]


@pytest.fixture
def own_table(own_home: Path, squares: loaders.Found) -> Said:
    """A table that the user kept: of two units of the open dissection, one as it is, one of other references."""
    texts = descriptions(Dissection.open(squares.path))
    units, said = {}, {}
    for number, other in ((1, ()), (2, ("not what it says",))):
        given = {set_: (*found["late.conv", number], *other) for set_, found in texts.items()}
        key = ("squares", "late.conv", number)
        units[key] = TestUnit(key, "resnet", {"long": ("a", "b", "c"), **given}, None)
        said[key] = f"square {number}"
    table = Said(units, {ROW: {0: said}})
    keep(own_home / "results" / "table2", table_of(table), table)
    return table


@pytest.mark.usefixtures("demo")
def test_every_measured_cell_of_table_2_opens_as_many_units_as_it_is_of(opened_at):
    test = opened_at("evaluate", show="Tables", part="Truth and floors")
    assert not test.exception
    rows = {row["name"]: row for row in drawn(test)["rows"]}
    cells = [cell for row in rows.values() for cell in row["cells"] if cell and cell["value"] is not None]
    assert cells
    assert all(cell["href"].startswith("evaluate?d=demo&show=Tables&") for cell in cells)

    cell = rows[NAMES["milan"]]["cells"][4]  # names the top part
    place = {name: values[0] for name, values in parse_qs(urlsplit(cell["href"]).query).items()}
    test = opened_at("evaluate", **place)

    assert not test.exception
    table = kept_tables.kept_table2()
    units = table.figures["rows"][place["row"]]["units"]
    assert f"{units} units" in shown(test)
    assert f"**{cell['value']:.2f}**" in shown(test)
    behind = drawn(test)
    assert behind["columns"] == ["unit", "names the top part", NAMES["milan"], "truly in the masks", "people wrote"]
    assert behind["rows"][0][1] == 0.0  # the lowest first
    assert "`mami world WORLD" in shown(test)  # the demo is none of the table's dissections


@pytest.mark.usefixtures("demo")
def test_every_part_of_every_table_opens(opened_at):
    parts = ("What each change is worth", "A network never met", "Decoding and weights")
    for place in ({"part": part} for part in parts):
        assert drawn(opened_at("evaluate", show="Tables", refs="long references", **place))["rows"]
    people = f"short/compound/{PEOPLE}/best"
    assert len(drawn(opened_at("evaluate", show="Tables", row=people, figure="precision"))["rows"]) == 20


@pytest.mark.usefixtures("own_table")
def test_a_unit_leads_to_its_page_only_where_the_very_same_unit_is_open(opened_at):
    test = opened_at("evaluate", show="Tables", row=ROW.name, figure="words")
    assert not test.exception
    cells = {row[2][0]["text"]: row[0] for row in drawn(test)["rows"]}
    assert cells["square 2"] == "squares · late.conv · 2"
    assert cells["square 1"]["dissection"] == "squares"
    assert (cells["square 1"]["layer"], cells["square 1"]["unit"]) == ("late.conv", 1)


@pytest.mark.usefixtures("own_table")
def test_a_row_or_a_figure_that_is_not_there_is_said(opened_at):
    for place in ({"row": "long/moon/milan/best", "figure": "bleu"}, {"row": ROW.name, "figure": "x"}, {"row": "x"}):
        test = opened_at("evaluate", show="Tables", **place)
        assert not test.exception
        assert "holds no figure" in test.error[0].value


def test_table_1_leads_from_a_word_to_the_units_whose_descriptions_say_it(opened_at, demo):
    test = opened_at("evaluate", show="Tables", table="Table 1")
    row = next(row for row in drawn(test)["rows"] if row.get("name") == "long")
    word = row["cells"][-1]["words"][-1]
    place = {name: values[0] for name, values in parse_qs(urlsplit(word["href"]).query).items()}

    test = opened_at("evaluate", **place)

    assert not test.exception
    texts = Dissection.open(demo.path).references.query("set == 'long'")
    saying = texts[texts["text"].str.contains(rf"\b{word['text']}\b")].groupby(["layer", "unit"])
    assert f"#### {len(saying)} units whose descriptions say" in shown(test)
    assert all(word["text"] in " ".join(line["text"] for line in row[2]) for row in drawn(test)["rows"])


@pytest.mark.usefixtures("demo")
def test_planted_neurons_are_shown_by_family_with_a_way_to_get_them(opened_at):
    test = opened_at("evaluate", show="Tables", table="Planted neurons")
    assert not test.exception
    board = json.loads(test.get("bidi_component")[0].proto.json)
    assert {"single", "or", "not"} <= {column["name"] for column in board["columns"]}
    cell = board["rows"][0]["cells"][0]
    assert cell["low"] <= cell["value"] <= cell["high"]
    assert cell["href"] is None
    assert "`mami dashboard WORLD/planted`" in shown(test)


@pytest.mark.usefixtures("demo")
def test_what_the_bundled_captioners_weights_say_of_their_training_is_shown(opened_at):
    test = opened_at("evaluate", show="Training")
    rows = {row[0]: row for row in drawn(test)["rows"]}
    assert rows["mami@scenery"][1:3] == [18, 0]
    assert rows["mami@scenery"][-2:] == [6.92, 5.77]
    assert "no curves" in shown(test)
