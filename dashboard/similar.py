"""Units like one, for the neuron view: by each measure there is, in its layer, in other layers, elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from dashboard import loaders
from mami_core.probing.payload import number
from mami_core.probing.similarity import CaptionIndex, ExemplarIndex, FeatureIndex, Similar, similar_by_activation
from mami_core.store.layout import peaks_file

OTHERS = 3  # dissections beside the present one
COMPARED = 4096  # units that one unit's activations are compared with at a time; beyond, only its own layer's
KEEP = "`mami caption` keeps them; run it again with a captioner of this version"


@dataclass(frozen=True)
class Place:
    """Where units like one are looked for."""

    name: str
    found: loaders.Found
    layers: tuple[str, ...]


@lru_cache(maxsize=4)
def _exemplar_index(found: loaders.Found) -> ExemplarIndex:
    return ExemplarIndex.of(loaders.opened(found))


@lru_cache(maxsize=16)
def _caption_index(found: loaders.Found, captioner: str) -> CaptionIndex:
    return CaptionIndex.of(loaders.opened(found), captioner)


@lru_cache(maxsize=8)
def _feature_index(found: loaders.Found, encoder: str) -> FeatureIndex:
    return FeatureIndex.kept(loaders.opened(found), encoder)


def similar_json(found: loaders.Found, layer: str, unit: int) -> bytes:
    """Return the units like one, by measure and place, with what is said of them; KeyError for no such unit.

    A measure that a dissection was not prepared for says so in words.
    """
    return _similar_json(found, layer, unit, _others(found))


@lru_cache(maxsize=512)
def _similar_json(found: loaders.Found, layer: str, unit: int, others: tuple[loaders.Found, ...]) -> bytes:
    loaders.opened(found).row(layer, unit)
    rows = [row for place in _places(found, layer, others) for row in _measures(found, layer, unit, place)]
    return json.dumps(rows, ensure_ascii=False, allow_nan=False).encode()


def _places(found: loaders.Found, layer: str, others: tuple[loaders.Found, ...]) -> list[Place]:
    rest = tuple(name for name in loaders.opened(found).layers if name != layer)
    here = [Place("this layer", found, (layer,)), Place("other layers", found, rest)]
    return [*(place for place in here if place.layers), *(Place(o.id, o, loaders.opened(o).layers) for o in others)]


def _measures(found: loaders.Found, layer: str, unit: int, place: Place) -> Iterator[dict[str, Any]]:
    yield from _by_features(found, layer, unit, place)
    if _has_peaks(found, layer, place):
        there = None if place.found == found else loaders.opened(place.found)
        alike = similar_by_activation(loaders.opened(found), layer, unit, among=there, layers=place.layers)
        yield _measure("peaks over all images", place, alike)
    if _same_images(found, place.found):
        yield _measure("shared exemplars", place, _ask(_exemplar_index, found, place, layer, unit))
    speaking = loaders.opened(place.found).captioners
    for name in (name for name in loaders.opened(found).captioners if name in speaking):
        alike = _ask(partial(_caption_index, captioner=name), found, place, layer, unit)
        yield _measure(f"caption, {name}", place, alike)


def _by_features(found: loaders.Found, layer: str, unit: int, place: Place) -> Iterator[dict[str, Any]]:
    here, there = loaders.opened(found).encoders, loaders.opened(place.found).encoders
    shared = [encoder for encoder in here if encoder in there]
    for encoder in shared:
        alike = _ask(partial(_feature_index, encoder=encoder), found, place, layer, unit)
        yield _measure(f"features, {encoder.rpartition('.')[0]}", place, alike)
    if not here:
        yield {"measure": "features", "where": place.name, "why": f"No region features are kept here: {KEEP}."}
    elif not shared:
        why = f"{place.name} keeps no region features by the encoder of this dissection: {KEEP}."
        yield {"measure": f"features, {here[0].rpartition('.')[0]}", "where": place.name, "why": why}


def _ask(
    index_of: Callable[[loaders.Found], Any], found: loaders.Found, place: Place, layer: str, unit: int
) -> tuple[Similar, ...]:
    """Ask an index of this dissection for units among a place's."""
    own = index_of(found)
    among = None if place.found == found else index_of(place.found)
    answer: tuple[Similar, ...] = own.similar(layer, unit, among=among, layers=place.layers)
    return answer


def _has_peaks(found: loaders.Found, layer: str, place: Place) -> bool:
    """Tell whether peaks can be compared: kept on both sides, of the same images, and not of too many units."""
    here, there = loaders.opened(found), loaders.opened(place.found)
    kept = [(here, layer), *((there, name) for name in place.layers)]
    few = place.layers == (layer,) or len(there.units) <= COMPARED
    return few and _same_images(found, place.found) and all(peaks_file(x) in one.manifest.files for one, x in kept)


def _same_images(found: loaders.Found, other: loaders.Found) -> bool:
    return loaders.opened(found).manifest.image_ids_sha256 == loaders.opened(other).manifest.image_ids_sha256


def _measure(name: str, place: Place, units: tuple[Similar, ...]) -> dict[str, Any]:
    return {"measure": name, "where": place.name, "units": [_like(place.found, entry) for entry in units]}


def _like(found: loaders.Found, entry: Similar) -> dict[str, Any]:
    said = list(loaders.spoken(found, entry.layer, entry.unit).values())
    about = {"dissection": found.id, "layer": entry.layer, "unit": entry.unit}
    return {**about, "score": number(entry.score), "captions": said}


def _others(found: loaders.Found) -> tuple[loaders.Found, ...]:
    """Return other dissections of the same images or by the same encoder, small enough to be looked through at once."""
    encoders = set(loaders.opened(found).encoders)
    near = []
    for entry in loaders.found_dissections().values():
        try:
            other = loaders.opened(entry)
            alike = _same_images(found, entry) or not encoders.isdisjoint(other.encoders)
            if entry.id != found.id and alike and len(other.units) <= COMPARED:
                near.append(entry)
        except (ValueError, OSError):  # a broken one is named on the overview
            continue
    return tuple(near[:OTHERS])
