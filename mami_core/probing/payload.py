"""One neuron as the screen needs it: plain JSON, arrays as base64, and "not computed" as null, never as a number."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mami_core.probing.citation import bibtex
from mami_core.probing.spectrum import distribution, spectrum
from mami_core.records import Caption, Exemplar, HeadOutput, NeuronRecord, Reference, UnitStatistics, join_words
from mami_core.store import Dissection

Json = dict[str, Any]
BINS = 48  # of the histogram that is drawn


def neuron_payload(dissection: Dissection, layer: str, unit: int) -> Json:
    """Return everything the neuron view draws, but for the pictures.

    `maps` holds float16 activation maps (k, h, w), so that a mask drawn from them has exactly the stored pixels;
    attention is one byte a region, as stored, with the weight that one step stands for. KeyError for a unit that was
    not dissected.
    """
    record = dissection.neuron(layer, unit)
    manifest = dissection.manifest
    sets = spectrum(dissection, layer, unit)
    return {
        "network": manifest.network,
        "dataset": manifest.dataset,
        "images": manifest.images,
        "layer": layer,
        "unit": unit,
        "simulated": manifest.simulated,
        "quantile": manifest.settings.get("quantile"),
        "state": record.statistics.state,
        "statistics": _statistics(record.statistics),
        "histogram": _histogram(dissection, layer, unit),
        "exemplars": {part.name: [_exemplar(entry) for entry in part.exemplars] for part in sets},
        "maps": {part.name: _maps(part.maps) for part in sets if part.maps is not None},
        "captions": [_caption(dissection, name, record) for name in dissection.captioners],
        "references": _references(record.references),
        "citation": bibtex(dissection, layer, unit),
    }


def payload_bytes(dissection: Dissection, layer: str, unit: int) -> bytes:
    """Return `neuron_payload` as UTF-8 JSON."""
    return json.dumps(neuron_payload(dissection, layer, unit), ensure_ascii=False, allow_nan=False).encode()


def number(value: float | None) -> float | None:
    """Return a value JSON can hold: None for NaN and infinities, which mean "not computed"."""
    return float(value) if value is not None and math.isfinite(value) else None


def encoded(values: np.ndarray) -> str:
    """Return an array's bytes in row-major order as base64."""
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii")


def _statistics(found: UnitStatistics) -> Json:
    names = ("threshold", "maximum", "mean", "variance", "skewness", "kurtosis", "fraction_positive")
    return {name: number(getattr(found, name)) for name in names}


def _histogram(dissection: Dissection, layer: str, unit: int) -> Json | None:
    found = distribution(dissection, layer, unit, bins=BINS)
    if found is None:
        return None
    edges = [float(found.edges[0]), float(found.edges[-1])]
    return {"counts": [int(count) for count in found.counts], "low": edges[0], "high": edges[1], "of": found.of}


def _exemplar(entry: Exemplar) -> Json:
    return {
        "image": entry.image_id,
        "name": entry.image_name,
        "activation": number(entry.activation),
        "peak": [entry.peak_y, entry.peak_x],
    }


def _maps(maps: np.ndarray) -> Json:
    """Return maps (k, h, w) of a set of exemplars."""
    finite = maps[np.isfinite(maps)]
    return {
        "grid": list(maps.shape),
        "float16": encoded(maps.astype("<f2")),
        "max": float(finite.max()) if finite.size else None,
    }


def _caption(dissection: Dissection, name: str, record: NeuronRecord) -> Json:
    facts = dissection.manifest.captioners[name]
    shown: Json = {
        "captioner": name,
        "decoding": decoding_text(facts),
        "trained_on": facts.get("trained_on"),
        "score_name": facts.get("score_name"),
        "simulated": bool(facts.get("simulated", False)),
        "warning": caption_warning(facts, simulated_images=dissection.manifest.simulated),
        "gated": _gated(facts),
    }
    caption = record.captions.get(name)
    if caption is None:
        return {**shown, "state": "not_captioned", "words": [], "heads": [], "alternatives": []}
    return {**shown, **caption_payload(caption)}


def caption_payload(caption: Caption) -> Json:
    """Return a caption with its candidates, heads and β by word; attention is one byte a region."""
    return {
        "state": caption.state,
        "words": list(caption.words),
        "log_p_given_exemplars": number(caption.log_p_given_exemplars),
        "log_p": number(caption.log_p),
        "pmi": number(caption.pmi),
        "score": number(caption.score),
        "alternatives": [[text, number(score)] for text, score in caption.alternatives],
        "heads": [_head(head) for head in caption.heads],
        "gate": [number(value) for value in caption.gate],
    }


def _head(head: HeadOutput) -> Json:
    top = head.weights.max(axis=1, initial=0.0)  # (words,)
    step = np.where(top > 0, top / 255, 1.0)  # (words,)
    return {
        "head": head.head,
        "grid": list(head.grid),
        "levels": encoded(np.rint(head.weights / step[:, None]).astype(np.uint8)),  # (words, regions)
        "step": [float(value) for value in step],
        "share": [number(value) for value in head.share],
        "mask_overlap": [number(value) for value in head.mask_overlap],
        "caption": join_words(head.caption).split(),
        "norm": [number(value) for value in head.norm],
        "entropy": [number(value) for value in head.entropy],
        "without": join_words(head.without).split(),
    }


def _references(references: Sequence[Reference]) -> list[Json]:
    sets: dict[str, list[str]] = {}
    for entry in references:
        sets.setdefault(entry.set, []).append(entry.text)
    return [{"set": name, "texts": texts} for name, texts in sets.items()]


def decoding_text(facts: Mapping[str, Any]) -> str:
    """Return in a few words how a captioner's captions were decoded, from its provenance."""
    named = facts.get("decoding")
    if not isinstance(named, Mapping):
        return str(named) if named else "decoding not recorded"
    strategy = str(named.get("strategy", "strategy not recorded"))
    beam, power = f"beam {named.get('beam_size')}", named.get("length_power")
    ranked = f"score / length^{power:g}" if power else "plain sum"
    words = {
        "beam": f"{beam}, {ranked}",
        "pmi": f"PMI, λ = {named.get('pmi_weight')}, {beam}, {ranked}",
        "consensus": f"consensus of {named.get('samples')} samples and {beam}",
    }
    return words.get(strategy, strategy)


def _gated(facts: Mapping[str, Any]) -> bool | None:
    """Tell whether a captioner's decoder has a gate; None where its provenance does not say."""
    decoder = facts.get("decoder")
    gate = decoder.get("gate") if isinstance(decoder, Mapping) else None
    return None if gate is None else gate not in ("none", False)


def caption_warning(facts: Mapping[str, Any], *, simulated_images: bool) -> str | None:
    """Return the sentence to show where a captioner speaks of images unlike those it learnt from."""
    if facts.get("simulated") and not simulated_images:
        return "This captioner has seen only painted scenes: expect poor captions of photographs."
    return None


def units_in_order(dissection: Dissection) -> dict[str, list[int]]:
    """Return each layer's unit numbers in the order of the maps: what previous and next step through."""
    order: dict[str, list[int]] = {layer: [] for layer in dissection.layers}
    for layer, unit in dissection.unit_keys():
        order[layer].append(unit)
    return order
