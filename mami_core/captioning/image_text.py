"""Models that place images and texts in one space: any CLIP of transformers from a folder, or a matcher of ours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from mami_core.captioning.image_encoder import ImageEncoder
from mami_core.captioning.match import Matcher
from mami_core.captioning.vocabulary import Vocabulary

_IMAGES_AT_ONCE: Final = 32
_TEXTS_AT_ONCE: Final = 256
MOST_WORDS: Final = 24  # of a text that a matcher listens to


class ImageText(Protocol):
    """Unit vectors of images and texts; a product of two is their cosine."""

    @property
    def name(self) -> str: ...

    def image_vectors(self, images: Sequence[Image.Image]) -> np.ndarray:
        """Return float32 (N, P)."""
        ...

    def text_vectors(self, texts: Sequence[str]) -> np.ndarray:
        """Return float32 (C, P)."""
        ...


class TransformersClip:
    """A CLIP of transformers, read from a folder; nothing is downloaded."""

    def __init__(self, folder: Path, device: torch.device | None = None) -> None:
        """Open the folder; ValueError where transformers finds no CLIP with tokenizer and image processor in it."""
        from transformers import AutoImageProcessor, AutoModel, AutoTokenizer

        self.name = folder.resolve().name
        self._device = device or torch.device("cpu")
        local: Any = {"local_files_only": True}
        try:
            self._model = AutoModel.from_pretrained(folder, **local).eval().to(self._device)
            self._tokenizer = AutoTokenizer.from_pretrained(folder, **local)
            self._processor = AutoImageProcessor.from_pretrained(folder, use_fast=False, **local)
        except (OSError, ValueError, KeyError) as problem:
            raise ValueError(f"{folder} is no image-text model of transformers: {problem}") from None
        if not hasattr(self._model, "get_text_features"):
            raise ValueError(f"{folder} is a {type(self._model).__name__}, which has no text side; name a CLIP")

    @torch.inference_mode()
    def image_vectors(self, images: Sequence[Image.Image]) -> np.ndarray:
        """Return float32 (N, P)."""
        parts = []
        for start in range(0, len(images), _IMAGES_AT_ONCE):
            pixels = self._processor(images=list(images[start : start + _IMAGES_AT_ONCE]), return_tensors="pt")
            parts.append(_unit(self._model.get_image_features(pixel_values=pixels["pixel_values"].to(self._device))))
        return np.concatenate(parts)

    @torch.inference_mode()
    def text_vectors(self, texts: Sequence[str]) -> np.ndarray:
        """Return float32 (C, P)."""
        parts = []
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            part = list(texts[start : start + _TEXTS_AT_ONCE])
            tokens = self._tokenizer(part, padding=True, truncation=True, return_tensors="pt").to(self._device)
            said = self._model.get_text_features(input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"])
            parts.append(_unit(said))
        return np.concatenate(parts)


def _unit(found: Any) -> np.ndarray:
    """Return unit vectors; transformers 5 wraps them where earlier ones give a tensor."""
    vectors: Tensor = found if isinstance(found, Tensor) else found.pooler_output
    return F.normalize(vectors.float(), dim=-1).cpu().numpy()


class MatchedImages:
    """A matcher of ours that `mami train DATA --captioner match` made of captioned images."""

    def __init__(self, name: str, matcher: Matcher, vocabulary: Vocabulary, encoder: ImageEncoder) -> None:
        self.name, self._matcher, self._vocabulary, self._encoder = name, matcher.eval(), vocabulary, encoder

    @torch.inference_mode()
    def image_vectors(self, images: Sequence[Image.Image]) -> np.ndarray:
        """Return float32 (N, P)."""
        parts = []
        for start in range(0, len(images), _IMAGES_AT_ONCE):
            regions = self._encoder.encode(images[start : start + _IMAGES_AT_ONCE]).float()  # (n, R, D)
            even = torch.full(regions.shape[:2], 1 / regions.shape[1])
            parts.append(self._matcher.unit(regions, even).numpy())
        return np.concatenate(parts)

    @torch.inference_mode()
    def text_vectors(self, texts: Sequence[str]) -> np.ndarray:
        """Return float32 (C, P)."""
        return self._matcher.caption(self._vocabulary.batch(list(texts), length=MOST_WORDS)).numpy()
