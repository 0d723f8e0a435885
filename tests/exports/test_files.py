"""Files for other programs: what is read back is what was there."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mami_core.exports import export_bytes, neuron_table, write_export
from mami_core.interop.spreadsheet import unguard
from mami_core.store import Dissection


def test_csv_reads_back_as_the_table(dissection: Dissection, tmp_path: Path) -> None:
    rows = write_export(dissection, tmp_path / "out.csv")

    back = pd.read_csv(tmp_path / "out.csv", keep_default_na=False)

    table = neuron_table(dissection)
    assert rows == len(table) == len(back)
    assert list(back.columns) == list(table.columns)
    expected = table["milan@scenery.caption"].fillna("")
    assert back["milan@scenery.caption"].map(unguard).tolist() == expected.tolist()
    assert back.loc[0, "threshold"] == str(table.loc[0, "threshold"])
    assert back.loc[2, "threshold"] == ""


def test_no_cell_of_the_csv_starts_a_formula(dissection: Dissection) -> None:
    cells = pd.read_csv(io.BytesIO(export_bytes(dissection, "csv")), dtype=str, keep_default_na=False)

    said = cells[["milan@scenery.caption", "mami@scenery.caption"]].to_numpy().ravel()
    assert any(text.startswith("'=") for text in said)
    assert not any(text.startswith(("=", "+", "-", "@")) for text in said)


def test_json_is_rows_with_null_for_what_is_missing(dissection: Dissection) -> None:
    rows = json.loads(export_bytes(dissection, "json"))

    table = neuron_table(dissection)
    assert [row["unit"] for row in rows] == table["unit"].tolist()
    assert rows[0]["simulated"] is True
    assert rows[0]["threshold"] == float(table.loc[0, "threshold"])
    assert rows[2]["threshold"] is None
    assert rows[2]["mami@scenery.words"] is None


def test_json_holds_what_every_head_did(dissection: Dissection) -> None:
    rows = json.loads(export_bytes(dissection, "json"))

    said = dissection.caption("mami@scenery", "conv1", 0)
    (head,) = said.heads
    assert rows[0]["mami@scenery.gate"] == list(said.gate)
    (written,) = rows[0]["mami@scenery.heads"]
    assert written == {
        "head": "bahdanau",
        "share": list(head.share),
        "norm": list(head.norm),
        "entropy": list(head.entropy),
        "mask_overlap": pytest.approx(head.mask_overlap),
        "alone": " ".join(head.caption),
        "without": " ".join(head.without),
    }
    assert rows[2]["mami@scenery.heads"] is rows[2]["mami@scenery.gate"] is None


def test_parquet_reads_back_with_its_types(dissection: Dissection, tmp_path: Path) -> None:
    write_export(dissection, tmp_path / "out.parquet")

    back = pd.read_parquet(tmp_path / "out.parquet")

    table = neuron_table(dissection)
    assert list(back.columns) == list(table.columns)
    for name in table.columns:
        assert back[name].isna().tolist() == table[name].isna().tolist()
        assert back[name].dropna().tolist() == table[name].dropna().tolist()


def test_milan_form_is_verbatim(dissection: Dissection) -> None:
    text = export_bytes(dissection, "milan", captioner="mami@scenery").decode()

    back = pd.read_csv(io.StringIO(text))
    assert text.startswith("layer,unit,description\n")
    said = neuron_table(dissection).dropna(subset=["mami@scenery.caption"])
    assert back["description"].tolist() == said["mami@scenery.caption"].tolist()
    assert back["unit"].tolist() == said["unit"].tolist()


def test_clip_dissect_form_has_a_similarity(dissection: Dissection) -> None:
    back = pd.read_csv(io.BytesIO(export_bytes(dissection, "clip-dissect", captioner="milan@scenery")))

    assert list(back.columns) == ["layer", "unit", "description", "similarity"]
    said = neuron_table(dissection)["milan@scenery.pmi"].dropna()
    assert np.allclose(back["similarity"], said, rtol=1e-6)


def test_a_form_with_one_caption_asks_which(dissection: Dissection) -> None:
    with pytest.raises(ValueError, match="choose with --captioner among: milan@scenery, mami@scenery"):
        export_bytes(dissection, "milan")


def test_an_unknown_captioner_is_named(dissection: Dissection) -> None:
    with pytest.raises(ValueError, match="no captioner 'milan'"):
        export_bytes(dissection, "milan", captioner="milan")


@pytest.mark.parametrize(("name", "says"), [("out.xls", "ending '.xls' names no format"), ("", "is a folder")])
def test_a_bad_target_is_refused(dissection: Dissection, tmp_path: Path, name: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        write_export(dissection, tmp_path / name)


def test_a_failed_export_leaves_the_old_file(dissection: Dissection, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    out.write_text("old")

    with pytest.raises(ValueError, match="no unit"):
        write_export(dissection, out, keys=[("conv1", 99)])

    assert out.read_text() == "old"
