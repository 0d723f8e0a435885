"""Open an encoder's folder, whichever kind it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeAlias

from mami_core.captioning import image_encoder, pyramid
from mami_core.captioning.encoder import CONFIG, WEIGHTS, RegionEncoder, load_encoder
from mami_core.captioning.image_encoder import ImageEncoder
from mami_core.captioning.pyramid import PyramidEncoder, load_pyramid

AnyEncoder: TypeAlias = RegionEncoder | PyramidEncoder | ImageEncoder


def open_encoder(folder: Path) -> AnyEncoder:
    """Read an encoder of units. FileNotFoundError or ValueError says what is missing or does not fit."""
    body = encoder_facts_in(folder)
    if body.get("kind") == image_encoder.KIND:
        raise ValueError(f"{folder} belongs to a captioner of images; name that captioner, or the encoder's backbone")
    return load_pyramid(folder, body) if body.get("kind") == pyramid.KIND else load_encoder(folder)


def encoder_facts_in(folder: Path) -> dict[str, Any]:
    """Return what an encoder's folder says of itself; its weights must be there too."""
    for name in (CONFIG, WEIGHTS):
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{folder} is not an encoder: it has no {name}")
    try:
        body = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise ValueError(f"{folder / CONFIG} is damaged, or not an encoder's configuration")
    return body
