"""The matcher: it learns which caption belongs to which unit, and reads nothing behind the stop."""

from __future__ import annotations

import pytest
import torch
from training_world import SAYINGS

from mami_core.captioning.match import Matcher, MatcherConfig, load_matcher, save_matcher, share_matcher
from mami_core.captioning.search import Decoded
from mami_core.captioning.vocabulary import Vocabulary
from mami_core.training.loop import LoopSettings
from mami_core.training.match import MatchRecipe, train_matcher

QUICK = MatchRecipe(
    width=16, batch_size=24, regions=4, steps_an_epoch=20, loop=LoopSettings(epochs=4, learning_rate=1e-2)
)


@pytest.fixture(scope="module")
def matcher(train_units, val_units, vocabulary) -> Matcher:
    return train_matcher(train_units, val_units, vocabulary, length=5, recipe=QUICK)[0]


def candidates_of(vocabulary, units) -> Decoded:
    tokens = vocabulary.batch([texts[0] for texts in SAYINGS])
    tokens = torch.where(tokens == vocabulary.pad, vocabulary.stop, tokens)
    return Decoded(tokens.expand(units, -1, -1).contiguous(), torch.zeros(units, len(SAYINGS)))


def test_the_caption_of_a_units_concept_matches_best(matcher, val_units, vocabulary):
    regions = val_units.regions(range(len(val_units)))
    scores = matcher.scores(regions.features, regions.weight, candidates_of(vocabulary, len(val_units)))
    expected = [SAYINGS.index(texts) for texts in val_units.texts]
    right = (scores.argmax(1) == torch.tensor(expected)).float().mean()

    assert float(right) >= 0.9  # chance is 0.25
    assert float(scores.abs().max()) <= 1 + 1e-5


def test_what_stands_behind_the_stop_changes_nothing(matcher, vocabulary):
    short = vocabulary.batch(["red roofs"])
    long = torch.cat([short, torch.tensor([[0, vocabulary.pad, 1]])], 1)
    assert torch.allclose(matcher.caption(short), matcher.caption(long), atol=1e-6)


def test_regions_of_weight_zero_change_nothing(matcher, val_units):
    regions = val_units.regions([0])
    more = torch.cat([regions.features, torch.full_like(regions.features[:, :2], 9.0)], 1)
    weight = torch.cat([regions.weight, torch.zeros(1, 2)], 1)
    with torch.no_grad():
        assert torch.allclose(matcher.unit(regions.features, regions.weight), matcher.unit(more, weight), atol=1e-6)


def test_a_matcher_reads_back(matcher, vocabulary, tmp_path):
    save_matcher(tmp_path, matcher, half=False)
    again = load_matcher(tmp_path, vocabulary)
    tokens = vocabulary.batch(["red roofs", "grass"])
    assert torch.equal(again.caption(tokens), matcher.caption(tokens))
    assert not again.training


def test_captioners_of_one_matcher_keep_it_once_and_read_it_as_before(matcher, vocabulary, tmp_path):
    captioners = [tmp_path / "milan", tmp_path / "mami"]
    for folder in captioners:
        folder.mkdir()
        save_matcher(folder, matcher)
    tokens = vocabulary.batch(["red roofs", "grass"])
    before = load_matcher(captioners[0], vocabulary).caption(tokens)

    for _ in range(2):
        share_matcher(captioners, tmp_path / "match")

    assert [path.parent.name for path in tmp_path.rglob("*.safetensors")] == ["match"]
    for folder in captioners:
        assert torch.equal(load_matcher(folder, vocabulary).caption(tokens), before)


def test_a_captioner_with_another_matcher_keeps_its_own(matcher, vocabulary, tmp_path):
    for name, half in (("milan", True), ("mami", False)):
        (tmp_path / name).mkdir()
        save_matcher(tmp_path / name, matcher, half=half)
    share_matcher([tmp_path / "milan", tmp_path / "mami"], tmp_path / "match")

    assert sorted(path.parent.name for path in tmp_path.rglob("*.safetensors")) == ["mami", "match"]
    assert torch.equal(load_matcher(tmp_path / "mami", vocabulary).embedding.weight, matcher.embedding.weight)


def test_a_shared_matcher_that_changed_or_went_is_refused(matcher, vocabulary, tmp_path):
    folder, shared = tmp_path / "milan", tmp_path / "match"
    folder.mkdir()
    save_matcher(folder, matcher)
    share_matcher([folder], shared)
    save_matcher(shared, matcher, half=False)
    with pytest.raises(ValueError, match="is not the matcher that"):
        load_matcher(folder, vocabulary)
    (shared / "match.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match="no model 'match'"):
        load_matcher(folder, vocabulary)


def test_a_folder_without_matcher_gives_none(tmp_path, vocabulary):
    assert load_matcher(tmp_path, vocabulary) is None


def test_a_matcher_of_another_vocabulary_is_refused(matcher, tmp_path):
    save_matcher(tmp_path, matcher)
    with pytest.raises(ValueError, match=r"knows \d+ ids, the captioner 5"):
        load_matcher(tmp_path, Vocabulary(("one",)))


def test_settings_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="do not fit"):
        MatcherConfig.from_json({"feature_size": 3})


def test_a_silent_caption_has_a_vector_too(matcher, vocabulary):
    assert torch.isfinite(matcher.caption(vocabulary.batch([""]))).all()
