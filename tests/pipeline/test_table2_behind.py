"""The units behind a figure of table 2: all of them, each scored as the whole is, in the order asked for."""

from __future__ import annotations

import json

import numpy as np
import pytest
from made_world import made_contents

from mami_core.evaluation.text import bleu, lengths
from mami_core.evaluation.truth import MEASURES, score_caption
from mami_core.pipeline.tables.table2.behind import FIGURES, KeptTable, people, units_behind
from mami_core.pipeline.tables.table2.figures import table_of
from mami_core.pipeline.tables.table2.keeping import keep
from mami_core.pipeline.tables.table2.said import Row, Said, TestUnit
from mami_core.pipeline.tables.table2.scored import Scored

KEYS = [("resnet-0", "layer1", unit) for unit in range(12)]
ROW = Row("long", "compound", "milan")


@pytest.fixture(scope="module")
def said() -> Said:
    """MILAN of two seeds: right, wrong, short, silent and partless captions among them."""
    contents = made_contents(len(KEYS))
    parts = [content.parts[0].name for content in contents]
    units, first, second = {}, {}, {}
    for place, (key, content, part) in enumerate(zip(KEYS, contents, parts, strict=True)):
        texts = (f"the red {part} beside green grass", f"a {part} at the top of the image", "several bright things")
        units[key] = TestUnit(key, "resnet", {"long": texts}, content)
        first[key] = texts[place % 3]
        second[key] = ("", f"red {parts[place - 1]}", "the red", texts[0])[place % 4]
    return Said(units, {ROW: {0: first, 1: second}})


@pytest.fixture(scope="module")
def scored(said: Said) -> Scored:
    return Scored(said)


def by_the_corpus(caption: str, unit: TestUnit, figure: str) -> float:
    """Score one caption by the function that scores many."""
    if figure in MEASURES:
        return score_caption(caption, unit.content)[figure]
    if figure == "words":
        return lengths([caption]).mean
    found = bleu([caption], [unit.texts["long"]], "sat" if figure == "bleu_no_penalty" else "milan")
    return found.brevity_penalty if figure == "brevity_penalty" else found.score


@pytest.mark.parametrize("figure", FIGURES)
def test_every_unit_of_a_row_is_there_and_scores_what_the_corpus_function_gives_it(said, scored, figure):
    found = units_behind(scored, ROW, figure)

    assert {entry.unit.key for entry in found} == set(KEYS)
    for entry in found:
        assert entry.captions == {seed: said.captions[ROW][seed][entry.unit.key] for seed in (0, 1)}
        for seed, caption in entry.captions.items():
            expected = by_the_corpus(caption, entry.unit, figure)
            assert entry.scores[seed] == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("figure", MEASURES)
def test_the_units_scores_average_to_the_figure_of_the_row(said, scored, figure):
    figures = table_of(said)["rows"][ROW.name]["truth"][figure]

    found = units_behind(scored, ROW, figure)

    by_seed = [np.nanmean([entry.scores[seed] for entry in found]) for seed in (0, 1)]
    assert by_seed == pytest.approx(figures["by_seed"])


def test_the_lowest_or_the_highest_come_first_and_those_without_a_score_last(scored):
    for order, sign in (("worst", 1), ("best", -1)):
        scores = np.array([entry.score for entry in units_behind(scored, ROW, "precision", order)])
        known = scores[np.isfinite(scores)]
        assert len(known) < len(scores)
        assert np.isfinite(scores[: len(known)]).all()
        assert (np.diff(sign * known) >= 0).all()


def test_a_seed_draws_the_same_order_again_and_another_draws_another(scored):
    first, again, other = (
        [entry.unit.key for entry in units_behind(scored, ROW, "bleu", "random", seed)] for seed in (3, 3, 4)
    )

    assert first == again != other
    assert sorted(first) == sorted(other)


def test_what_people_wrote_is_held_against_the_truth_as_captions_are(said, scored):
    found = units_behind(scored, people("long"), "names_top")

    assert {entry.unit.key: tuple(entry.captions.values()) for entry in found} == {
        key: unit.texts["long"] for key, unit in said.units.items()
    }
    mean = np.mean([entry.score for entry in found])
    assert mean == pytest.approx(table_of(said)["annotators"]["long"]["names_top"])


def test_a_figure_that_is_not_there_is_refused(scored):
    with pytest.raises(ValueError, match="no figure 'meteor'; there are bleu"):
        units_behind(scored, ROW, "meteor")


def test_a_kept_table_opens_without_its_captions_and_says_when_it_cannot_be_read(said, tmp_path):
    keep(tmp_path, table_of(said), said)
    for path in tmp_path.glob("captions-*"):
        path.unlink()

    table = KeptTable.open(tmp_path)

    assert (table.sets, table.painted) == (["long"], True)
    assert table.figures == json.loads((tmp_path / "table.json").read_text())
    (tmp_path / "table.json").write_text("{")
    with pytest.raises(ValueError, match=r"table\.json cannot be read"):
        KeptTable.open(tmp_path)
