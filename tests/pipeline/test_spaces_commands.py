"""The commands of maps, pieces and stability, from the command line to what they write."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from made_dissection import make_dissection

from mami_core.captioning.features import UnitFeatures
from mami_core.captioning.subsets import exemplar_vectors
from mami_core.cli import main
from mami_core.pipeline.captions.caption import encoder_at
from mami_core.pipeline.understanding.telling import Teller, open_teller
from mami_core.pipeline.understanding.unit_pieces import told_in_pieces
from mami_core.pipeline.understanding.unit_stability import told_again
from mami_core.store.home import DEMO

CONCEPTS = ("roofs", "grass")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAMI_HOME", str(tmp_path / "home"))


@pytest.fixture
def squares(tmp_path: Path) -> Path:
    return make_dissection(tmp_path / "squares")


def two_concepts(shares: tuple[int, int] = (9, 6)) -> UnitFeatures:
    """Return one unit of fifteen exemplars, a region each: some near one direction, some near another."""
    rng = np.random.default_rng(1)
    concept = np.repeat([0, 1], shares)[rng.permutation(15)]
    values = np.eye(2, 30)[concept] * 5 + rng.normal(size=(15, 30)) * 0.3
    cells = np.arange(15, dtype=np.int32)
    weights = np.full(15, 1 / 15, dtype=np.float32)
    return UnitFeatures((("l", 0),), (15, 1, 1), np.array([0, 15]), cells, values.astype(np.float16), weights)


def naming_teller() -> Teller:
    """Return a captioner that names the directions that its regions point in, largest first."""

    def say(units: UnitFeatures) -> list[str]:
        means = units.pooled()[:, :2]
        return [" and ".join(CONCEPTS[at] for at in np.argsort(-mean) if mean[at] > 0.5) for mean in means]

    return Teller("naming", encoder_at("parts@scenery"), say)


def test_a_unit_of_two_concepts_is_told_as_two_captions() -> None:
    features = two_concepts()
    told = told_in_pieces(naming_teller(), features, 0, seed=0)

    assert [piece["caption"] for piece in told["pieces"]] == ["roofs", "grass"]
    assert [len(piece["exemplars"]) for piece in told["pieces"]] == [9, 6]
    vectors = exemplar_vectors(features, 0)
    assert all(vectors[rank].argmax() == at for at, piece in enumerate(told["pieces"]) for rank in piece["exemplars"])


def test_a_unit_of_one_concept_is_told_once_and_the_same_whatever_is_drawn() -> None:
    features = two_concepts((15, 0))
    [piece] = told_in_pieces(naming_teller(), features, 0, seed=0)["pieces"]
    [(_, found)] = told_again(naming_teller(), features, 20, 0, lambda *_: None)

    assert (piece["caption"], piece["exemplars"]) == ("roofs", list(range(15)))
    assert (found.caption, found.same, found.agreement) == ("roofs", 1.0, 1.0)


def test_a_rare_concept_is_named_as_often_as_it_is_drawn() -> None:
    features = two_concepts((14, 1))
    resamples = 200
    [(_, found)] = told_again(naming_teller(), features, resamples, 0, lambda *_: None)

    drawn_twice = 1 - (14 / 15) ** 15 - 15 * (1 / 15) * (14 / 15) ** 14  # 5/15 of the mean is not above 0.5, 10/15 is
    assert dict(found.word_shares).get("grass", 0) == pytest.approx(drawn_twice, abs=0.1)


def test_a_caption_of_all_exemplars_is_the_one_that_the_dissection_keeps() -> None:
    from mami_core.store import Dissection

    dissection, key = Dissection.open(DEMO), ("layer4", 87)
    teller = open_teller("mami@scenery", torch.device("cpu"))
    features = teller.regions(dissection, [key], lambda *_: None)

    assert teller.say(features) == [dissection.said("mami@scenery", *key)]


def test_stability_is_asked_once_and_its_shares_are_written(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    line = ["stability", str(DEMO), "--captioner", "milan@scenery", "--layers", "layer4", "--units", "87",
            "--resamples", "3", "--json", "--out", str(tmp_path / "shares.csv")]  # fmt: skip
    assert main(line) == 0
    [first] = json.loads(capsys.readouterr().out)["units"]
    assert main(line) == 0
    [again] = json.loads(capsys.readouterr().out)["units"]

    assert again == first
    table = pd.read_csv(tmp_path / "shares.csv")
    assert table["share"].sum() == pytest.approx(1)
    assert set(table["layer"]) == {"layer4"}


def test_a_map_is_written_as_a_table_and_for_the_projector(squares: Path, tmp_path: Path, capsys) -> None:
    assert main(["map", str(squares), "--by", "profile", "--json", "--out", str(tmp_path / "map.csv")]) == 0
    told = json.loads(capsys.readouterr().out)
    table = pd.read_csv(tmp_path / "map.csv")
    assert len(table) == told["points"] == 11 - told["left_out"]
    assert {"layer", "unit", "x", "y", "cluster", "mami@made"} <= set(table.columns)
    assert 0 <= told["trustworthiness"] <= 1

    assert main(["map", str(squares), "--by", "caption:mami@made", "--out", str(tmp_path / "projector")]) == 0
    vectors = np.loadtxt(tmp_path / "projector" / "vectors.tsv", delimiter="\t")
    metadata = pd.read_csv(tmp_path / "projector" / "metadata.tsv", sep="\t")
    assert len(vectors) == len(metadata)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-3)


def test_a_network_is_matched_with_itself_unit_by_unit(capsys: pytest.CaptureFixture) -> None:
    assert main(["match", str(DEMO), str(DEMO), "--layer", "layer1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)

    assert [pair["match"] for pair in told["pairs"]] == [pair["unit"] for pair in told["pairs"]]
    assert {pair["difference"] for pair in told["pairs"]} == {0.0}
    assert (told["layer"], told["other_layer"], told["mutual"]) == ("layer1", "layer1", 1.0)


def test_redundancy_counts_the_units_of_each_layer(capsys: pytest.CaptureFixture) -> None:
    assert main(["redundancy", str(DEMO), "--layers", "conv1", "--json"]) == 0
    [layer] = json.loads(capsys.readouterr().out)["layers"]

    assert layer["units"] == len(layer["nearest"])
    assert 1 <= layer["effective_units"] <= layer["units"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (["map", "--by", "words:nobody"], "nobody"),
        (["map", "--by", "features:none"], "keeps no features"),
        (["stability", "--captioner", "nobody"], "no model"),
        (["match", "OTHER", "--captioner", "nobody"], "did not caption both"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(squares: Path, line: list[str], reason: str, capsys) -> None:
    asked = [line[0], str(squares), *(str(squares) if word == "OTHER" else word for word in line[1:])]
    assert main(asked) == 2
    assert reason in capsys.readouterr().err
