"""Attributions that were made before are not made again: kept by weights, layer, unit, picture and settings."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from PIL import Image

from mami_core.config import settings_sha256
from mami_core.dissection.masks import unit_masks
from mami_core.inputs import Network
from mami_core.probing.attribution.answers import Answer, Reading
from mami_core.probing.attribution.exemplar import Attribution, attribute
from mami_core.probing.attribution.methods import Effort
from mami_core.probing.layer_probe import LayerProbe
from mami_core.probing.pixels import as_bytes, as_pixels, own_size
from mami_core.store import Dissection
from mami_core.store.kept_results import ATTRIBUTIONS, KeptResult, KeptResults

ARRAYS = "npz"
_VERSION = 1


@dataclass(frozen=True)
class Question:
    """What is asked of one exemplar of a unit."""

    layer: str
    unit: int
    exemplar: int = 0  # of the top set
    reading: Reading = "peak"
    class_number: int | None = None  # the network's output instead of the unit


def attributed(
    network: Network, dissection: Dissection, question: Question, methods: Sequence[str], effort: Effort
) -> KeptResult:
    """Return the answer to a question, made now where it was not kept. ValueError for what is not there."""
    entries = dissection.exemplars_of(question.layer, question.unit).get("top", ())
    if not question.exemplar < len(entries):
        have = f"has {len(entries)} exemplars" if entries else "has no exemplars"
        raise ValueError(f"unit {question.unit} of {question.layer} {have}; there is no exemplar {question.exemplar}")
    size, entry = own_size(network), entries[question.exemplar]
    picture = dissection.images.image(entry.image_id)
    shelf = KeptResults(ATTRIBUTIONS, str(network.weights_sha256), question.layer)
    probe = LayerProbe(network, "" if question.class_number is not None else question.layer, size)
    asked = {"question": asdict(question), "methods": list(methods), "effort": asdict(effort), "size": list(size)}
    about = {"picture": _digest(picture), "network": probe.identity, "version": _VERSION, **asked}
    name = f"{question.unit}~{question.exemplar}~{settings_sha256(about)[:16]}"
    kept = shelf.find(name)
    if kept is not None:
        return kept
    pixels = as_pixels(picture, size).to(probe.device)
    unit = question.unit if question.class_number is None else question.class_number
    mask = unit_masks(dissection, question.layer, question.unit, size)[question.exemplar]
    made = attribute(Answer(probe, unit, question.reading), pixels, methods, mask=mask, effort=effort)
    facts = {"network": network.name, "image": entry.image_id, "recorded": entry.activation, **asked, **made.facts()}
    return shelf.keep(name, facts, {ARRAYS: packed(arrays_of(made, as_bytes(pixels)[0]))})


def arrays_of(made: Attribution, picture: np.ndarray) -> dict[str, np.ndarray]:
    """Return everything that is drawn: the picture, the mask, each method's map and curve, the random curves."""
    first = next(iter(made.deletions.values()))
    arrays = {"picture": picture, "deleted": first.deleted, "random": np.stack([one.curve for one in made.random])}
    if made.mask is not None:
        arrays["mask"] = made.mask
    for name, found in made.maps.items():
        arrays |= {f"map:{name}": found.astype(np.float32), f"curve:{name}": made.deletions[name].curve}
    return arrays


def packed(arrays: Mapping[str, Any]) -> bytes:
    """Return arrays as a compressed .npz file."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def _digest(picture: Image.Image) -> str:
    return settings_sha256({"size": picture.size, "pixels": picture.tobytes().hex()})
