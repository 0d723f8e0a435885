"""Everything the MILAN reference wrote down about its decoders comes out of ours, from its own checkpoints.

Source: tests/golden/README.md (the unmodified reference at 19c4d58). Sizes come from the folder, so that other sets of
the same layout pass too.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from mami_core.captioning.beam import beam_search
from mami_core.captioning.forcing import force
from mami_core.captioning.rerank import Discounted, pmi_rerank, score_texts
from mami_core.captioning.search import greedy
from mami_core.captioning.tokens import as_sentence, tokenize
from mami_core.captioning.vocabulary import SPECIALS, Vocabulary
from mami_core.interop.milan_checkpoint import read_milan_checkpoint, read_milan_language_model

LOG_P, ATTENTION = 2e-5, 1e-6


class Golden:
    """One kind of golden decoder: what we load, and what the reference said."""

    def __init__(self, folder: Path) -> None:
        checkpoint = read_milan_checkpoint(folder / "decoder.pth").checkpoint
        assert checkpoint.language_model is not None
        self.decoder, self.words, self.lm = checkpoint.decoder, checkpoint.vocabulary, checkpoint.language_model
        self.folder = folder
        self.said = json.loads((folder / "expected.json").read_text())
        with np.load(folder / "expected.npz") as stored:
            self.arrays = {name: torch.from_numpy(stored[name]) for name in stored.files}
        self.settings = self.said["settings"]
        self.memory = self.decoder.prepare(self.arrays["features"])

    def speaker(self, mixed: str):
        return Discounted(self.decoder, self.lm, self.settings["temp"]) if mixed else self.decoder

    def close(self, ours: torch.Tensor, name: str, tolerance: float = LOG_P) -> None:
        torch.testing.assert_close(ours, self.arrays[name], atol=tolerance, rtol=0)


@pytest.fixture(scope="module", params=["random", "toy", "alexnetfmt"])
def golden(request, golden_dir):
    folder = golden_dir / "decoder" / request.param
    if not (folder / "expected.json").is_file():
        pytest.skip(f"this golden set has no decoder/{request.param}")
    with torch.no_grad():
        yield Golden(folder)


def test_words_and_ids_are_the_reference_vocabulary(golden):
    assert list(golden.words.words) == golden.said["vocab"]
    special = golden.said["special"]
    assert {name: getattr(golden.words, name) for name in special} == special


def test_the_language_model_saved_by_itself_is_the_one_inside(golden):
    alone, words = read_milan_language_model(golden.folder / "lm.pth")
    assert words == golden.words
    inside = golden.lm.state_dict()
    assert all(torch.equal(value, inside[name]) for name, value in alone.state_dict().items())


def test_first_step(golden):
    state = golden.decoder.init_state(golden.memory)
    golden.close(state.hidden, "init_h", 1e-6)
    golden.close(state.cell, "init_c", 1e-6)
    start = torch.full((golden.memory.units,), golden.words.start)

    step = golden.decoder.step(start, state, golden.memory)

    golden.close(step.log_probs, "step1_logp")
    golden.close(step.heads["bahdanau"].weights, "step1_att", ATTENTION)
    golden.close(step.state.hidden, "step1_h")
    golden.close(step.state.cell, "step1_c")


def test_teacher_forcing(golden):
    tokens = golden.arrays["tf_tokens"]

    forced = force(golden.decoder, golden.memory, tokens, start=golden.words.start)

    golden.close(forced.log_probs, "tf_logp")
    golden.close(forced.weights["bahdanau"], "tf_att", ATTENTION)
    golden.close(forced.token_log_probs(tokens).sum(1), "tf_scores", LOG_P * tokens.shape[1])


def test_scores_of_given_captions(golden):
    tokens = golden.words.batch(golden.said["tf_texts"])
    assert torch.equal(tokens, golden.arrays["tf_tokens"])
    forced = force(golden.decoder, golden.memory, tokens, start=golden.words.start)
    log_p, slack = forced.caption_log_probs(tokens, stop=golden.words.stop), LOG_P * tokens.shape[1]

    golden.close(log_p, "score_nomi", slack)
    golden.close(log_p - golden.settings["temp"] * golden.lm.log_probability(tokens), "score_mi", slack)
    golden.close(golden.lm.log_probability(tokens, parity=True), "lm_logp_texts", slack)


def test_teacher_forcing_with_token_pmi(golden):
    tokens, weight = golden.arrays["tf_tokens"], golden.settings["temp"]
    forced = force(golden.decoder, golden.memory, tokens, start=golden.words.start)
    heard = golden.lm(golden.arrays["lm_inputs"][:, :-1])

    mixed = forced.log_probs - weight * heard

    golden.close(mixed, "tf_mi_pred")
    golden.close(mixed.gather(-1, tokens.unsqueeze(-1)).squeeze(-1).sum(1), "tf_mi_scores", LOG_P * tokens.shape[1])


def test_language_model(golden):
    inputs = golden.arrays["lm_inputs"]
    golden.close(golden.lm(inputs), "lm_logp")
    golden.close(golden.lm.log_probability(inputs[:, 1:], parity=True), "lm_seq_logp", LOG_P * inputs.shape[1])
    golden.close(score_texts(golden.lm, inputs[:, 1:], parity=True), "lm_seq_logp", LOG_P * inputs.shape[1])


@pytest.mark.parametrize("mixed", ["", "_mi"], ids=["likelihood", "token-pmi"])
def test_greedy(golden, mixed):
    found = greedy(golden.speaker(mixed), golden.memory, golden.words, length=golden.settings["length"], parity=True)

    assert torch.equal(found.tokens[:, 0], golden.arrays[f"greedy{mixed}_tokens"])
    golden.close(found.scores[:, 0], f"greedy{mixed}_scores", LOG_P * found.tokens.shape[-1])
    said = [as_sentence(golden.words.decode(row)) for row in found.tokens[:, 0]]
    assert said == golden.said[f"greedy{mixed}_captions"]


@pytest.mark.parametrize("mixed", ["", "_mi"], ids=["likelihood", "token-pmi"])
def test_greedy_attention_and_distributions(golden, mixed):
    tokens = golden.arrays[f"greedy{mixed}_tokens"]
    forced = force(golden.decoder, golden.memory, tokens, start=golden.words.start)
    golden.close(forced.weights["bahdanau"], f"greedy{mixed}_att", ATTENTION)
    if not mixed:
        golden.close(forced.log_probs, "greedy_pred")


@pytest.mark.parametrize("mixed", ["", "_mi"], ids=["likelihood", "token-pmi"])
def test_beams(golden, mixed):
    for width in golden.settings["beams"]:
        found = beam_search(
            golden.speaker(mixed),
            golden.memory,
            golden.words,
            length=golden.settings["length"],
            width=width,
            parity=True,
        )
        name = f"beam{width}{mixed}"
        assert torch.equal(found.tokens, golden.arrays[f"{name}_tokens"])
        golden.close(found.scores, f"{name}_scores", LOG_P * found.tokens.shape[-1])
        captions = [[as_sentence(golden.words.decode(row)) for row in unit] for unit in found.tokens]
        assert captions == golden.said["beam"][name]["beam_captions"]


def test_pmi_rerank(golden):
    for width in golden.settings["beams"]:
        found = beam_search(
            golden.decoder, golden.memory, golden.words, length=golden.settings["length"], width=width, parity=True
        )
        ranked = pmi_rerank(found, golden.lm, weight=golden.settings["temp"], parity=True)

        name, slack = f"rerank{width}", LOG_P * found.tokens.shape[-1]
        assert torch.equal(found.tokens, golden.arrays[f"{name}_beam_tokens"])
        heard = score_texts(golden.lm, found.tokens.flatten(0, 1), parity=True).view_as(found.scores)
        golden.close(heard, f"{name}_lm_scores", slack)
        assert torch.equal(ranked.tokens[:, 0], golden.arrays[f"{name}_tokens"])
        golden.close(ranked.scores[:, 0], f"{name}_scores", slack)
        pmi = golden.arrays[f"{name}_pmi_scores"].sort(dim=1, descending=True).values
        torch.testing.assert_close(ranked.scores, pmi, atol=slack, rtol=0)


def test_tokeniser(golden):
    for text, tokens in golden.said["tokenize_examples"].items():
        assert tokenize(text) == tokens


def test_indexer(golden):
    words = golden.words
    for text, ids in golden.said["index_examples"].items():
        assert [words.start, *words.encode(text)] == ids
    for text, ids in golden.said["index_examples_length6"].items():
        padded = [words.start, *words.encode(text, length=6)]
        assert padded + [words.pad] * (len(ids) - len(padded)) == ids
    for text, ids in golden.said["index_examples_nospecial"].items():
        assert [token for token in words.encode(text) if token < len(words.words)] == ids


def test_reconstruction(golden):
    ids = {word: number for number, word in enumerate((*golden.words.words, *SPECIALS))}
    for example in golden.said["reconstruct_examples"]:
        tokens = example["tokens"]
        known = Vocabulary(tuple(dict.fromkeys(t for t in (*ids, *tokens) if t not in SPECIALS)))
        numbers = {word: number for number, word in enumerate((*known.words, *SPECIALS))}
        assert as_sentence(known.decode([numbers[token] for token in tokens])) == example["text"]
