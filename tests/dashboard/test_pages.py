"""Each page with an empty store, with one dissection, and with a broken one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from made_image_captioner import make_captioner, make_encoder

from dashboard import loaders
from mami_core.store import models
from mami_core.store.labels import Label

ABOUT_A_DISSECTION = ("overview", "neurons", "neuron", "visualise", "maps", "search", "compare", "review", "export")
PAGES = (*(page for page in ABOUT_A_DISSECTION if page != "search"), "jobs", "settings")  # search asks a network


def component(test: Any, number: int = 0) -> dict:
    """Return what a component was given."""
    return json.loads(test.get("bidi_component")[number].proto.json)


def words(test: Any) -> str:
    """Return all text that the page's own elements show."""
    kinds = (test.markdown, test.info, test.error, test.warning, test.caption, test.title, test.subheader)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


@pytest.mark.parametrize("page", ABOUT_A_DISSECTION)
def test_an_empty_store_says_how_to_start(opened_at, page):
    test = opened_at(page)
    assert not test.exception
    assert "mami demo" in words(test)


@pytest.mark.usefixtures("squares")
@pytest.mark.parametrize("page", PAGES)
def test_one_dissection_opens(opened_at, page):
    test = opened_at(page)
    assert not test.exception
    assert not test.error


@pytest.mark.usefixtures("squares")
def test_a_network_that_cannot_be_opened_is_said_in_words(opened_at):
    test = opened_at("search")
    assert not test.exception
    assert "network cannot be asked" in words(test)


@pytest.mark.usefixtures("squares")
def test_the_bundled_captioner_says_what_an_image_shows_and_that_it_is_simulated(opened_at):
    test = opened_at("search", image="7")
    caption = component(test, 1)["caption"]
    assert (caption["captioner"], caption["simulated"], caption["state"]) == ("sat@scenery", True, "ok")
    assert len(caption["words"]) >= 3


@pytest.mark.usefixtures("squares")
def test_without_a_captioner_of_images_the_page_says_how_to_get_one(opened_at, monkeypatch, tmp_path):
    monkeypatch.setattr(models, "ASSETS", tmp_path / "none")
    test = opened_at("search")
    assert "mami train scenery:captions" in test.code[0].value


@pytest.mark.usefixtures("squares")
def test_a_captioner_of_images_says_what_an_image_shows_with_attention_and_gate(opened_at, own_home):
    make_captioner("sat-soft", str(make_encoder(own_home / "parts")), own_home / "models" / "sat")
    test = opened_at("search", image="7")
    picked, seen = component(test, 0), component(test, 1)
    assert picked["chosen"] == 7
    caption = seen["caption"]
    assert caption["words"]
    assert len(caption["gate"]) == len(caption["words"])
    assert [head["grid"] for head in caption["heads"]] == [[1, 14, 14]]
    assert seen["image"].startswith("data:image/")


@pytest.mark.usefixtures("squares")
def test_heads_are_compared_by_layer_and_by_word(opened_at):
    test = opened_at("compare", what="Heads")
    assert not test.exception
    assert "Which head wins where" in words(test)
    assert "No word was said five times" in words(test), "eleven units say too little for that"
    listed = component(test)
    assert listed["columns"] == ["unit", "milan@made", "mami@made", "1 − word F1 of heads alone"]
    assert len(listed["rows"]) == 10, "those that are alive"


def test_two_dissections_are_compared_unit_by_unit(made, tmp_path, monkeypatch, opened_at):
    other = Path(shutil.copytree(made, tmp_path / "other"))
    monkeypatch.setenv(loaders.NAMED, f"{made}:{other}")
    test = opened_at("compare", what="Dissections")
    assert not test.exception
    assert "each other's best" in words(test)
    rows = component(test)["rows"]
    assert {(here["dissection"], there["dissection"]) for here, there, *_ in rows} == {("squares", "other")}
    assert (
        sorted(here["unit"] for here, *_ in rows) == sorted(there["unit"] for _, there, *_ in rows) == [0, 1, 2, 3, 5]
    )
    assert {r for _, _, r, *_ in rows} == {1}, "every square is as bright, so every unit fires alike"


@pytest.mark.parametrize("page", ["jobs", "settings"])
def test_jobs_and_settings_need_no_dissection(opened_at, page):
    test = opened_at(page)
    assert not test.exception
    assert not test.error


@pytest.mark.parametrize("page", ABOUT_A_DISSECTION)
def test_a_broken_dissection_is_named_with_what_is_wrong(made, tmp_path, monkeypatch, opened_at, page):
    broken = Path(shutil.copytree(made, tmp_path / "broken"))
    (broken / "units.parquet").write_bytes(b"PAR1 not a table PAR1")
    monkeypatch.setenv(loaders.NAMED, str(broken))
    test = opened_at(page)
    assert not test.exception
    assert "units.parquet" in words(test)
    assert "--verify" in words(test)


@pytest.mark.usefixtures("squares")
def test_the_overview_counts_units_and_says_simulated(opened_at):
    test = opened_at("overview")
    shown = {metric.label: metric.value for metric in test.metric}
    assert shown == {"layers": "2", "units": "11", "alive": "10", "dead": "1", "images": "30", "captioners": "2"}
    assert "Simulated" in words(test)


def test_a_broken_dissection_does_not_hide_the_others(made, tmp_path, monkeypatch, opened_at):
    broken = Path(shutil.copytree(made, tmp_path / "broken"))
    (broken / "dissection.json").write_text("{")
    monkeypatch.setenv(loaders.NAMED, f"{broken}:{made}")
    test = opened_at("overview")
    assert not test.exception
    assert "damaged" in words(test)
    assert [metric.value for metric in test.metric if metric.label == "units"] == ["11"]


@pytest.mark.usefixtures("squares")
def test_the_neuron_view_is_given_the_unit_of_the_address(opened_at):
    data = component(opened_at("neuron", layer="late.conv", unit="2"))
    assert (data["layer"], data["unit"], data["units"]) == ("late.conv", 2, "0-4")
    assert data["base"] is None, "without our routes the unit itself is sent"
    assert data["inline"]["record"]["captions"][1]["words"] == ["the", "blue", "squares", "on", "gray"]
    assert data["inline"]["sprite"].startswith("data:image/jpeg;base64,")


@pytest.mark.usefixtures("squares")
@pytest.mark.parametrize(
    ("layer", "unit", "said"),
    [
        ("early", "99", "No unit '99'"),
        ("early", "-1", "No unit"),
        ("early", "x", "No unit"),
        ("nowhere", "0", "No layer"),
    ],
)
def test_a_wrong_link_says_what_there_is(opened_at, layer, unit, said):
    test = opened_at("neuron", layer=layer, unit=unit)
    assert not test.exception
    assert said in words(test)


@pytest.mark.usefixtures("squares")
def test_the_list_is_given_layers_with_counts_and_rows(opened_at):
    data = component(opened_at("neurons", text="blue"))
    assert data["layers"] == [["early", 6, 5], ["late.conv", 5, 5]]
    assert [(row["layer"], row["unit"]) for row in data["inline"]["units"]] == [("early", 2), ("late.conv", 2)]


@pytest.mark.usefixtures("squares")
def test_a_broken_regular_expression_is_said_and_left_out(opened_at):
    test = opened_at("neurons", text="/(/")
    assert not test.exception
    assert "regular expression" in words(test)
    assert component(test)["inline"]["total"] == 11


def test_a_label_is_saved_and_shown_again(squares, opened_at):
    test = opened_at("neuron", layer="early", unit="1")
    test.text_input[0].set_value("green patches")
    next(button for button in test.button if button.label == "Save").click().run()
    assert not test.exception
    assert loaders.label_texts(squares)[("early", 1)] == "green patches"
    again = opened_at("neuron", layer="early", unit="1")
    assert again.text_input[0].value == "green patches"


def test_accepting_a_caption_keeps_its_words_and_who_said_them(squares, opened_at):
    test = opened_at("neuron", layer="early", unit="0")
    next(button for button in test.button if button.label == "Accept milan@made").click().run()
    frame = loaders.label_frame(squares)
    assert frame[["text", "verdict", "captioner"]].values.tolist() == [["red squares", "accept", "milan@made"]]


def test_the_second_of_two_writers_is_told_and_nothing_is_overwritten(squares, opened_at, monkeypatch):
    monkeypatch.setattr("getpass.getuser", lambda: "ada")
    test = opened_at("neuron", layer="early", unit="1")
    loaders.label_store().save(Label("squares", "early", 1, "ada", "edit", "written first"))
    test.text_input[0].set_value("written second")
    next(button for button in test.button if button.label == "Save").click().run()
    assert "nothing was overwritten" in words(test)
    assert loaders.label_texts(squares)[("early", 1)] == "written first"


@pytest.mark.usefixtures("squares")
def test_the_export_page_says_how_many_units_the_filter_keeps(opened_at):
    test = opened_at("export", text="blue")
    assert "captions with blue (2 units" in test.radio[0].options[0]
    assert len(test.dataframe[0].value) == 2


def test_a_captioner_of_painted_scenes_warns_over_photographs(tmp_path, monkeypatch, opened_at):
    from made_dissection import make_dissection

    photographs = make_dissection(tmp_path / "photographs", simulated=False)
    monkeypatch.setenv(loaders.NAMED, str(photographs))
    record = component(opened_at("neuron"))["inline"]["record"]
    assert all("painted scenes" in caption["warning"] for caption in record["captions"])


def test_what_was_never_captioned_is_said_to_be_so(tmp_path, monkeypatch, opened_at):
    from made_dissection import make_dissection

    monkeypatch.setenv(loaders.NAMED, str(make_dissection(tmp_path / "silent", captioned=False)))
    assert "Not captioned yet" in words(opened_at("overview"))
    assert component(opened_at("neuron"))["inline"]["record"]["captions"] == []
    for page in ("neurons", "export"):
        assert not opened_at(page).exception


@pytest.mark.usefixtures("squares")
def test_the_reviewer_is_remembered_across_restarts(opened_at, monkeypatch):
    monkeypatch.delenv("MAMI_REVIEWER", raising=False)
    test = opened_at("settings")
    test.text_input[0].set_value("Ada")
    next(button for button in test.button if button.label == "Save").click().run()
    assert not test.error
    assert "by Ada" in words(opened_at("neuron")), "a new session, as after a restart"


@pytest.mark.usefixtures("squares")
@pytest.mark.parametrize(("field", "wrong", "said"), [(1, "abacus", "no such device"), (2, "nowhere", "config.json")])
def test_settings_that_cannot_work_are_refused(opened_at, field, wrong, said):
    test = opened_at("settings")
    test.text_input[field].set_value(wrong)
    next(button for button in test.button if button.label == "Save").click().run()
    assert said in words(test)
    assert loaders.preferences().device == "auto"


@pytest.mark.usefixtures("squares")
def test_a_sort_that_this_dissection_lacks_is_said_and_left_out(opened_at):
    for page in ("neurons", "export"):
        test = opened_at(page, sort="pmi:nobody")
        assert not test.exception
        assert "cannot be sorted by 'pmi:nobody'" in words(test).replace("\\", "")  # as it is drawn, without escapes


def test_the_form_as_imported_asks_for_an_import_where_there_was_none(opened_at, squares):
    assert squares.id == "squares"
    test = opened_at("export")
    test.selectbox(key="export form").select("As imported").run()
    assert not test.exception
    assert "mami import" in test.info[0].value
