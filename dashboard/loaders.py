"""Everything the pages read, and all caching. Shared objects are read-only; caches are bounded.

A dissection is known to links by the name of its folder; its `version` changes when anything in it does, so what is
served under a version never changes.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections import Counter
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mami_core.exports import neuron_table
from mami_core.probing.figures import figure_names, unit_figure
from mami_core.probing.filtering import UnitFilter, chosen_keys, chosen_rows, unit_table
from mami_core.probing.payload import number, payload_bytes, units_in_order
from mami_core.probing.pictures import picture
from mami_core.probing.search import SearchIndex, open_search
from mami_core.probing.sprite import exemplar_sprite
from mami_core.store import Dissection, UnitKey, encode_image, find_dissections
from mami_core.store.evaluations import kept_state
from mami_core.store.jobs import JobStore
from mami_core.store.labels import LabelStore
from mami_core.store.layout import MANIFEST, file_name
from mami_core.store.preferences import Preferences

NAMED = "MAMI_DISSECTIONS"
Evaluated = tuple[tuple[str, int], ...]
READING = threading.RLock()  # a dissection's files are read lazily, and a reader of Arrow files is not for two threads


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
    with READING:
        said = {name: dissection.said(name, layer, unit) for name in dissection.captioners}
    return {name: text for name, text in said.items() if text is not None}


@lru_cache(maxsize=512)
def unit_json(found: Found, layer: str, unit: int) -> bytes:
    """Return one unit's payload as JSON; KeyError where there is no such unit."""
    with READING:
        return payload_bytes(opened(found), layer, unit)


@lru_cache(maxsize=256)
def unit_sprite(found: Found, layer: str, unit: int, kind: str, count: int = 0, part: str = "top") -> bytes:
    """Return a set of one unit's exemplars in one encoded picture, b"" where it has none; KeyError for no such unit."""
    with READING:
        if not opened(found).exemplars_of(layer, unit).get(part):
            opened(found).row(layer, unit)
            return b""
        return exemplar_sprite(opened(found), layer, unit, kind=kind, count=count, exemplar_set=part)


@lru_cache(maxsize=512)
def image_bytes(found: Found, image: int) -> bytes:
    """Return one dissected picture: as it lies on disk, else painted again; KeyError where there is no way to it."""
    with READING:
        dissection = opened(found)
        if dissection.images.holds(image):
            return dissection.images.encoded(image)
        return encode_image(picture(dissection, image))


@lru_cache(maxsize=4)
def table(found: Found) -> pd.DataFrame:
    """Return the table that lists and filters read, a row per unit. Shared: do not change it."""
    with READING:
        return unit_table(opened(found))


@lru_cache(maxsize=64)
def _rows(
    found: Found, choice: UnitFilter, labelled: frozenset[UnitKey], model: str, _evaluated: Evaluated
) -> np.ndarray:
    if choice.sort == "unit" or (choice.sort == "meaning" and not choice.text.strip()):
        return chosen_rows(table(found), choice, labelled)
    by_meaning = choice.sort == "meaning"
    figure = likeness(found, choice.text, model) if by_meaning else unit_figures(found, choice.sort)
    return chosen_rows(table(found), choice, labelled, figure)


def unit_figures(found: Found, name: str) -> np.ndarray:
    """Return what a list sorts by, one figure a row of `table`. Shared: do not change it."""
    return _unit_figures(found, name, evaluated(found))


@lru_cache(maxsize=32)
def _unit_figures(found: Found, name: str, _evaluated: Evaluated) -> np.ndarray:
    with READING:
        return unit_figure(opened(found), name)


@lru_cache(maxsize=8)
def _figure_names(found: Found, _evaluated: Evaluated) -> dict[str, str]:
    with READING:
        return figure_names(opened(found))


def evaluated(found: Found) -> Evaluated:
    """Return which evaluations of a dissection are kept, and since when: changes whenever one is made."""
    return tuple(entry for split in (*opened(found).splits, "all") for entry in kept_state(found.path, split))


def sorts(found: Found) -> dict[str, str]:
    """Return what lists of this dissection's units can sort by, each in words."""
    names = _figure_names(found, evaluated(found))
    return names | {"meaning": f"{names['meaning']} ({meaning_method()})"} if "meaning" in names else names


@lru_cache(maxsize=2)
def _search_index(found: Found, model: str) -> tuple[SearchIndex, np.ndarray]:
    """Return an index of all captions, and the row of `table` that each is of."""
    with READING:
        index = open_search(opened(found), model=model or None)
    keys = zip(index.rows["layer"], index.rows["unit"], strict=True)
    return index, np.array([_row_of(found)[key] for key in keys], dtype=np.int64)


def meaning_method() -> str:
    """Return what a search by meaning compares: the sentence model of the settings, else TF-IDF."""
    model = preferences().sentence_model
    return f"sentence model {Path(model).name}" if model else "TF-IDF"


def likeness(found: Found, text: str, model: str) -> np.ndarray:
    """Return how alike a text is to what is said of each unit by the captioner that comes closest, 0 to 1."""
    index, rows = _search_index(found, model)
    closest = np.zeros(len(table(found)))
    np.maximum.at(closest, rows, np.nan_to_num(index.likeness(text)))
    return closest


def rows(found: Found, choice: UnitFilter) -> np.ndarray:
    """Return the rows of `table` that a filter keeps, in its order."""
    labelled = _labelled(found, choice.label) if choice.label else frozenset()
    model = preferences().sentence_model if choice.sort == "meaning" else ""
    return _rows(found, choice, labelled, model, evaluated(found))


def _labelled(found: Found, label: str) -> frozenset[UnitKey]:
    """Return the units that have a label, or one with a certain verdict."""
    frame = label_frame(found)
    if label not in ("labelled", "unlabelled"):
        frame = frame[frame["verdict"] == label]
    return frozenset((layer, int(unit)) for layer, unit in zip(frame["layer"], frame["unit"], strict=True))


def true_parts(found: Found, layer: str, unit: int) -> str:
    """Return the parts most enriched in a unit's masks, in words; "not known" for real images."""
    parts = opened(found).truth.get((layer, unit), {}).get("parts", [])[:3]
    return ", ".join(name for name, *_ in parts) or "not known"


def reference_text(found: Found, layer: str, unit: int, references: str) -> str:
    """Return the first reference of a set; "none" where a unit has none."""
    given = opened(found).references_of(layer, unit)
    return next((entry.text for entry in given if entry.set == references), "none")


def row(found: Found, layer: str, unit: int) -> int:
    """Return a unit's row in `table`."""
    return _row_of(found)[layer, unit]


@lru_cache(maxsize=4)
def _row_of(found: Found) -> dict[UnitKey, int]:
    return {key: row for row, key in enumerate(opened(found).unit_keys())}


def keys(found: Found, choice: UnitFilter) -> list[UnitKey]:
    """Return (layer, unit) of the units that a filter keeps, in its order."""
    return chosen_keys(table(found), rows(found, choice))


def units_json(found: Found, choice: UnitFilter, start: int, count: int) -> bytes:
    """Return some of the units that a filter keeps, as JSON for the list: how many there are, and rows of cells."""
    kept = rows(found, choice)
    chosen = table(found).iloc[kept[start : start + count]]
    captioners = opened(found).captioners
    labels = label_texts(found)
    figured = choice.sort if choice.sort not in ("unit", "meaning") else "maximum"
    figures = unit_figures(found, figured)[chosen.index]
    units = [
        {**_listed(row, captioners, labels), "figure": number(figure)}
        for row, figure in zip(chosen.to_dict("records"), figures, strict=True)
    ]
    about = {"captioners": captioners, "figure": sorts(found)[figured]}
    body = {"total": len(kept), "start": start, **about, "units": units}
    return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()


def _listed(row: dict[Any, Any], captioners: tuple[str, ...], labels: dict[UnitKey, str]) -> dict[str, Any]:
    return {
        "layer": row["layer"],
        "unit": int(row["unit"]),
        "state": row["state"],
        "captions": [row[f"caption:{name}"] for name in captioners],
        "captioned": [row[f"captioned:{name}"] for name in captioners],
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


def export_preview(found: Found, keys: tuple[UnitKey, ...]) -> pd.DataFrame:
    """Return the export of some units as a table."""
    return neuron_table(opened(found), keys=keys, labels=label_frame(found))


@cache
def job_store() -> JobStore:
    """Return the jobs of this user."""
    return JobStore()


def preferences() -> Preferences:
    """Return what the user settled on, read anew each time: the settings page of another session writes it too."""
    return Preferences.load()
