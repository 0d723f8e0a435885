"""One table of units: its means are those of the measures themselves, held against a second computation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from made_world import made_contents

from mami_core.evaluation.breakdown import annotators_together, grouping, means
from mami_core.evaluation.by_unit import Known, Voice, unit_scores
from mami_core.evaluation.galleries import drawn
from mami_core.evaluation.text import bleu, bleu4, bleu_statistics
from mami_core.evaluation.truth import score_caption, summarise, truth_scores
from mami_core.scenery.parts import PARTS

CONTENTS = {(f"layer{place % 2}", place): content for place, content in enumerate(made_contents(40, seed=3))}
KEYS = list(CONTENTS)
RNG = np.random.default_rng(5)
SAID = {
    key: f"red {content.parts[int(RNG.integers(min(2, len(content.parts))))].name} and {RNG.choice(PARTS)}"
    for key, content in CONTENTS.items()
}
GIVEN = {
    key: [f"some {content.parts[0].name}", f"the {content.parts[-1].name} at the top"]
    for key, content in CONTENTS.items()
}
SILENT = KEYS[3]


@pytest.fixture(scope="module")
def scores() -> pd.DataFrame:
    voices = [
        Voice("ours", "captioner", SAID | {SILENT: None}),
        *(
            Voice(f"annotator {place + 1}", "annotator", {key: texts[place] for key, texts in GIVEN.items()})
            for place in (0, 1)
        ),
    ]
    return unit_scores(voices, Known(KEYS, GIVEN, CONTENTS, {}))


def test_means_are_those_of_the_truth_table(scores):
    expected = summarise(truth_scores(SAID | {SILENT: None}, CONTENTS), seed=0)
    for measure in ("names_top", "first_is_top", "recall_top3", "attribute_f1", "precision"):
        found = means(scores, measure).set_index("voice").loc["ours"]
        assert (found["mean"], found["low"], found["high"], found["count"]) == pytest.approx(
            (expected[measure].mean, expected[measure].low, expected[measure].high, expected[measure].count)
        )


def test_bleu_of_a_group_is_that_of_its_captions_together(scores):
    spoken = [key for key in KEYS if key != SILENT]
    whole = bleu([SAID[key] for key in spoken], [GIVEN[key] for key in spoken]).score
    assert means(scores, "bleu").set_index("voice").loc["ours", "mean"] == pytest.approx(whole)
    for group, row in means(scores, "bleu", "layer").query("voice == 'ours'").set_index("group").iterrows():
        own = [key for key in spoken if key[0] == group]
        assert row["mean"] == pytest.approx(bleu([SAID[key] for key in own], [GIVEN[key] for key in own]).score)


def test_a_caption_alone_has_the_bleu_that_sacrebleus_counts_give(scores):
    own = scores[(scores["voice"] == "ours") & scores["caption"].notna()]
    for row in own.itertuples():
        counted = bleu_statistics([row.caption], [GIVEN[row.layer, row.unit]])[0]
        assert row.bleu == pytest.approx(float(bleu4(counted)))


def test_an_annotator_is_held_against_the_others_only(scores):
    first = scores[scores["voice"] == "annotator 1"]
    assert first["bleu"].max() < 100, "nobody is judged by their own words"


def test_a_unit_without_a_caption_has_no_figure_and_annotators_become_one_voice(scores):
    silent = scores[(scores["voice"] == "ours") & (scores["layer"] == SILENT[0]) & (scores["unit"] == SILENT[1])]
    assert silent[["names_top", "bleu", "words"]].isna().all(axis=None)
    together = annotators_together(scores)
    assert list(together["voice"].unique()) == ["ours", "annotators"]
    expected = [np.mean([score_caption(text, CONTENTS[key])["names_top"] for text in GIVEN[key]]) for key in KEYS]
    assert together.loc[together["voice"] == "annotators", "names_top"].tolist() == pytest.approx(expected)


def test_purities_fall_into_bands_below_their_upper_edge(scores):
    bands = grouping(scores, "purity")
    for purity, band in zip(scores["purity"], bands, strict=True):
        assert band == ("under 30%" if purity < 0.3 else "30%–50%" if purity < 0.5 else "50%–100%")
    with pytest.raises(ValueError, match="all, layer, purity, family"):
        grouping(scores, "colour")


def test_galleries_hold_what_their_name_says_and_a_seed_draws_the_same(scores):
    wrong, total = drawn(scores, "ours", "wrong", count=5, seed=1)
    assert (wrong["names_top"] == 0).all()
    assert total == int((scores.query("voice == 'ours'")["names_top"] == 0).sum())
    assert wrong.equals(drawn(scores, "ours", "wrong", count=5, seed=1)[0])
    right, _ = drawn(scores, "ours", "right", count=99, seed=1)
    assert ((right["names_top"] == 1) & (right["precision"] == 1)).all()
    with pytest.raises(ValueError, match="right, wrong, repeating"):
        drawn(scores, "ours", "funny", count=1, seed=0)
