"""What a notebook gets: neurons that show themselves, one table, captions, files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from made_dissection import make_dissection

import mami_core as mami
from mami_core.cli import main


@pytest.fixture
def dissection(tmp_path: Path) -> mami.Dissection:
    return mami.open(make_dissection(tmp_path / "squares"))


class Threshold:
    """A captioner of one's own: says how high a unit's threshold is."""

    name = "threshold"
    provenance: dict[str, Any] = {}  # noqa: RUF012

    def caption(self, units: Sequence[mami.ShownUnit]) -> list[mami.Caption]:
        return [mami.caption_of(self.name, f"above {unit.statistics.threshold:g}") for unit in units]


def test_every_public_name_is_there_and_no_other() -> None:
    for name in mami.__all__:
        assert getattr(mami, name).__doc__
    assert set(mami.__all__) <= set(dir(mami))
    with pytest.raises(AttributeError, match="has no attribute 'disect'"):
        mami.disect  # type: ignore[attr-defined]  # noqa: B018


def test_a_neuron_shows_itself_in_a_notebook(dissection: mami.Dissection) -> None:
    neuron = dissection.neuron("early", 1)
    html = neuron._repr_html_()
    assert html is not None
    assert html.count("<figure>") == 15
    assert neuron.captions["milan@made"].text in html
    assert repr(neuron).startswith("<Neuron made:squares/early/1, alive; milan@made: 'green squares'")


def test_the_table_is_the_one_the_command_exports(dissection: mami.Dissection, tmp_path: Path) -> None:
    assert main(["export", str(dissection.path), str(tmp_path / "all.parquet"), "--json"]) == 0
    pd.testing.assert_frame_equal(dissection.to_pandas(), pd.read_parquet(tmp_path / "all.parquet"))
    few = dissection.to_pandas("early", [3, 0])
    assert few[["layer", "unit"]].to_numpy().tolist() == [["early", 0], ["early", 3]]


def test_an_object_with_a_name_and_captions_is_a_captioner(dissection: mami.Dissection) -> None:
    captioner: mami.Captioner = Threshold()
    captioned = mami.caption(dissection, captioner, layers="early", units="0-2", progress=False)
    assert captioned.captioners[-1] == "threshold"
    assert captioned.neuron("early", 2).captions["threshold"].text == "above 0.5"
    assert len(captioned.captions("threshold")) == 3
    assert "threshold" not in dissection.captioners  # what is open stays as it was


def test_chosen_units_are_exported_by_the_ending(dissection: mami.Dissection, tmp_path: Path) -> None:
    assert dissection.export(tmp_path / "early.csv", layers="early", units="0,2") == 2
    assert pd.read_csv(tmp_path / "early.csv")["unit"].tolist() == [0, 2]


def test_what_is_not_there_is_said_in_one_sentence(dissection: mami.Dissection, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="is not a dissection"):
        mami.open(tmp_path)
    with pytest.raises(KeyError, match="no layer 'later'"):
        dissection.neuron("later", 0)
    with pytest.raises(ValueError, match="has no unit 77"):
        dissection.to_pandas(units=[77])
    with pytest.raises(FileNotFoundError, match="no model 'nobody'"):
        mami.caption(dissection, "nobody", progress=False)
