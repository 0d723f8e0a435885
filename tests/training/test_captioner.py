"""Training a captioner on units whose concept is plain to see: it must learn to say it, and always the same."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from training_world import concept_units

from mami_core.captioning.vocabulary import Vocabulary
from mami_core.training.batches import CaptionBatches, reference_texts
from mami_core.training.captioner import (
    CaptionerRecipe,
    PaddedRecipe,
    corpus_bleu,
    coverage_penalty,
    greedy_captions,
    mean_nll,
    train_captioner,
)
from mami_core.training.language_model import LanguageRecipe, token_batches, train_language_model
from mami_core.training.loop import LoopSettings

QUICK = CaptionerRecipe(
    hidden_size=16, embedding_size=8, attention_size=8, dropout=0.1, feature_dropout=0.0, regions=0, batch_size=8,
    loop=LoopSettings(epochs=20, patience=20, learning_rate=2e-2),
)  # fmt: skip


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("name", ["milan", "mami", "sat-hard", "merge"])
def test_a_captioner_learns_to_say_what_units_show(name, train_units, val_units, vocabulary):
    decoder, history = train_captioner(name, train_units, val_units, vocabulary, length=5, recipe=QUICK)
    captions = greedy_captions(decoder, val_units, vocabulary, length=5)

    right = sum(caption in texts for caption, texts in zip(captions, val_units.texts, strict=True))
    assert right >= 14  # of 16; chance is 4
    assert history.epochs[-1]["val_nll"] < history.epochs[0]["val_nll"]


VARIANTS = (
    {"batches": "unit"},
    {"batches": "length"},
    {"penalty": 0.5, "label_smoothing": 0.1, "regions": 3, "feature_dropout": 0.1},
)


@pytest.mark.parametrize("change", VARIANTS, ids=str)
def test_variants_of_the_recipe_learn_too(change, train_units, val_units, vocabulary):
    recipe = dataclasses.replace(QUICK, **change)
    _, history = train_captioner("milan", train_units, val_units, vocabulary, length=5, recipe=recipe)
    assert history.best_score > -0.8  # nats a token; saying words by their frequency gives about 2


def test_a_run_that_is_taken_up_again_gives_the_same_captioner(tmp_path, train_units, val_units, vocabulary):
    def train(folder, stop_after=None):
        def progress(done, _all, _figures):
            if done == stop_after:
                raise KeyboardInterrupt

        return train_captioner(
            "mami", train_units, val_units, vocabulary, length=5, recipe=QUICK, folder=folder, progress=progress
        )

    whole, _ = train(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "cut", stop_after=4)
    resumed, history = train(tmp_path / "cut")

    assert len(history.epochs) == 20
    assert all(
        torch.equal(a, b) for a, b in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True)
    )


def test_validation_does_not_depend_on_how_units_are_batched(train_units, val_units, vocabulary):
    decoder, _ = train_captioner(
        "milan",
        train_units,
        val_units,
        vocabulary,
        length=5,
        recipe=dataclasses.replace(QUICK, loop=LoopSettings(epochs=1)),
    )
    batches = CaptionBatches(val_units, vocabulary, length=5)
    one = mean_nll(decoder, val_units, batches, vocabulary, batch_size=1)
    assert mean_nll(decoder, val_units, batches, vocabulary, batch_size=16) == pytest.approx(one, rel=1e-5)


def test_the_penalty_is_nothing_when_each_region_gets_its_share():
    share = torch.tensor([[0.5, 0.3, 0.2]])
    tokens = torch.tensor([[4, 4, 9, 10]])  # two words, stop 9, pad 10
    weights = share.unsqueeze(1).expand(1, 4, 3)

    assert float(coverage_penalty(weights, tokens, share, stop=9)) == pytest.approx(0, abs=1e-10)
    elsewhere = torch.tensor([[1.0, 0.0, 0.0]]).unsqueeze(1).expand(1, 4, 3)
    assert float(coverage_penalty(elsewhere, tokens, share, stop=9)) == pytest.approx(1.5**2 + 0.9**2 + 0.6**2)


@pytest.mark.parametrize("over_padding", [False, True])
def test_the_penalty_is_a_slow_loops(over_padding):
    tokens = torch.tensor([[4, 5, 9, 10, 10], [4, 5, 6, 4, 9]])  # 3 and 5 steps; stop 9, pad 10
    share = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]])
    weights = torch.rand(2, 5, 3, generator=torch.Generator().manual_seed(0))

    total = 0.0
    for caption, said in enumerate((3, 5)):
        for region in range(3):
            received = sum(float(weights[caption, step, region]) for step in range(5 if over_padding else said))
            total += (said * float(share[caption, region]) - received) ** 2

    found = coverage_penalty(weights, tokens, share, stop=9, over_padding=over_padding)
    assert float(found) == pytest.approx(total / 2, rel=1e-5)


def test_a_penalty_over_padding_trains_otherwise_and_leaves_other_recipes_their_names(
    train_units, val_units, vocabulary
):
    quick = dataclasses.replace(QUICK, penalty=1.0, batches="unit", loop=LoopSettings(epochs=2, patience=2))
    recipes = quick, PaddedRecipe(**vars(quick))

    runs = [
        train_captioner("milan", train_units, val_units, vocabulary, length=5, recipe=recipe)[1] for recipe in recipes
    ]

    assert runs[0].epochs[-1]["val_nll"] != runs[1].epochs[-1]["val_nll"]
    assert repr(recipes[1]).removeprefix("Padded") == repr(quick).removeprefix("Captioner")


def test_bleu_takes_uneven_references_and_is_100_for_a_copy():
    references = (("the red roof of a house", "red"), ("green grass in a park",))
    assert corpus_bleu(["the red roof of a house", "green grass in a park"], references) == pytest.approx(100)
    assert corpus_bleu(["blue", "sea"], references) < 1


def test_a_language_model_prefers_what_is_often_said(train_units, val_units, vocabulary):
    recipe = LanguageRecipe(16, 8, batch_size=16, loop=LoopSettings(epochs=15, learning_rate=2e-2))
    model, _ = train_language_model(train_units, val_units, vocabulary, length=5, recipe=recipe)
    with torch.no_grad():
        likely, odd = model.log_probability(vocabulary.batch(["green grass", "grass green"])).tolist()
    assert likely > odd + 1
    assert not model.training


def test_token_batches_hold_every_text_once():
    units = concept_units(20, seed=4)
    texts = reference_texts(units)
    vocabulary = Vocabulary.from_texts(texts)
    batches = token_batches(texts, vocabulary, 7, 9, torch.Generator().manual_seed(0))
    found = [" ".join(vocabulary.decode(row)) for batch in batches for row in batch]
    assert sorted(found) == sorted(texts)
