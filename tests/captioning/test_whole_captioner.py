"""A captioner from its folder to records, with what its heads did."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from lively import FEATURES, coverage, draw

from mami_core.captioning.bench import BenchSizes, _models, bench_captioning, device_speeds
from mami_core.captioning.captioner import Captioner
from mami_core.captioning.checkpoint import Checkpoint, save_checkpoint
from mami_core.captioning.decoding import STRATEGIES, Decoding
from mami_core.captioning.forcing import force
from mami_core.captioning.match import Matcher, MatcherConfig, save_matcher
from mami_core.captioning.names import CAPTIONERS
from mami_core.captioning.search import Decoded, greedy
from mami_core.captioning.vocabulary import Vocabulary

GRID, UNITS = (2, 2, 3), 6


@pytest.fixture
def features():
    return draw(UNITS, 12, FEATURES, seed=3, dtype=torch.float32)


@pytest.fixture
def weight():
    covered = coverage(UNITS, 12, seed=4, dtype=torch.float32)
    covered[1] = 0
    return covered


@pytest.fixture
def make_captioner(make_decoder, vocabulary, language_model):
    def make(name="mami", *, listens=True, **decoding) -> Captioner:
        model = language_model.float() if listens else None
        decoder = make_decoder(name, dtype=torch.float32)
        return Captioner(f"{name}@test", Checkpoint(decoder, vocabulary, model), Decoding(**decoding))

    return make


@pytest.mark.parametrize("name", CAPTIONERS)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_captioner_captions_by_every_strategy(make_captioner, features, weight, name, strategy):
    captioner = make_captioner(name, strategy=strategy, samples=4, beam_size=3, length=5)
    for caption in captioner.caption(features[:2], weight[:2], grid=GRID):
        assert caption.state == "ok"
        assert caption.captioner == f"{name}@test"
        assert set(caption.words) <= set(captioner.checkpoint.vocabulary.words)
        assert math.isfinite(caption.pmi)
        assert caption.alternatives[0][0] == caption.text
        for head in caption.heads:
            assert head.weights.sum(1) == pytest.approx(np.ones(len(caption.words)), abs=1e-5)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_record_is_the_same_alone_and_in_company(make_captioner, features, weight, strategy):
    captioner = make_captioner(strategy=strategy, samples=4, beam_size=3, length=5)
    together = captioner.caption(features, weight, batch_size=UNITS)
    for unit in range(UNITS):
        (alone,) = captioner.caption(features[[unit]], weight[[unit]])
        assert alone.words == together[unit].words
        assert alone.log_p_given_exemplars == pytest.approx(together[unit].log_p_given_exemplars, abs=1e-4)


@torch.no_grad()
def test_a_record_holds_log_p_of_its_own_words(make_captioner, features, weight):
    captioner = make_captioner(strategy="pmi", beam_size=4, length=5)
    checkpoint = captioner.checkpoint
    for unit, caption in enumerate(captioner.caption(features, weight)):
        tokens = checkpoint.vocabulary.batch([caption.words])
        if len(caption.words) == 6:  # cut off: no stop was said
            tokens = tokens[:, :6]
        memory = checkpoint.decoder.prepare(features[[unit]], weight[[unit]])
        forced = force(checkpoint.decoder, memory, tokens, start=checkpoint.vocabulary.start)
        seen = forced.caption_log_probs(tokens, stop=checkpoint.vocabulary.stop).item()
        assert caption.log_p_given_exemplars == pytest.approx(seen, abs=1e-4)
        assert caption.log_p == pytest.approx(checkpoint.language_model.log_probability(tokens).item(), abs=1e-4)


def test_heads_are_reported_over_all_regions_with_shares_and_overlap(make_captioner, features, weight):
    captioner = make_captioner(strategy="greedy", length=5)
    for unit, caption in enumerate(captioner.caption(features, weight, grid=GRID)):
        assert [head.head for head in caption.heads] == ["bahdanau", "luong", "self"]
        shares = np.array([head.share for head in caption.heads])
        assert shares.sum(0) == pytest.approx(np.ones(len(caption.words)), abs=1e-5)
        for head in caption.heads:
            assert head.weights.shape == (len(caption.words), 12)
            expected = head.weights @ weight[unit].numpy()
            assert head.mask_overlap == pytest.approx(expected, abs=1e-5)
            if unit != 1:  # unit 1 has an empty mask: it is looked at everywhere
                assert (head.weights[:, (weight[unit] == 0).numpy()] == 0).all()


def test_head_only_and_leave_one_out_captions(make_captioner, make_decoder, features, weight):
    captioner = make_captioner(strategy="greedy", length=5)
    captions = captioner.caption(features, weight, grid=GRID)
    for name in ("bahdanau", "luong", "self"):
        single = make_captioner("milan", strategy="greedy", length=5, listens=False)
        single = Captioner(name, Checkpoint(make_decoder("milan", heads=(name,), dtype=torch.float32),
                           captioner.checkpoint.vocabulary), Decoding(strategy="greedy", length=5))  # fmt: skip
        mami = captioner.checkpoint.decoder.state_dict()
        single.checkpoint.decoder.load_state_dict({k: mami[k] for k in single.checkpoint.decoder.state_dict()})
        alone = single.caption(features, weight)
        for caption, expected in zip(captions, alone, strict=True):
            (head,) = [head for head in caption.heads if head.head == name]
            assert head.caption == expected.words
    told = captioner.explain(features, captions, weight)
    decoder, words = captioner.checkpoint.decoder, captioner.checkpoint.vocabulary
    for name, others in (
        ("bahdanau", ("luong", "self")),
        ("luong", ("bahdanau", "self")),
        ("self", ("bahdanau", "luong")),
    ):
        found = greedy(decoder, decoder.prepare(features, weight, only=others), words, length=6)
        assert [one.without[name] for one in told] == [words.decode(row) for row in found.tokens[:, 0]]
    for one, caption in zip(told, captions, strict=True):
        assert caption.gate == pytest.approx(one.gate)
        assert len(caption.gate) == len(caption.words)
        for head in caption.heads:
            assert head.without == one.without[head.head]
            assert head.entropy == pytest.approx(one.heads[head.head].entropy)
            assert head.norm == pytest.approx(one.heads[head.head].norm)


def test_entropy_is_that_of_the_weights(make_captioner, features):
    captioner = make_captioner("milan", strategy="greedy", length=4)
    captions = captioner.caption(features)
    for told in captioner.explain(features, captions):
        head = told.heads["bahdanau"]
        expected = [-sum(w * math.log(w) for w in row if w > 0) for row in head.weights.tolist()]
        assert head.entropy.tolist() == pytest.approx(expected, abs=1e-5)
        assert np.isnan(head.mask_overlap).all()  # no mask was given


def test_added_energies_are_one_joint_head_and_still_ablated(make_captioner, features, weight):
    captioner = make_captioner("mami-energy", strategy="greedy", length=4)
    captions = captioner.caption(features, weight, grid=GRID)
    assert [head.head for head in captions[0].heads] == ["joint"]
    told = captioner.explain(features, captions, weight)[0]
    assert set(told.alone) == set(told.without) == {"bahdanau", "luong", "self"}


def test_a_unit_without_finite_features_fails_alone(make_captioner, features, weight):
    captioner = make_captioner(strategy="greedy")
    expected = captioner.caption(features, weight)
    features[2, 3, 0], weight[4, 0] = torch.nan, -1.0

    captions = captioner.caption(features, weight)

    assert [caption.state for caption in captions] == ["ok", "ok", "failed", "ok", "failed", "ok"]
    assert captions[2].text == ""
    assert math.isnan(captions[2].log_p_given_exemplars)
    assert [captions[unit].words for unit in (0, 1, 3, 5)] == [expected[unit].words for unit in (0, 1, 3, 5)]


def test_a_folder_becomes_a_captioner_with_its_own_settings(make_captioner, features, weight, tmp_path):
    captioner = make_captioner(strategy="beam", beam_size=3, length=5)
    checkpoint = captioner.checkpoint
    stored = Checkpoint(
        checkpoint.decoder, checkpoint.vocabulary, checkpoint.language_model, settings=captioner.decoding.to_json(),
        provenance={"simulated": True},
    )  # fmt: skip
    save_checkpoint(tmp_path / "mami@scenery", stored)

    loaded = Captioner.load(tmp_path / "mami@scenery")

    assert loaded.name == "mami@scenery"
    assert loaded.decoding == captioner.decoding
    assert loaded.simulated
    assert [c.words for c in loaded.caption(features, weight)] == [c.words for c in captioner.caption(features, weight)]
    assert Captioner.load(tmp_path / "mami@scenery", decoding=Decoding(strategy="greedy")).decoding.strategy == "greedy"
    assert json.loads(json.dumps(dict(loaded.provenance)))["decoding"]["strategy"] == "beam"


def test_consensus_hears_the_matcher_where_there_is_one(make_captioner, features, weight, tmp_path):
    captioner = make_captioner(strategy="consensus", samples=6, beam_size=3, length=5, match_weight=100.0)
    words = captioner.checkpoint.vocabulary
    torch.manual_seed(0)
    matcher = Matcher(MatcherConfig(FEATURES, len(words), width=8), stop=words.stop).eval()
    save_checkpoint(tmp_path, replace(captioner.checkpoint, settings=captioner.decoding.to_json()))
    save_matcher(tmp_path, matcher, half=False)

    matched = Captioner.load(tmp_path)

    for unit, caption in enumerate(matched.caption(features, weight, alternatives=100)):
        texts = [text for text, _ in caption.alternatives]
        tokens = words.batch(texts).unsqueeze(0)
        fit = matcher.scores(features[[unit]], weight[[unit]], Decoded(tokens, torch.zeros(1, len(texts))))[0]
        assert (fit.diff() < 0.02).all()  # so much weight leaves agreement to break near ties only


def test_pmi_without_a_language_model_is_refused(make_captioner, features):
    with pytest.raises(ValueError, match="by pmi needs a language model, and this captioner has none; try beam"):
        make_captioner(listens=False, strategy="pmi").caption(features)


def test_without_a_language_model_log_p_is_not_a_number(make_captioner, features):
    caption = make_captioner(listens=False, strategy="greedy").caption(features)[0]
    assert math.isnan(caption.log_p)
    assert math.isfinite(caption.log_p_given_exemplars)


def test_shapes_that_do_not_fit_are_refused(make_captioner, features):
    captioner = make_captioner(strategy="greedy")
    with pytest.raises(ValueError, match="were they made by its encoder"):
        captioner.caption(draw(2, 12, FEATURES + 1))
    with pytest.raises(ValueError, match="does not hold 12 regions"):
        captioner.caption(features, grid=(1, 2, 3))
    with pytest.raises(ValueError, match="does not fit features"):
        captioner.caption(features, torch.ones(UNITS, 3))


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"strategy": "luck"}, "no decoding strategy 'luck'"), ({"beam_size": 0}, "beam_size"), ({"length": 0}, "length")],
    ids=str,
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Decoding(**settings)


def test_unknown_settings_are_refused():
    with pytest.raises(ValueError, match="unknown decoding settings: luck"):
        Decoding.from_json({"luck": 1})


def test_the_bench_runs_both_ways_to_the_same_captions():
    sizes = BenchSizes(
        feature_size=12, hidden_size=8, embedding_size=6, vocabulary_size=40, length=6, beam_size=5, units=3,
        training_steps=3,
    )  # fmt: skip
    figures = bench_captioning(["red roof", "a blue roof of tiles"], sizes=sizes, repeats=1)
    for part in ("random_weights", "trained"):
        assert figures[part]["same_captions"] == 1.0
        assert figures[part]["neurons_per_cpu_second"] > 0
    assert BenchSizes().gflop_a_unit == pytest.approx(30.3, abs=0.1)


def test_a_devices_speed_is_told_by_batch_size_with_what_bfloat16_changes():
    sizes = BenchSizes(feature_size=12, hidden_size=8, embedding_size=6, vocabulary_size=40, length=6, beam_size=5)
    words = Vocabulary(tuple(f"w{index}" for index in range(36)))
    found = device_speeds(*_models(sizes, words, 0), words, sizes, torch.device("cpu"), batches=(1, 4))
    assert set(found["units_per_second"]) == {"1", "4"}
    assert 0 <= found["same_in_bfloat16"] <= 1
