"""Any image-to-text model of transformers as a captioner of units.

    mami caption D --captioner examples/image_to_text.py:image_to_text:/models/blip-image-captioning-base

The model captions every exemplar with what lies outside the unit's mask dimmed; of these captions the one that shares
most words with the others speaks for the unit. To have it as a plugin, put into your package's `pyproject.toml`:

    [project.entry-points."mami.captioners"]
    image-to-text = "your_package:image_to_text"

and call it with `--captioner image-to-text:/models/blip-image-captioning-base`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

import mami_core as mami


class ImageToText:
    """A captioner: a name, where it comes from, and captions for units."""

    def __init__(self, path: str, device: torch.device) -> None:
        self.model = AutoModelForImageTextToText.from_pretrained(path, local_files_only=True).to(device).eval()
        self.processor = AutoProcessor.from_pretrained(path, local_files_only=True)
        self.device = device
        self.name = Path(path).name
        self.provenance: dict[str, Any] = {
            "decoding": "greedy, an exemplar each; the caption most alike the others",
            "trained_on": f"transformers: {self.model.config.model_type}",
            "path": str(path),
        }

    def caption(self, units: Sequence[mami.ShownUnit]) -> list[mami.Caption]:
        """Return one caption a unit."""
        return [mami.caption_of(self.name, most_alike(self.read(unit.masked_images()))) for unit in units]

    @torch.inference_mode()
    def read(self, pictures: list[Image.Image]) -> list[str]:
        """Return what the model says of each picture."""
        if not pictures:
            return []
        inputs = self.processor(images=pictures, return_tensors="pt").to(self.device)
        tokens = self.model.generate(**inputs, max_new_tokens=20, do_sample=False)
        return [text.strip() for text in self.processor.batch_decode(tokens, skip_special_tokens=True)]


def most_alike(texts: list[str]) -> str:
    """Return the text that shares the largest part of its words with the others; empty for none.

    >>> most_alike(["a red door", "the sea", "a red house"])
    'a red door'
    """
    bags = [set(text.split()) for text in texts]

    def shared(place: int) -> float:
        others = (bag for other, bag in enumerate(bags) if other != place)
        return sum(len(bags[place] & bag) / max(1, len(bags[place] | bag)) for bag in others)

    return texts[max(range(len(texts)), key=shared)] if texts else ""


def image_to_text(argument: str, device: torch.device) -> ImageToText:
    """Make the captioner; `argument` is what stands behind the second colon: the model's folder."""
    if not Path(argument).is_dir():
        raise FileNotFoundError(f"no model folder {argument!r}; write image_to_text:FOLDER")
    return ImageToText(argument, device)
