"""CLIP-Dissect's soft WPMI against its formula written as loops; image-text models of transformers and of ours."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mami_core.captioning.clip_dissect import FIRST, FLOOR, LAST, SHARPNESS, named_unit, soft_wpmi
from mami_core.captioning.image_text import TransformersClip


def test_soft_wpmi_is_the_papers_formula_written_as_loops() -> None:
    rng = np.random.default_rng(5)
    images, units, concepts, k = 9, 4, 3, 5
    similar, peaks = rng.uniform(-1, 1, (images, concepts)), rng.normal(size=(images, units))

    found = soft_wpmi(similar, peaks, strongest=k)

    log_given = [[0.0] * concepts for _ in range(units)]
    for unit in range(units):
        strongest = sorted(range(images), key=lambda image: -peaks[image, unit])[:k]
        for rank, image in enumerate(strongest):
            raised = [math.exp(SHARPNESS * similar[image, concept]) for concept in range(concepts)]
            belongs = FIRST - rank / k * (FIRST - LAST)
            for concept in range(concepts):
                given = raised[concept] / sum(raised)
                log_given[unit][concept] += math.log(1 + belongs * (given - 1) + FLOOR)
    for unit in range(units):
        for concept in range(concepts):
            prior = math.log(sum(math.exp(log_given[other][concept]) for other in range(units)) / units)
            assert found[unit, concept] == pytest.approx(log_given[unit][concept] - prior, rel=1e-9)


def test_units_are_called_by_the_concept_of_their_strongest_images() -> None:
    shows = np.repeat(np.eye(3), 40, axis=0)  # 40 images of each concept
    peaks = shows * np.random.default_rng(0).uniform(1, 2, shows.shape)
    peaks[0, 1] = np.nan  # unreadable: never among the strongest

    scores = soft_wpmi(shows * 0.3, peaks, strongest=30)

    said = [named_unit(row, ["sky", "red car", "tree"]) for row in scores]
    assert [caption.text for caption in said] == ["sky", "red car", "tree"]
    assert said[1].score == scores[1].max()
    assert said[0].alternatives[0] == ("sky", scores[0].max())


def test_images_and_peaks_must_be_of_one_number() -> None:
    with pytest.raises(ValueError, match="3 images were read, but peaks are of 4"):
        soft_wpmi(np.zeros((3, 2)), np.zeros((4, 2)))


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny CLIP in transformers' own layout, with random weights and a tokenizer of single letters."""
    transformers = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("clip")
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    letters = {letter: number for number, letter in enumerate("abcdefghijklmnopqrstuvwxyz")}
    words = {**letters, **{f"{letter}</w>": 26 + number for letter, number in letters.items()}}
    words |= {"<|startoftext|>": 52, "<|endoftext|>": 53}
    (folder / "vocab.json").write_text(json.dumps(words))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    special = {"bos_token_id": 52, "eos_token_id": 53, "pad_token_id": 53}
    config = transformers.CLIPConfig(
        text_config={**sizes, **special, "vocab_size": 54, "max_position_embeddings": 16},
        vision_config={**sizes, "image_size": 32, "patch_size": 16},
        projection_dim=8,
    )
    transformers.CLIPModel(config).save_pretrained(folder)
    transformers.CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt")).save_pretrained(folder)
    side = {"height": 32, "width": 32}
    transformers.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=side).save_pretrained(folder)
    return folder


def test_any_clip_of_transformers_is_read_from_its_folder(clip_folder: Path) -> None:
    model = TransformersClip(clip_folder)
    rng = np.random.default_rng(1)
    images = [Image.fromarray(rng.integers(0, 255, (40, 50, 3), dtype=np.uint8)) for _ in range(3)]

    seen, said = model.image_vectors(images), model.text_vectors(["sky", "a red car", "tree"])

    assert seen.shape == said.shape == (3, 8)
    assert np.linalg.norm(seen, axis=1) == pytest.approx(1, abs=1e-5)
    assert np.linalg.norm(said, axis=1) == pytest.approx(1, abs=1e-5)
    alone = model.text_vectors(["sky"])
    assert alone[0] == pytest.approx(said[0], abs=1e-5)  # padding changes nothing


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    with pytest.raises(ValueError, match="is no image-text model of transformers"):
        TransformersClip(tmp_path)
