"""What people type and upload is text; whose label it is says the login; what runs code needs the switch."""

from __future__ import annotations

import csv
import importlib
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import loaders
from dashboard.login import identity
from dashboard.plain import plain
from dashboard.security import ALLOWS_CODE, check_code
from mami_core.exports import export_bytes
from mami_core.interop.label_import import preview_labels
from mami_core.store import Dissection
from mami_core.store.labels import Label, LabelStore

APP = Path(loaders.__file__).with_name("app.py")
COMPONENTS = APP.parent / "components"
ADA = {"is_logged_in": True, "email": "ada@lab.example", "name": "Bo"}
EVIL = "<script>alert(1)</script> ![x](https://evil.example/x.png) [y](https://evil.example)"


@pytest.fixture(autouse=True)
def own_home(squares: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("MAMI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MAMI_REVIEWER", "bo")
    monkeypatch.setenv(loaders.NAMED, str(squares))
    monkeypatch.setattr(importlib.import_module("mami_core.store.home"), "DEMO", tmp_path / "no demo")
    loaders.label_store.cache_clear()
    yield
    loaders.label_store.cache_clear()


def page(name: str, user: dict, **parameters: str) -> AppTest:
    test = AppTest.from_file(str(APP), default_timeout=120)
    test.user = user
    test.run().switch_page(f"views/{name}.py")
    for parameter, value in parameters.items():
        test.query_params[parameter] = value
    return test.run()


def test_with_login_on_the_identity_is_the_reviewer_whatever_else_is_set() -> None:
    test = page("neuron", ADA, layer="early", unit="1")
    test.session_state["reviewer"] = "bo"
    test.text_input[0].set_value("green patches")
    next(button for button in test.button if button.label == "Save").click().run()
    assert not test.exception
    assert loaders.label_store().frame("squares")["reviewer"].tolist() == ["ada@lab.example"]


def test_with_login_on_nobody_can_name_another_reviewer_in_the_settings() -> None:
    named = page("settings", ADA).text_input[0]
    assert (named.value, named.disabled) == ("ada@lab.example", True)


def test_who_is_not_logged_in_where_login_is_on_sees_nothing() -> None:
    test = AppTest.from_file(str(APP), default_timeout=120)
    test.user = {"is_logged_in": False}
    test.run()
    assert not test.exception
    assert [button.label for button in test.button] == ["Log in"]
    assert not test.metric


@pytest.mark.parametrize(
    "user", [{}, {"email": "ada@lab.example"}, {"is_logged_in": False, "email": "ada@lab.example"}]
)
def test_a_name_that_no_login_vouches_for_is_no_identity(user: dict) -> None:
    assert identity(user) is None


def labels_file(squares: Path, tmp_path: Path, store: LabelStore, text: str) -> Path:
    content = export_bytes(Dissection.open(squares), "csv", labels=store.frame("squares")).decode()
    rows = list(csv.DictReader(io.StringIO(content)))
    next(row for row in rows if row["reviewer"])["label"] = text
    path = tmp_path / "labels.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_one_reviewers_labels_cannot_be_changed_as_another_by_a_file(squares: Path, tmp_path: Path) -> None:
    store = LabelStore(tmp_path / "labels.sqlite")
    store.save(Label("squares", "early", 1, "bo", "edit", "green patches"))
    path = labels_file(squares, tmp_path, store, "nonsense")
    found = preview_labels(path, Dissection.open(squares), store.frame("squares"), only="ada@lab.example")
    assert not found.changes
    assert "may change your own labels" in found.problems[0].message
    with pytest.raises(ValueError, match="1 problems"):
        found.apply(store)
    assert store.frame("squares")["text"].tolist() == ["green patches"]


@pytest.mark.parametrize("text", ["=HYPERLINK(0)", "+1", "-1", "@SUM(A1)", "\t=1", "＝1+1"])
def test_a_label_that_is_a_formula_leaves_and_comes_back_as_text(squares: Path, tmp_path: Path, text: str) -> None:
    store = LabelStore(tmp_path / "labels.sqlite")
    store.save(Label("squares", "early", 1, "=cmd|' /C calc'!A0", "edit", text))
    content = export_bytes(Dissection.open(squares), "csv", labels=store.frame("squares")).decode()
    cells = [cell for row in csv.reader(io.StringIO(content)) for cell in row]
    risky = [cell for cell in cells if cell[:1] in "=+@\t＝" and cell]
    assert risky == []
    path = tmp_path / "labels.csv"
    path.write_text(content, newline="")
    assert not preview_labels(path, Dissection.open(squares), store.frame("squares")).problems


@pytest.mark.parametrize("form", ["json", "html"])
def test_script_in_a_label_stays_text_in_files_for_a_browser(squares: Path, tmp_path: Path, form: str) -> None:
    store = LabelStore(tmp_path / "labels.sqlite")
    store.save(Label("squares", "early", 1, EVIL, "edit", EVIL))
    content = export_bytes(Dissection.open(squares), form, labels=store.frame("squares")).decode()  # type: ignore[arg-type]
    if form == "html":
        assert "<script>alert" not in content


def test_strangers_words_are_no_markdown() -> None:
    shown = plain(EVIL)
    assert all(f"\\{sign}" in shown for sign in "<>![]()")
    assert "](" not in shown


@pytest.mark.parametrize("parameter", ["d", "layer", "unit"])
def test_an_address_cannot_put_links_or_markup_on_the_page(parameter: str) -> None:
    test = page("neuron", {}, **{"layer": "early", parameter: EVIL})
    shown = "\n".join(str(entry.value) for kind in (test.error, test.warning) for entry in kind)
    assert not test.exception
    assert "evil" in shown
    assert "](" not in shown
    assert "<script>" not in shown


def test_components_put_text_in_as_text() -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in COMPONENTS.glob("*.js")}
    forbidden = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function")
    assert [(name, word) for name, text in texts.items() for word in forbidden if word in text] == []


@pytest.mark.parametrize("argument", ["net.py:make", "~/net.py:make", "x/y.py", "a.py:b:c"])
def test_a_form_cannot_name_code_unless_the_server_was_started_with_the_switch(
    argument: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ALLOWS_CODE, "0")
    with pytest.raises(ValueError, match="--allow-code"):
        check_code(["dissect", argument, "images"])
    monkeypatch.setenv(ALLOWS_CODE, "1")
    check_code(["dissect", argument, "images"])
