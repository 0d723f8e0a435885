"""Truth metrics: worked examples, missing captions, and the two sanity tests every metric of captions should face."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_world import made_contents

from mami_core.evaluation.truth import (
    MEASURES,
    attribute_f1,
    not_captioned,
    score_caption,
    summarise,
    true_attributes,
    truth_scores,
)
from mami_core.scenery.content import Share, UnitContent
from mami_core.scenery.parts import PARTS
from mami_core.scenery.wording import Meaning


def unit(*parts: str) -> UnitContent:
    """A unit on a farm whose masks hold these parts, most enriched first, red and striped, at the top."""
    shares = tuple(Share(part, 0.4 / (rank + 1), 1.0 / (rank + 1)) for rank, part in enumerate(parts))
    return UnitContent(
        parts=shares,
        colours=(Share("red", 0.6, 1.0),),
        textures=(Share("striped", 0.5, 1.0),),
        part_colours={},
        part_textures={},
        grid=(0.3, 0.3, 0.3, 0.1, 0.0, 0.0, 0.0, 0.0, 0.0),
        places=(("farm", 0.8),),
        lights=(("day", 1.0),),
        contacts=(),
        edge=1.0,
        area=0.05,
    )


BARN = unit("barn", "roof", "sky", "tree", "cow", "door")


@pytest.mark.parametrize(
    ("caption", "names_top", "first", "recall", "precision"),
    [
        ("red barns", 1, 1, 1 / 3, 1),
        ("roofs and barns", 1, 0, 2 / 3, 1),
        ("barns, doors and roofs", 1, 1, 2 / 3, 2 / 3),  # the door is sixth: not among the top five
        ("cows", 0, 0, 0, 1),
        ("boats", 0, 0, 0, 0),
        ("no barns, only roofs", 0, 0, 1 / 3, 1),
        ("", 0, 0, 0, 0),
        (" . ", 0, 0, 0, 0),
    ],
)
def test_worked_examples(caption, names_top, first, recall, precision):
    scores = score_caption(caption, BARN)

    assert scores["names_top"] == names_top
    assert scores["first_is_top"] == first
    assert scores["recall_top3"] == pytest.approx(recall)
    assert scores["precision"] == pytest.approx(precision)


def test_a_caption_that_names_no_part_has_no_precision():
    scores = score_caption("red areas", BARN)

    assert np.isnan(scores["precision"])
    assert (scores["names_top"], scores["recall_top3"]) == (0, 0)
    assert scores["attribute_f1"] == pytest.approx(2 * 1 / (1 + 7))


def test_the_units_attributes_are_its_main_parts_looks_position_and_place():
    assert true_attributes(BARN) == {
        Meaning("part", "barn"), Meaning("part", "roof"), Meaning("part", "sky"), Meaning("colour", "red"),
        Meaning("texture", "striped"), Meaning("position", "top"), Meaning("place", "farm"),
    }  # fmt: skip


def test_saying_every_attribute_and_no_more_is_perfect():
    caption = "red striped barns, roofs and sky at the top of the image on farms"

    assert score_caption(caption, BARN)["attribute_f1"] == 1.0


def test_an_empty_rule_is_refused():
    with pytest.raises(ValueError, match="no attribute"):
        attribute_f1(frozenset({Meaning("part", "roof")}), frozenset())


def test_missing_captions_are_counted_and_not_scored():
    contents = {("conv1", 0): BARN, ("conv1", 1): BARN, ("conv2", 0): BARN, ("conv2", 1): BARN}
    captions = {("conv1", 0): "barns", ("conv1", 1): None, ("conv2", 0): ""}

    frame = truth_scores(captions, contents)
    summary = summarise(frame)

    assert frame["captioned"].tolist() == [True, False, True, False]
    assert not_captioned(frame) == 2
    assert frame.loc[1, list(MEASURES)].isna().all()
    assert (summary["names_top"].mean, summary["names_top"].count) == (0.5, 2)


def test_a_caption_of_an_unknown_unit_is_refused():
    with pytest.raises(ValueError, match="no known content"):
        truth_scores({("conv9", 3): "barns"}, {("conv1", 0): BARN})


def test_nothing_captioned_is_refused():
    with pytest.raises(ValueError, match="nothing to summarise"):
        summarise(truth_scores({}, {("conv1", 0): BARN}))


def test_impure_units_are_summarised_apart():
    impure = replace(BARN, parts=tuple(share._replace(share=0.1) for share in BARN.parts))
    contents = {("conv1", 0): BARN, ("conv1", 1): impure}

    summary = summarise(truth_scores(dict.fromkeys(contents, "barns"), contents))

    assert (summary["names_top_impure"].count, summary["names_top"].count) == (1, 2)


# Neuron_Eval's sanity tests (Oikarinen et al. 2025): a measure worth its name falls when true parts are left out of
# right captions, or others are added to them. Which of ours catches which is the table in truth.py.


@pytest.fixture(scope="module")
def described() -> dict[tuple[str, int], UnitContent]:
    return {("layer", number): content for number, content in enumerate(made_contents(120)) if len(content.parts) > 1}


def mean_scores(parts_of, contents) -> dict[str, float]:
    captions = {key: ", ".join(parts_of(key[1], content)) for key, content in contents.items()}
    return {name: interval.mean for name, interval in summarise(truth_scores(captions, contents)).items()}


def right(_: int, content: UnitContent) -> list[str]:
    return [share.name for share in content.parts[:3]]


def too_narrow(_: int, content: UnitContent) -> list[str]:
    return [content.parts[0].name]


def too_narrow_without_the_top(_: int, content: UnitContent) -> list[str]:
    return [share.name for share in content.parts[1:3]]


def too_broad(number: int, content: UnitContent) -> list[str]:
    others = [part for part in PARTS if part not in {share.name for share in content.parts}]
    return [*right(number, content), *np.random.default_rng(number).choice(others, size=3, replace=False)]


def test_captions_made_too_narrow_lose_recall_and_f1(described):
    before, after = mean_scores(right, described), mean_scores(too_narrow, described)

    assert after["recall_top3"] < before["recall_top3"] - 0.2
    assert after["attribute_f1"] < before["attribute_f1"] - 0.1
    assert after["precision"] == before["precision"] == 1.0


def test_leaving_out_the_top_part_is_what_names_top_and_first_part_catch(described):
    after = mean_scores(too_narrow_without_the_top, described)

    assert (after["names_top"], after["first_is_top"]) == (0.0, 0.0)


def test_captions_made_too_broad_lose_precision_and_f1(described):
    before, after = mean_scores(right, described), mean_scores(too_broad, described)

    assert after["precision"] < before["precision"] - 0.3
    assert after["attribute_f1"] < before["attribute_f1"] - 0.1
    assert after["names_top"] == before["names_top"] == 1.0  # why names_top never stands alone
