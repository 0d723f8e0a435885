"""BERTScore with a tiny random BERT: bert-score's own figure, and the faults it has under transformers 5 mended."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mami_core.evaluation.bertscore import BertScore, BertScoreSpec, bert_score
from mami_core.evaluation.text import NotComputed

CAPTIONS = ["red roofs", "the sky above a house"]
REFERENCES = [["red roofs of houses", "roofs"], ["a blue sky"]]
WORDS = ["red", "roofs", "of", "houses", "the", "sky", "above", "a", "house", "blue"]


@pytest.fixture(scope="module")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("models") / "tiny"
    folder.mkdir()
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    (folder / "vocab.txt").write_text("\n".join(vocabulary))
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16}
    BertModel(BertConfig(vocab_size=len(vocabulary), **sizes)).save_pretrained(folder)
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def spec(tiny_bert: Path) -> BertScoreSpec:
    return BertScoreSpec(model=str(tiny_bert), layers=2, idf=False, rescale=False)


def scored(captions: list[str], references: list[list[str]], spec: BertScoreSpec) -> BertScore:
    found = bert_score(captions, references, spec)
    assert isinstance(found, BertScore), found
    return found


@pytest.mark.parametrize("idf", [False, True])
def test_figures_are_those_of_bert_score(spec: BertScoreSpec, idf: bool) -> None:
    import bert_score as package

    scorer = package.BERTScorer(spec.model, num_layers=2, idf=idf, nthreads=0, device="cpu")
    scorer._tokenizer.model_max_length = 512
    if idf:
        scorer.compute_idf([text for given in REFERENCES for text in given])
    expected = [values.numpy() for values in scorer.score(CAPTIONS, REFERENCES)]

    found = scored(CAPTIONS, REFERENCES, replace(spec, idf=idf))

    np.testing.assert_allclose([found.precision, found.recall, found.f1], expected, atol=1e-6)


def test_the_very_words_score_1_and_the_best_reference_counts(spec: BertScoreSpec) -> None:
    found = scored(["roofs", "a blue sky"], [["red roofs of houses", "roofs"], ["a blue sky"]], spec)

    np.testing.assert_allclose(found.f1, 1.0, atol=1e-5)


def test_an_empty_caption_scores_0_and_moves_nobody_else(spec: BertScoreSpec) -> None:
    found = scored(["", *CAPTIONS, "  "], [["a"], *REFERENCES, ["sky"]], spec)

    alone = scored(CAPTIONS, REFERENCES, spec)
    assert found.f1[[0, 3]].tolist() == [0.0, 0.0]
    np.testing.assert_allclose(found.f1[1:3], alone.f1, atol=1e-5)


def test_only_empty_captions_score_0(spec: BertScoreSpec) -> None:
    assert scored(["", ""], [["a"], ["sky"]], spec).f1.tolist() == [0.0, 0.0]


def test_an_empty_reference_beside_others_is_passed_over(spec: BertScoreSpec) -> None:
    found = scored(CAPTIONS, [[*REFERENCES[0], ""], REFERENCES[1]], spec)

    np.testing.assert_allclose(found.f1, scored(CAPTIONS, REFERENCES, spec).f1, atol=1e-6)


def test_a_very_long_caption_is_cut_not_overflown(spec: BertScoreSpec) -> None:
    assert np.isfinite(scored(["sky " * 2000], [["a blue sky"]], spec).f1).all()


def test_a_label_names_backbone_layers_and_that_it_is_not_comparable(spec: BertScoreSpec) -> None:
    label = scored(CAPTIONS, REFERENCES, spec).label

    assert label.startswith("BERTScore[tiny L2 no idf raw | tf 5.")
    assert "NOT comparable" in label
    assert BertScoreSpec().is_milan


def test_the_space_before_the_first_word_is_ours_to_choose(tmp_path: Path) -> None:
    from tokenizers import ByteLevelBPETokenizer
    from transformers import RobertaConfig, RobertaModel, RobertaTokenizerFast

    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    trained = ByteLevelBPETokenizer()
    trained.train_from_iterator([" ".join(WORDS)] * 20, vocab_size=400, special_tokens=special)
    trained.save_model(str(tmp_path))
    RobertaTokenizerFast(str(tmp_path / "vocab.json"), str(tmp_path / "merges.txt")).save_pretrained(tmp_path)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = RobertaConfig(vocab_size=400, max_position_embeddings=514, pad_token_id=1, **sizes)
    RobertaModel(config).save_pretrained(tmp_path)
    spec = BertScoreSpec(model=str(tmp_path), layers=1, idf=False, rescale=False)

    # "sky" begins the caption and stands inside the reference: with the space it is one and the same token
    without = scored(["sky"], [["blue sky"]], spec)
    with_space = scored(["sky"], [["blue sky"]], replace(spec, prefix_space=True))

    assert without.f1[0] != pytest.approx(with_space.f1[0], abs=1e-4)
    assert "prefix-space" in with_space.label


def test_absent_weights_give_a_reason_and_no_number() -> None:
    found = bert_score(["a"], [["a"]], BertScoreSpec(model="no-such-owner/no-such-model"))

    assert isinstance(found, NotComputed)
    assert "--bertscore-backbone" in found.reason


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"layers": 9}, "has 2 layers; layer 9"), ({"rescale": True}, "no baseline for tiny")],
)
def test_what_the_backbone_cannot_do_is_said(spec: BertScoreSpec, changes: dict, says: str) -> None:
    found = bert_score(CAPTIONS, REFERENCES, replace(spec, **changes))

    assert isinstance(found, NotComputed)
    assert says in found.reason


def test_weights_of_0_everywhere_are_not_a_figure(spec: BertScoreSpec) -> None:
    found = bert_score(["sky"], [["sky"]], replace(spec, idf=True))

    assert isinstance(found, NotComputed)
    assert "idf weights are all 0" in found.reason


def test_a_folder_without_weights_is_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))

    found = bert_score(["a"], [["a"]], BertScoreSpec(model=str(tmp_path), idf=False, rescale=False, layers=1))

    assert isinstance(found, NotComputed)
    assert "has no model.safetensors" in found.reason


def test_a_unit_without_references_is_refused(spec: BertScoreSpec) -> None:
    with pytest.raises(ValueError, match="unit number 1 has no reference"):
        bert_score(["a", "b"], [["a"], [" "]], spec)
