"""Everything the pages read, and all caching. Shared objects are read-only; caches are bounded.

A dissection is known to links by the name of its folder; its `version` changes when anything in it does, so what is
served under a version never changes.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import threading
from collections import Counter
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from PIL import Image

from mami_core.exports import neuron_table
from mami_core.probing.counterexamples import counter_examples
from mami_core.probing.disagreement import Agreement, agreement_matrix
from mami_core.probing.disagreement import head_words as words_by_head
from mami_core.probing.filtering import UnitFilter, chosen_keys, chosen_rows, unit_table
from mami_core.probing.matching import caption_differences, match_units
from mami_core.probing.noteworthy import WorthALook, worth_a_look
from mami_core.probing.payload import encoded, number, payload_bytes, units_in_order
from mami_core.probing.pictures import picture
from mami_core.probing.similarity import CaptionIndex, ExemplarIndex, Similar, similar_by_activation
from mami_core.probing.spectrum import class_effects
from mami_core.probing.sprite import exemplar_sprite
from mami_core.probing.words import TextIndex, caption_texts
from mami_core.store import Dissection, UnitKey, encode_image, find_dissections
from mami_core.store.jobs import JobStore
from mami_core.store.labels import LabelStore
from mami_core.store.layout import MANIFEST, file_name, peaks_file

if TYPE_CHECKING:
    from mami_core.inputs import Network

NAMED = "MAMI_DISSECTIONS"
_LOCK = threading.RLock()  # a dissection's files are read lazily, and a reader of Arrow files is not for two threads


@dataclass(frozen=True, slots=True)
class Found:
    """A dissection's folder, the name links use for it, and its present version."""

    id: str
    path: Path
    version: str

    @property
    def address(self) -> str:
        """Return what stands for this very state of the dissection in the addresses of our routes."""
        return f"{self.id}~{self.version}"


def found_dissections() -> dict[str, Found]:
    """Return the dissections there are now, by id: those on the command line, in `MAMI_HOME`, and the demo."""
    named = tuple(Path(entry) for entry in os.environ.get(NAMED, "").split(os.pathsep) if entry)
    paths = find_dissections(named)
    repeated = {name for name, times in Counter(path.name for path in paths).items() if times > 1}
    found = (Found(_id(path, repeated), path, _version(path)) for path in paths)
    return {entry.id: entry for entry in found}


def _id(path: Path, repeated: set[str]) -> str:
    name = file_name(path.name)
    return f"{name}-{hashlib.sha256(str(path).encode()).hexdigest()[:6]}" if path.name in repeated else name


def _version(path: Path) -> str:
    """Return eight digits that change with the manifest, which changes with every file it vouches for."""
    about = (path / MANIFEST).stat()
    return _version_at(path, about.st_mtime_ns, about.st_size)


@lru_cache(maxsize=256)
def _version_at(path: Path, _changed: int, _size: int) -> str:
    return hashlib.sha256((path / MANIFEST).read_bytes()).hexdigest()[:8]


@lru_cache(maxsize=16)
def opened(found: Found) -> Dissection:
    """Return an open dissection, shared by all sessions. FileNotFoundError or ValueError says what is wrong with it."""
    return Dissection.open(found.path)


@lru_cache(maxsize=16)
def layer_units(found: Found) -> dict[str, list[int]]:
    """Return each layer's unit numbers, in order."""
    return units_in_order(opened(found))


def spoken(found: Found, layer: str, unit: int) -> dict[str, str]:
    """Return what each captioner says of a unit; who could say nothing is left out."""
    dissection = opened(found)
    with _LOCK:
        captions = {name: dissection.caption(name, layer, unit) for name in dissection.captioners}
    return {name: caption.text for name, caption in captions.items() if caption and caption.state == "ok"}


@lru_cache(maxsize=512)
def unit_json(found: Found, layer: str, unit: int) -> bytes:
    """Return one unit's payload as JSON; KeyError where there is no such unit."""
    with _LOCK:
        return payload_bytes(opened(found), layer, unit)


@lru_cache(maxsize=256)
def unit_sprite(found: Found, layer: str, unit: int, kind: str, count: int = 0, part: str = "top") -> bytes:
    """Return a set of one unit's exemplars in one encoded picture, b"" where it has none; KeyError for no such unit."""
    with _LOCK:
        if not opened(found).exemplars_of(layer, unit).get(part):
            opened(found).row(layer, unit)
            return b""
        return exemplar_sprite(opened(found), layer, unit, kind=kind, count=count, exemplar_set=part)


@lru_cache(maxsize=256)
def doubts_json(found: Found, layer: str, unit: int) -> bytes:
    """Return what speaks against each caption of a unit, and which classes excite it; KeyError for no such unit."""
    dissection = opened(found)
    dissection.row(layer, unit)
    kept = peaks_file(layer) in dissection.manifest.files
    said = spoken(found, layer, unit) if kept else {}
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


@lru_cache(maxsize=512)
def image_bytes(found: Found, image: int) -> bytes:
    """Return one dissected picture: as it lies on disk, else painted again; KeyError where there is no way to it."""
    with _LOCK:
        dissection = opened(found)
        if dissection.images.holds(image):
            return dissection.images.encoded(image)
        return encode_image(picture(dissection, image))


@lru_cache(maxsize=4)
def table(found: Found) -> pd.DataFrame:
    """Return the table that lists and filters read, a row per unit. Shared: do not change it."""
    with _LOCK:
        return unit_table(opened(found))


@lru_cache(maxsize=64)
def _rows(found: Found, choice: UnitFilter, labelled: frozenset[UnitKey]) -> np.ndarray:
    wanted = choice.sort == "meaning" and bool(choice.text.strip())
    return chosen_rows(table(found), choice, labelled, likeness(found, choice.text) if wanted else None)


@lru_cache(maxsize=4)
def _text_indices(found: Found) -> list[TextIndex]:
    return [TextIndex.of(caption_texts(opened(found), name)) for name in opened(found).captioners]


def likeness(found: Found, text: str) -> np.ndarray:
    """Return how alike a text is to what is said of each unit by the captioner that comes closest, 0 to 1."""
    scores = [np.nan_to_num(index.cosine(text)) for index in _text_indices(found)]
    return np.max(scores, axis=0) if scores else np.zeros(len(table(found)))


def rows(found: Found, choice: UnitFilter) -> np.ndarray:
    """Return the rows of `table` that a filter keeps, in its order."""
    return _rows(found, choice, frozenset(label_texts(found)) if choice.label else frozenset())


def keys(found: Found, choice: UnitFilter) -> list[UnitKey]:
    """Return (layer, unit) of the units that a filter keeps, in its order."""
    return chosen_keys(table(found), rows(found, choice))


def units_json(found: Found, choice: UnitFilter, start: int, count: int) -> bytes:
    """Return some of the units that a filter keeps, as JSON for the list: how many there are, and rows of cells."""
    kept = rows(found, choice)
    chosen = table(found).iloc[kept[start : start + count]]
    captioners = opened(found).captioners
    labels = label_texts(found)
    units = [_listed(row, captioners, labels) for row in chosen.to_dict("records")]
    body = {"total": len(kept), "start": start, "captioners": captioners, "units": units}
    return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()


def _listed(row: dict[Any, Any], captioners: tuple[str, ...], labels: dict[UnitKey, str]) -> dict[str, Any]:
    return {
        "layer": row["layer"],
        "unit": int(row["unit"]),
        "state": row["state"],
        "maximum": number(row["maximum"]),
        "captions": [row[f"caption:{name}"] for name in captioners],
        "label": labels.get((row["layer"], int(row["unit"]))),
    }


@cache
def label_store() -> LabelStore:
    """Return the labels of this user or group."""
    return LabelStore.default()


def label_frame(found: Found) -> pd.DataFrame:
    """Return all labels of a dissection, read anew each time: other sessions write them too."""
    return label_store().frame(opened(found).name)


def label_texts(found: Found) -> dict[UnitKey, str]:
    """Return the latest label's text, or its verdict, by unit."""
    frame = label_frame(found).sort_values("updated", kind="stable")
    rows = zip(frame["layer"], frame["unit"], frame["text"], frame["verdict"], strict=True)
    return {(layer, int(unit)): text or verdict for layer, unit, text, verdict in rows}


def export_preview(found: Found, chosen: tuple[UnitKey, ...] | None, count: int = 20) -> pd.DataFrame:
    """Return the first rows of the export of some units, or of all."""
    kept = chosen if chosen is not None else tuple(opened(found).unit_keys()[:count])
    return neuron_table(opened(found), keys=kept, labels=label_frame(found))


COMPARED = 4096  # units that one unit's activations are compared with at a time; beyond, only its own layer's


@lru_cache(maxsize=4)
def _exemplar_index(found: Found) -> ExemplarIndex:
    return ExemplarIndex.of(opened(found))


@lru_cache(maxsize=16)
def _caption_index(found: Found, captioner: str) -> CaptionIndex:
    return CaptionIndex.of(opened(found), captioner)


@lru_cache(maxsize=512)
def similar_json(found: Found, layer: str, unit: int) -> bytes:
    """Return the units like one, by each measure there is, with what is said of them; KeyError for no such unit."""
    dissection = opened(found)
    dissection.row(layer, unit)
    layers = None if len(dissection.units) <= COMPARED else (layer,)
    kept = peaks_file(layer) in dissection.manifest.files
    by = {"peaks over all images": similar_by_activation(dissection, layer, unit, layers=layers)} if kept else {}
    by["shared exemplars"] = _exemplar_index(found).similar(layer, unit)
    for name in dissection.captioners:
        by[f"caption, {name}"] = _caption_index(found, name).similar(layer, unit)
        measures = [{"measure": name, "units": [_like(found, entry) for entry in units]} for name, units in by.items()]
    return json.dumps(measures, ensure_ascii=False, allow_nan=False).encode()


def _like(found: Found, entry: Similar) -> dict[str, Any]:
    said = list(spoken(found, entry.layer, entry.unit).values())
    return {"layer": entry.layer, "unit": entry.unit, "score": number(entry.score), "captions": said}


@lru_cache(maxsize=64)
def agreement(found: Found, captioner: str | None, layer: str | None) -> Agreement:
    """Return how much captioners, or one captioner's heads, agree over a layer or all."""
    with _LOCK:
        return agreement_matrix(opened(found), captioner=captioner, layer=layer)


@lru_cache(maxsize=64)
def head_words(found: Found, captioner: str, layer: str | None) -> pd.DataFrame:
    """Return which head a captioner's words come from."""
    with _LOCK:
        return words_by_head(opened(found), captioner, layer=layer, least=2)


@lru_cache(maxsize=16)
def matched(found: Found, other: Found, layer: str, other_layer: str, captioner: str) -> pd.DataFrame:
    """Return units of two dissections matched by their peaks, most different captions first."""
    first, second = opened(found), opened(other)
    with _LOCK:
        matches = match_units(first, second, layer, other_layer)
        return caption_differences(first, second, layer, other_layer, matches, captioner)


@lru_cache(maxsize=8)
def striking(found: Found) -> WorthALook:
    """Return the units worth a look."""
    with _LOCK:
        return worth_a_look(opened(found), count=5)


@cache
def job_store() -> JobStore:
    """Return the jobs of this user."""
    return JobStore()


@lru_cache(maxsize=2)
def network_of(found: Found, weights: str) -> Network:
    """Return the network that was dissected, opened as it was then; `weights`: a file, empty for the spec's own.

    ValueError or OSError where that cannot be done.
    """
    from mami_core.pipeline.sources import open_any_network  # torchvision: only who asks a network waits for it

    settings = opened(found).manifest.settings
    spec = settings.get("network") or opened(found).manifest.network
    return open_any_network(
        spec, weights=weights or settings.get("weights"), arguments=settings.get("arguments") or "{}"
    )


@lru_cache(maxsize=8)
def firing(found: Found, image: bytes, weights: str, count: int) -> list[dict[str, Any]]:
    """Return the units of a dissection that fire most unusually for an encoded image, each with its map."""
    from mami_core.probing.firing import fire

    dissection = opened(found)
    answer = fire(network_of(found, weights), dissection, Image.open(io.BytesIO(image)))
    return [_fired(found, row, answer.maps[row["layer"]]) for row in answer.table.head(count).to_dict("records")]


def _fired(found: Found, row: dict[Any, Any], maps: np.ndarray) -> dict[str, Any]:
    layer, unit = row["layer"], int(row["unit"])
    own = maps[int(row["row"])]
    return {
        "layer": layer,
        "unit": unit,
        "percentile": number(row["percentile"]),
        "activation": number(row["activation"]),
        "captions": list(spoken(found, layer, unit).values()),
        "grid": list(own.shape),
        "float16": encoded(own.astype("<f2")),
        "low": float(own.min()),
        "high": float(own.max()),
    }
