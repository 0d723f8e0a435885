"""`mami train DATA --captioner match`: a small image-text model, for CLIP-Dissect where no CLIP is at hand."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Final

from mami_core.captioning.image_encoder import save_image_encoder
from mami_core.captioning.image_text import MatchedImages
from mami_core.captioning.match import load_matcher, save_matcher
from mami_core.captioning.vocabulary import Vocabulary
from mami_core.config import TrainConfig
from mami_core.pipeline.progress import print_result, progress
from mami_core.pipeline.trainings.captioned import (
    IMAGE_ENCODER,
    encoded_splits,
    image_encoder,
    kept_image_encoder,
    names_captioned_images,
    open_images_with_captions,
)
from mami_core.store.atomic import replacing
from mami_core.training.batches import DescribedUnits, caption_length, reference_texts
from mami_core.training.match import MatchRecipe, train_matcher

MATCH: Final = "match"  # in the place of a captioner's name
WORDS: Final = "words.json"
_TELLING: Final = 0.2  # of the images


def train_match(config: TrainConfig) -> None:
    """Train the model and write its folder: matcher, words, and the encoder of its images."""
    if not names_captioned_images(config.dissection):
        raise ValueError(f"{config.dissection} is no set of captioned images; an image-text model learns from those")
    with progress(quiet=config.json) as report:
        data = open_images_with_captions(config.dissection, config.images, seed=config.seed, report=report)
        encoder = image_encoder(data, config.encoder, weights=config.encoder_weights, layer=config.encoder_layer)
        splits = encoded_splits(data, encoder, MATCH, report=report)
        words = Vocabulary.from_texts(reference_texts(splits["train"]), min_count=config.min_count)
        recipe = MatchRecipe()
        matcher, history = train_matcher(
            with_words(splits["train"]),
            splits["val"],
            words,
            length=config.max_words or caption_length(splits["train"]),
            recipe=replace(recipe, loop=replace(recipe.loop, epochs=config.epochs, patience=config.patience)),
            progress=lambda done, total, _figures: report("match: epochs", done, total),
        )
    save_matcher(config.out, matcher)
    save_image_encoder(encoder, config.out / IMAGE_ENCODER)
    body = {"vocabulary": words.to_json(), "trained_on": data.name, "simulated": data.source.simulated}
    with replacing(config.out / WORDS) as partial:
        partial.write_text(json.dumps(body) + "\n", encoding="utf-8")
    best = max(figures["val_match"] for figures in history.epochs)
    text = f"match written to {config.out}: {100 * best:.1f} % of held-out captions are nearest to their own image"
    print_result({"out": str(config.out), "val_match": best}, as_json=config.json, text=text)


def with_words(images: DescribedUnits) -> DescribedUnits:
    """Return images with their captions and, as texts of their own, the words that tell them from other images.

    Concepts are words, not sentences: a model that has heard sentences alone places them at random. A word counts that
    at most a fifth of the images' captions hold.
    """
    held = [{word for text in texts for word in text.split()} for texts in images.texts]
    images_with = Counter(word for words in held for word in words)
    most = _TELLING * len(images)
    told = (tuple(sorted(word for word in words if images_with[word] <= most)) for words in held)
    texts = tuple((*given, *words) for given, words in zip(images.texts, told, strict=True))
    return replace(images, texts=texts)


def is_match(folder: Path) -> bool:
    """Tell whether a folder holds an image-text model of ours."""
    return (folder / WORDS).is_file()


def open_match(folder: Path) -> MatchedImages:
    """Return the image-text model in a folder; FileNotFoundError or ValueError where it is not whole."""
    words = Vocabulary.from_json(json.loads((folder / WORDS).read_text(encoding="utf-8"))["vocabulary"])
    matcher = load_matcher(folder, words)
    if matcher is None:
        raise FileNotFoundError(f"{folder} holds no matcher; train it again with `mami train DATA --captioner match`")
    return MatchedImages(folder.resolve().name, matcher, words, kept_image_encoder(folder / IMAGE_ENCODER))
