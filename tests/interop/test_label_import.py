"""Labels come back from our own CSV: what would change is shown first, and nothing is overwritten unseen."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from uneven_dissection import open_made

from mami_core.exports import write_export
from mami_core.interop.label_import import LabelImport, preview_labels
from mami_core.store import Dissection
from mami_core.store.labels import Label, LabelConflict, LabelStore

Edit = Callable[[list[dict[str, str]]], None]


@pytest.fixture
def dissection(tmp_path: Path) -> Dissection:
    return open_made(tmp_path / "made")


@pytest.fixture
def store(tmp_path: Path) -> LabelStore:
    store = LabelStore(tmp_path / "labels.sqlite")
    store.save(Label("made", "conv1", 1, "ada", "edit", "=red roofs"))
    store.save(Label("made", "conv1", 5, "bo", "reject"))
    return store


@pytest.fixture
def edited(dissection: Dissection, store: LabelStore, tmp_path: Path) -> Callable[[Edit], Path]:
    """Export, let `edit` change the rows (one per unit, line 2 on) as a spreadsheet would, and save again."""

    def make(edit: Edit) -> Path:
        path = tmp_path / "labels.csv"
        write_export(dissection, path, labels=store.frame("made"))
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        edit(rows)
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        return path

    return make


def preview(path: Path, dissection: Dissection, store: LabelStore) -> LabelImport:
    return preview_labels(path, dissection, store.frame("made"))


def test_an_export_that_nobody_edited_changes_nothing(
    dissection: Dissection, store: LabelStore, edited: Callable[[Edit], Path]
) -> None:
    found = preview(edited(lambda _rows: None), dissection, store)

    assert (found.changes, found.problems, found.unchanged) == ((), (), len(dissection.unit_keys()))


def test_edits_are_shown_line_by_line_and_saved_together(
    dissection: Dissection, store: LabelStore, edited: Callable[[Edit], Path]
) -> None:
    def edit(rows: list[dict[str, str]]) -> None:
        rows[0].update(label="'=new", reviewer="cy")
        rows[1].update(label="roofs of houses")
        rows[3].update(label=rows[3]["mami@scenery.caption"], label_version="1")

    found = preview(edited(edit), dissection, store)

    assert not found.problems
    assert [(c.line, c.before, c.label.text, c.label.verdict) for c in found.changes[:2]] == [
        (2, None, "=new", "edit"),
        (3, "=red roofs", "roofs of houses", "edit"),
    ]
    assert (found.changes[2].label.verdict, found.changes[2].label.captioner) == ("accept", "mami@scenery")
    assert store.get("made", "conv1", 0, "cy") is None  # a preview saves nothing
    assert found.apply(store) == 3
    saved = store.get("made", "conv1", 1, "ada")
    assert saved is not None
    assert (saved.text, saved.version) == ("roofs of houses", 2)


def test_emptying_a_label_takes_it_back(
    dissection: Dissection, store: LabelStore, edited: Callable[[Edit], Path]
) -> None:
    found = preview(edited(lambda rows: rows[1].update(label="")), dissection, store)

    found.apply(store)

    assert [change.label.verdict for change in found.changes] == ["withdrawn"]
    assert store.get("made", "conv1", 1, "ada") is None


PROBLEMS = [
    ({"label": "x"}, "column 'reviewer': a label needs to say whose it is"),
    ({"label": "x", "reviewer": "cy", "unit": "77"}, "column 'unit': made has no conv1/77"),
    ({"label": "x", "reviewer": "cy", "unit": "?"}, "column 'unit': '?' is no whole number"),
    ({"label": "x", "reviewer": "cy", "network": "alexnet"}, "column 'network': 'alexnet'"),
    ({"label": "x", "reviewer": "cy", "weights_sha256": "00"}, "column 'weights_sha256': '00'"),
    ({"label": "x", "reviewer": "cy", "label_version": "7"}, "column 'label_version': edited from version 7"),
    ({"label": "x", "reviewer": "ada", "unit": "1"}, "column 'label_version': edited from version 0, but 1 is saved"),
]


@pytest.mark.parametrize(("cells", "says"), PROBLEMS, ids=[says for _, says in PROBLEMS])
def test_a_line_that_is_wrong_is_named_and_the_others_are_still_shown(
    dissection: Dissection, store: LabelStore, edited: Callable[[Edit], Path], cells: dict[str, str], says: str
) -> None:
    def edit(rows: list[dict[str, str]]) -> None:
        rows[0].update(cells)
        rows[2].update(label="dark", reviewer="cy")

    found = preview(edited(edit), dissection, store)

    assert [problem.line for problem in found.problems] == [2]
    assert says in found.problems[0].message
    assert [change.line for change in found.changes] == [4]
    with pytest.raises(ValueError, match="has 1 problems"):
        found.apply(store)


def test_a_unit_that_stands_twice_is_named(
    dissection: Dissection, store: LabelStore, edited: Callable[[Edit], Path]
) -> None:
    def edit(rows: list[dict[str, str]]) -> None:
        rows[0].update(label="a", reviewer="cy")
        rows.append({**rows[0], "label": "b"})

    found = preview(edited(edit), dissection, store)

    assert "conv1/0 by cy stands on line 2 too" in found.problems[0].message


def test_what_was_saved_since_the_preview_is_not_overwritten(
    dissection: Dissection, store: LabelStore, edited: Callable[[Edit], Path]
) -> None:
    found = preview(edited(lambda rows: rows[1].update(label="mine")), dissection, store)
    store.save(Label("made", "conv1", 1, "ada", "edit", "theirs", version=1))

    with pytest.raises(LabelConflict, match="theirs"):
        found.apply(store)


def test_a_peers_file_holds_no_labels(dissection: Dissection, store: LabelStore, tmp_path: Path) -> None:
    (tmp_path / "milan.csv").write_text("layer,unit,description\nconv1,0,x\n")

    with pytest.raises(ValueError, match="not our own full form"):
        preview(tmp_path / "milan.csv", dissection, store)
