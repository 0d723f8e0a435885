"""The report: what is matched, what stands beside each figure, and that chance is told from skill."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mami_core.evaluation.bertscore import BertScoreSpec
from mami_core.evaluation.report import bleu_difference, bleu_interval, evaluate_captions
from mami_core.evaluation.text import bleu, bleu_statistics

PARTS = ("roof", "door", "window", "tree", "sky", "grass", "wheel", "lamp")
REFERENCES = {
    ("conv1", unit): [f"a red {PARTS[unit % 8]} of a house", f"the {PARTS[unit % 8]} above a wall"]
    for unit in range(40)
}
CAPTIONS = {key: texts[0] if key[1] % 3 else "the sky" for key, texts in REFERENCES.items()}


@pytest.fixture(scope="module")
def report() -> dict:
    return evaluate_captions(CAPTIONS, REFERENCES, draws=100)


def test_the_report_is_json_with_what_was_promised(report: dict) -> None:
    back = json.loads(json.dumps(report, allow_nan=False))

    assert back["units"] == 40
    assert back["unmatched"] == 0
    assert back["bleu"]["milan"]["score"] == bleu(list(CAPTIONS.values()), list(REFERENCES.values())).score
    assert 0 < back["bleu"]["milan"]["brevity_penalty"] <= 1
    assert back["floors"]["best_constant"]["bleu_milan"] > 0
    assert back["floors"]["best_constant"]["caption"]
    assert set(back["bleu"]) == {"milan", "sat", "coco"}


def test_intervals_hold_their_figures(report: dict) -> None:
    for entry in report["bleu"].values():
        assert entry["interval"][0] <= entry["score"] <= entry["interval"][1]
    better = report["floors"]["best_constant"]["captions_minus_constant"]
    assert better["interval"][0] <= better["difference"] <= better["interval"][1]
    assert report["floors"]["shuffled"]["bleu_milan"] < report["bleu"]["milan"]["score"]


def test_the_order_of_units_changes_no_figure(report: dict) -> None:
    shuffled = {key: CAPTIONS[key] for key in sorted(CAPTIONS, key=lambda key: key[1] * 7 % 40)}

    other = evaluate_captions(shuffled, REFERENCES, draws=100)

    assert other["bleu"]["milan"]["score"] == report["bleu"]["milan"]["score"]
    assert other["floors"]["best_constant"]["bleu_milan"] == report["floors"]["best_constant"]["bleu_milan"]


def test_units_of_one_side_only_are_counted_and_left_out(report: dict) -> None:
    captions = {**CAPTIONS, ("conv9", 0): "a roof"}
    references = {**REFERENCES, ("conv1", 900): ["a roof"], ("conv1", 901): [" . "]}

    other = evaluate_captions(captions, references, draws=10)

    assert (other["units"], other["unmatched"]) == (40, 2)
    assert (other["unmatched_captions"], other["unmatched_references"]) == (1, 1)
    assert other["bleu"]["milan"]["score"] == report["bleu"]["milan"]["score"]


def test_empty_captions_count_against_the_captioner() -> None:
    captions = {key: "" if key[1] < 20 else text for key, text in CAPTIONS.items()}

    other = evaluate_captions(captions, REFERENCES, draws=10)

    assert other["units"] == 40
    assert other["text"]["empty"] == 20
    assert other["bleu"]["milan"]["brevity_penalty"] < 1


def test_nothing_in_common_is_refused() -> None:
    with pytest.raises(ValueError, match="do layer names and unit numbers agree"):
        evaluate_captions({("a", 0): "x"}, {("b", 0): ["x"]})


def test_what_could_not_be_computed_says_why() -> None:
    one = {key: texts[:1] for key, texts in REFERENCES.items()}
    spec = BertScoreSpec(model="no-such-model/at-all")

    report = evaluate_captions(CAPTIONS, one, bertscore=spec, nearest={}, draws=10)

    assert "not on this machine" in report["bertscore"]["not_computed"]
    assert report["floors"]["annotators"] == {"not_computed": "no unit has two references"}
    assert "nearest neighbour" in report["floors"]["nearest_neighbour"]["not_computed"]


def test_copies_are_compared_on_the_units_they_cover() -> None:
    nearest = {key: REFERENCES[key][0] for key in list(CAPTIONS)[:10]}

    copied = evaluate_captions(CAPTIONS, REFERENCES, nearest=nearest, draws=50)["floors"]["nearest_neighbour"]

    assert copied["units"] == 10
    assert copied["bleu_milan"] == pytest.approx(100)
    assert copied["captions_minus_copies"]["difference"] < 0


def test_the_bootstrap_is_that_of_counting_resampled_units_anew() -> None:
    captions, references = list(CAPTIONS.values()), list(REFERENCES.values())
    rng = np.random.default_rng(5)
    chosen = rng.integers(40, size=(30, 40))
    scores = [bleu([captions[i] for i in row], [references[i] for i in row]).score for row in chosen]

    interval = bleu_interval(bleu_statistics(captions, references), "milan", seed=5, draws=30)

    assert interval == pytest.approx(tuple(np.quantile(scores, [0.025, 0.975])))


def test_a_captioner_does_not_differ_from_itself() -> None:
    rows = bleu_statistics(list(CAPTIONS.values()), list(REFERENCES.values()))

    assert bleu_difference(rows, rows, "milan", seed=0, draws=20) == {"difference": 0.0, "interval": [0.0, 0.0]}
    with pytest.raises(ValueError, match="same units"):
        bleu_difference(rows, rows[:3], "milan", seed=0)


@pytest.mark.data
def test_the_published_captions_lose_to_their_floor(data_dir: Path) -> None:
    import pandas as pd

    folder = data_dir / "descriptions"
    said = pd.read_csv(folder / "milan_places365_on_resnet152_imagenet.csv", keep_default_na=False)
    wrote = pd.read_csv(folder / "milannotations_resnet152_imagenet.csv", keep_default_na=False)
    captions = dict(zip(zip(said["layer"], said["unit"], strict=True), said["description"], strict=True))
    references = wrote.groupby(["layer", "unit"])["summary"].apply(list).to_dict()

    report = evaluate_captions(captions, references, draws=200)

    assert report["units"] == len(captions)
    assert report["floors"]["best_constant"]["captions_minus_constant"]["interval"][1] < 0
    assert report["floors"]["shuffled"]["bleu_milan"] < report["bleu"]["milan"]["interval"][0]
