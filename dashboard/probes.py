"""What pages and routes ask of `mami_core.probing`, kept once it was computed: bounded, shared, not to be changed."""

from __future__ import annotations

import io
import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from PIL import Image

from dashboard import loaders
from dashboard.security import check_code
from mami_core.device import choose_device
from mami_core.probing.counterexamples import counter_examples
from mami_core.probing.disagreement import Agreement, agreement_matrix
from mami_core.probing.head_roles import head_words as words_by_head
from mami_core.probing.head_roles import heads_by_layer
from mami_core.probing.matching import caption_differences, match_units
from mami_core.probing.noteworthy import WorthALook, worth_a_look
from mami_core.probing.payload import caption_payload, encoded, number
from mami_core.probing.similarity import CaptionIndex, ExemplarIndex, Similar, similar_by_activation
from mami_core.probing.spectrum import class_effects
from mami_core.store import Dissection, known_models
from mami_core.store.layout import peaks_file

if TYPE_CHECKING:
    from mami_core.captioning.image_captions import ImageCaptioner
    from mami_core.inputs import Network

OTHERS = 3  # dissections beside the present one
COMPARED = 4096  # units that one unit's activations are compared with at a time; beyond, only its own layer's


@lru_cache(maxsize=4)
def _exemplar_index(found: loaders.Found) -> ExemplarIndex:
    return ExemplarIndex.of(loaders.opened(found))


@lru_cache(maxsize=16)
def _caption_index(found: loaders.Found, captioner: str) -> CaptionIndex:
    return CaptionIndex.of(loaders.opened(found), captioner)


def similar_json(found: loaders.Found, layer: str, unit: int) -> bytes:
    """Return the units like one, by each measure there is, with what is said of them; KeyError for no such unit."""
    return _similar_json(found, layer, unit, _others(found))


@lru_cache(maxsize=512)
def _similar_json(found: loaders.Found, layer: str, unit: int, others: tuple[loaders.Found, ...]) -> bytes:
    dissection = loaders.opened(found)
    dissection.row(layer, unit)
    layers = None if len(dissection.units) <= COMPARED else (layer,)
    kept = peaks_file(layer) in dissection.manifest.files
    by = {"peaks over all images": similar_by_activation(dissection, layer, unit, layers=layers)} if kept else {}
    by["shared exemplars"] = _exemplar_index(found).similar(layer, unit)
    for name in dissection.captioners:
        by[f"caption, {name}"] = _caption_index(found, name).similar(layer, unit)
    measures = [_measure(found, name, units) for name, units in by.items()]
    for other in others:
        measures += _elsewhere(found, layer, unit, other)
    return json.dumps(measures, ensure_ascii=False, allow_nan=False).encode()


def _measure(found: loaders.Found, name: str, units: tuple[Similar, ...]) -> dict[str, Any]:
    return {"measure": name, "units": [_like(found, entry) for entry in units]}


def _like(found: loaders.Found, entry: Similar) -> dict[str, Any]:
    said = list(loaders.spoken(found, entry.layer, entry.unit).values())
    about = {"dissection": found.id, "layer": entry.layer, "unit": entry.unit}
    return {**about, "score": number(entry.score), "captions": said}


def _others(found: loaders.Found) -> tuple[loaders.Found, ...]:
    """Return other dissections of the same images that are small enough to be looked through at once."""
    near = []
    for entry in loaders.found_dissections().values():
        try:
            other = loaders.opened(entry)
            same = other.manifest.image_ids_sha256 == loaders.opened(found).manifest.image_ids_sha256
            if entry.id != found.id and same and len(other.units) <= COMPARED:
                near.append(entry)
        except (ValueError, OSError):  # a broken one is named on the overview
            continue
    return tuple(near[:OTHERS])


def _elsewhere(found: loaders.Found, layer: str, unit: int, other: loaders.Found) -> list[dict[str, Any]]:
    """Return the units of another dissection that are like this one, by peaks and by what a shared captioner says."""
    here, there = loaders.opened(found), loaders.opened(other)
    measures = []
    wanted = [(here, layer), *((there, name) for name in there.layers)]
    if all(peaks_file(name) in one.manifest.files for one, name in wanted):
        alike = similar_by_activation(here, layer, unit, among=there)
        measures.append(_measure(other, f"peaks, in {other.id}", alike))
    for name in (name for name in here.captioners if name in there.captioners):
        alike = _caption_index(found, name).similar(layer, unit, among=_caption_index(other, name))
        measures.append(_measure(other, f"caption, {name}, in {other.id}", alike))
    return measures


@lru_cache(maxsize=64)
def agreement(found: loaders.Found, captioner: str | None, layer: str | None) -> Agreement:
    """Return how much captioners, or one captioner's heads, agree over a layer or all."""
    with loaders.READING:
        return agreement_matrix(loaders.opened(found), captioner=captioner, layer=layer)


@lru_cache(maxsize=64)
def head_words(found: loaders.Found, captioner: str, layer: str | None) -> pd.DataFrame:
    """Return which head a captioner's words come from, those that were said five times or more."""
    with loaders.READING:
        return words_by_head(loaders.opened(found), captioner, layer=layer, least=5)


@lru_cache(maxsize=16)
def head_wins(found: loaders.Found, captioner: str) -> pd.DataFrame:
    """Return where each head of a captioner wins, by layer."""
    with loaders.READING:
        return heads_by_layer(loaders.opened(found), captioner)


@lru_cache(maxsize=16)
def matched(found: loaders.Found, other: loaders.Found, layer: str, other_layer: str, captioner: str) -> pd.DataFrame:
    """Return units of two dissections matched by their peaks, most different captions first."""
    first, second = loaders.opened(found), loaders.opened(other)
    with loaders.READING:
        matches = match_units(first, second, layer, other_layer)
        return caption_differences(first, second, layer, other_layer, matches, captioner)


@lru_cache(maxsize=8)
def striking(found: loaders.Found) -> WorthALook:
    """Return the units worth a look."""
    with loaders.READING:
        return worth_a_look(loaders.opened(found), count=5)


@lru_cache(maxsize=256)
def doubts_json(found: loaders.Found, layer: str, unit: int) -> bytes:
    """Return what speaks against each caption of a unit, and which classes excite it; KeyError for no such unit."""
    dissection = loaders.opened(found)
    dissection.row(layer, unit)
    kept = peaks_file(layer) in dissection.manifest.files
    said = loaders.spoken(found, layer, unit) if kept else {}
    against = [_against(dissection, layer, unit, name, text) for name, text in said.items()]
    classes = class_effects(dissection, layer, unit).head(6) if kept else pd.DataFrame()
    rows = [{key: number(value) if isinstance(value, float) else value for key, value in row.items()}
            for row in classes.to_dict("records")]  # fmt: skip
    return json.dumps({"captions": against, "classes": rows}, ensure_ascii=False, allow_nan=False).encode()


def _against(dissection: Dissection, layer: str, unit: int, captioner: str, text: str) -> dict[str, Any]:
    found = counter_examples(dissection, layer, unit, text, count=6, limit=120)
    sides = {
        side: [{"image": entry.image_id, "peak": number(entry.peak), "percentile": number(entry.percentile)}
               for entry in entries]
        for side, entries in (("silent", found.silent), ("fires", found.fires))
    }  # fmt: skip
    facts = {"named": found.named, "judged_by": found.judged_by, "looked_at": found.looked_at}
    return {"captioner": captioner, "caption": text, **facts, **sides}


@lru_cache(maxsize=2)
def network_of(found: loaders.Found, weights: str) -> Network:
    """Return the network that was dissected, opened as it was then; `weights`: a file, empty for the spec's own.

    ValueError or OSError where that cannot be done.
    """
    from mami_core.pipeline.sources import open_any_network  # torchvision: only who asks a network waits for it

    settings = loaders.opened(found).manifest.settings
    spec = settings.get("network") or loaders.opened(found).manifest.network
    check_code([spec])
    network = open_any_network(
        spec, weights=weights or settings.get("weights"), arguments=settings.get("arguments") or "{}"
    )
    network.module.to(choose_device(loaders.preferences().device))
    return network


@lru_cache(maxsize=8)
def firing(found: loaders.Found, image: bytes, weights: str, count: int) -> list[dict[str, Any]]:
    """Return the units of a dissection that fire most unusually for an encoded image, each with its map."""
    from mami_core.probing.firing import fire

    dissection = loaders.opened(found)
    answer = fire(network_of(found, weights), dissection, Image.open(io.BytesIO(image)))
    return [_fired(found, row, answer.maps[row["layer"]]) for row in answer.table.head(count).to_dict("records")]


def _fired(found: loaders.Found, row: dict[Any, Any], maps: np.ndarray) -> dict[str, Any]:
    layer, unit = row["layer"], int(row["unit"])
    own = maps[int(row["row"])]
    return {
        "layer": layer,
        "unit": unit,
        "percentile": number(row["percentile"]),
        "activation": number(row["activation"]),
        "captions": list(loaders.spoken(found, layer, unit).values()),
        "grid": list(own.shape),
        "float16": encoded(own.astype("<f2")),
        "low": float(own.min()),
        "high": float(own.max()),
    }


def image_captioners() -> list[str]:
    """Return the names of the captioners of whole images there are."""
    from mami_core.captioning.encoder import CONFIG
    from mami_core.pipeline.captioned import IMAGE_ENCODER

    return known_models(f"{IMAGE_ENCODER}/{CONFIG}")


@lru_cache(maxsize=1)
def _image_captioner(name: str, device: str) -> ImageCaptioner:
    from mami_core.pipeline.caption_images import open_image_captioner

    return open_image_captioner(name, device=choose_device(device))


@lru_cache(maxsize=16)
def image_caption(name: str, image: bytes) -> dict[str, Any]:
    """Return what a captioner says of an encoded image, and where each word looked.

    ValueError or FileNotFoundError where the captioner cannot be opened.
    """
    from mami_core.captioning.image_captions import caption_image

    captioner = _image_captioner(name, loaders.preferences().device)
    said = caption_image(captioner, Image.open(io.BytesIO(image)))
    return {"captioner": name, "simulated": captioner.captioner.simulated, **caption_payload(said)}
