"""The decoding is chosen by what it reaches on validation units."""

from __future__ import annotations

import dataclasses

import pytest

from mami_core.captioning.decoding import Decoding
from mami_core.training.captioner import CaptionerRecipe, corpus_bleu, train_captioner
from mami_core.training.language_model import LanguageRecipe, train_language_model
from mami_core.training.loop import LoopSettings
from mami_core.training.selection import SETTINGS, decoded_captions, report_lines, select_decoding

RECIPE = CaptionerRecipe(
    hidden_size=16, embedding_size=8, attention_size=8, feature_dropout=0.0, regions=0, batch_size=8,
    loop=LoopSettings(epochs=8, learning_rate=2e-2),
)  # fmt: skip
QUICK = {name: dataclasses.replace(decoding, beam_size=3, samples=6) for name, decoding in SETTINGS.items()}


@pytest.fixture(scope="module")
def decoder(train_units, val_units, vocabulary):
    return train_captioner("milan", train_units, val_units, vocabulary, length=5, recipe=RECIPE)[0]


@pytest.fixture(scope="module")
def language_model(train_units, val_units, vocabulary):
    recipe = LanguageRecipe(16, 8, loop=LoopSettings(epochs=3, learning_rate=2e-2))
    return train_language_model(train_units, val_units, vocabulary, length=5, recipe=recipe)[0]


def test_the_chosen_setting_has_the_highest_bleu_and_every_setting_is_reported(
    decoder, language_model, val_units, vocabulary
):
    chosen = select_decoding(decoder, language_model, vocabulary, val_units, settings=QUICK)

    assert set(chosen.figures) == set(SETTINGS)
    assert chosen.decoding == QUICK[chosen.name]
    assert chosen.figures[chosen.name]["bleu"] == max(entry["bleu"] for entry in chosen.figures.values())
    captions = decoded_captions(decoder, vocabulary, val_units, chosen.decoding, language_model=language_model)
    assert chosen.figures[chosen.name]["bleu"] == pytest.approx(corpus_bleu(captions, val_units.texts), abs=0.01)
    assert sum(line.startswith("*") for line in report_lines(chosen)) == 1


def test_without_a_language_model_pmi_is_left_out(decoder, val_units, vocabulary):
    chosen = select_decoding(decoder, None, vocabulary, val_units, settings=QUICK)
    assert set(chosen.figures) == {name for name in SETTINGS if not name.startswith("pmi")}


@pytest.mark.parametrize("strategy", ["greedy", "beam", "consensus"])
def test_a_caption_does_not_depend_on_its_batch_mates(strategy, decoder, val_units, vocabulary):
    decoding = Decoding(strategy, beam_size=3, samples=6)
    one = decoded_captions(decoder, vocabulary, val_units, decoding, batch_size=1)
    assert decoded_captions(decoder, vocabulary, val_units, decoding, batch_size=16) == one
