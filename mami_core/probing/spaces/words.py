"""A captioner's words as points: the vectors by which its decoder reads them. No torch is needed to look at them."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Final

import numpy as np
from safetensors.numpy import load_file

from mami_core.probing.spaces.space import Space
from mami_core.probing.words import caption_texts, words_of
from mami_core.store import Dissection, UnitKey
from mami_core.store.models import CAPTIONERS, find_captioner

PREFIX: Final = "words:"
_TABLES: Final = dict(  # description → (weights file, the embedding's name in it)
    zip(
        CAPTIONERS,
        (("weights.safetensors", "decoder.embedding.weight"), ("decoders.safetensors", "0.embedding.weight")),
        strict=True,
    )
)


def word_space(captioner: str | Path) -> Space:
    """Return a captioner's words by its folder or name. FileNotFoundError where there is no checkpoint of it here."""
    description = find_captioner(captioner)
    folder = description.parent
    words = json.loads(description.read_text(encoding="utf-8"))["vocabulary"]["words"]
    file, name = _TABLES[description.name]
    tensors = load_file(folder / file)
    if name not in tensors or len(tensors[name]) < len(words):
        raise ValueError(f"{folder / file} holds no vector for each of {len(words)} words ({name}); copy it again")
    vectors = np.asarray(tensors[name], dtype=np.float32)[: len(words)]  # specials follow the words
    return Space.of(f"word embeddings of {folder.name}", words, vectors)


def has_words(captioner: str) -> bool:
    """Tell whether a captioner's checkpoint is here."""
    try:
        find_captioner(captioner)
    except FileNotFoundError:
        return False
    return True


def units_by_word(dissection: Dissection, captioner: str) -> dict[str, list[UnitKey]]:
    """Return the units in whose caption each word occurs, in the dissection's order; empty where nothing was said."""
    found: dict[str, list[UnitKey]] = defaultdict(list)
    if captioner not in dissection.captioners:
        return {}
    for key, text in zip(dissection.unit_keys(), caption_texts(dissection, captioner), strict=True):
        for word in dict.fromkeys(words_of(text or "")):
            found[word].append(key)
    return dict(found)
