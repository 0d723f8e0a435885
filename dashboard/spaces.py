"""Maps of units and words as the page shows them: points with what is known of each, and exact neighbours."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, Final, get_args

import numpy as np

from dashboard import loaders
from mami_core.probing.filtering import STATES
from mami_core.probing.payload import encoded, number
from mami_core.probing.spaces.maps import Map, group_names, kept_map, make_map
from mami_core.probing.spaces.projection import Method
from mami_core.probing.spaces.space import Space
from mami_core.probing.spaces.units import unit_space, unit_spaces
from mami_core.probing.spaces.words import PREFIX, has_words, units_by_word, word_space
from mami_core.probing.words import caption_texts
from mami_core.store import UnitKey

NEAR: Final = 12
SAYERS: Final = 40
FIGURES: Final = ("maximum", "selectivity", "words", "disagreement")
OF_CAPTIONERS: Final = ("pmi:", "score:")


def spaces_of(found: loaders.Found) -> dict[str, str]:
    """Return what a dissection can be mapped by, as addresses name it, each in words."""
    names = {}
    for by in unit_spaces(loaders.opened(found)):
        kind, _, of = by.partition(":")
        shown = of.rpartition(".")[0] if kind == "features" else of
        words = {"features": "features", "caption": "captions", "profile": "activation profile"}[kind]
        names[by] = f"Units by {words}" + (f", {shown}" if shown else "")
    words_of = (name for name in loaders.opened(found).captioners if has_words(name))
    return names | {f"{PREFIX}{name}": f"Words of {name}" for name in words_of}


@lru_cache(maxsize=4)
def space(found: loaders.Found, by: str) -> Space:
    """Return the points of a map. ValueError or FileNotFoundError where the dissection was not prepared for it."""
    with loaders.READING:
        if by.startswith(PREFIX):
            return word_space(by.removeprefix(PREFIX))
        model = loaders.preferences().sentence_model or None
        return unit_space(loaders.opened(found), by, sentence_model=model if by.startswith("caption") else None)


def is_made(found: loaders.Found, by: str, method: str) -> bool:
    """Tell whether a map is there, or is made at once."""
    return method == "pca" or kept_map(space(found, by), _method(method)) is not None


def _method(name: str) -> Method:
    if name not in get_args(Method):
        raise ValueError(f"no map by {name[:40]!r}: choose pca or tsne")
    return name  # type: ignore[return-value]


@lru_cache(maxsize=4)
def map_json(found: loaders.Found, by: str, method: str) -> bytes:
    """Return a map as JSON; ValueError where t-SNE was not run yet."""
    if not is_made(found, by, method):
        raise ValueError("this t-SNE was not made yet: start it on the page, or run `mami map`")
    points = space(found, by)
    made = make_map(points, _method(method))
    about = {"space": points.name, "left_out": points.left_out, "method": method, "trust": number(made.trust),
             "places": encoded(made.places.astype("<f4"))}  # fmt: skip
    own = _words(found, by, points, made) if by.startswith(PREFIX) else _units(found, points, made)
    return json.dumps({**about, **own}, ensure_ascii=False, allow_nan=False).encode()


def _units(found: loaders.Found, points: Space, made: Map) -> dict[str, Any]:
    dissection = loaders.opened(found)
    keys: list[UnitKey] = list(points.keys)  # type: ignore[arg-type]  # of units, not of words
    rows = np.array([dissection.position(*key) for key in keys])
    with loaders.READING:
        said = {name: caption_texts(dissection, name) for name in dissection.captioners}
    captions = {name: [texts[row] for row in rows] for name, texts in said.items()}
    layers = list(dissection.layers)
    layer = np.array([layers.index(name) for name, _ in keys])
    states = loaders.table(found)["state"].to_numpy()[rows]
    topics = group_names(made.groups, next(iter(captions.values()))) if captions else []
    colours = {
        "cluster": _named("cluster", made.groups, _cluster_names(made, topics)),
        "layer": _named("layer", layer, layers, ordered=True),
        "state": _named("state", np.array([STATES.index(state) for state in states]), list(STATES)),
        **{name: {"name": text, "values": encoded(loaders.unit_figures(found, name)[rows].astype("<f4"))}
           for name, text in loaders.sorts(found).items() if name in FIGURES or name.startswith(OF_CAPTIONERS)},
    }  # fmt: skip
    return {
        "kind": "units",
        "layers": layers,
        "layer": encoded(layer.astype("<i4")),
        "unit": encoded(np.array([unit for _, unit in keys], dtype="<i4")),
        "captioners": list(captions),
        "captions": list(captions.values()),
        "colours": colours,
        "topics": topics or [""] * (int(made.groups.max()) + 1),
    }


def _words(found: loaders.Found, by: str, points: Space, made: Map) -> dict[str, Any]:
    said = _sayers(found, by.removeprefix(PREFIX))
    counts = np.array([len(said.get(str(word), ())) for word in points.keys])
    colours = {
        "units": {"name": "units that say it", "values": encoded(np.where(counts, counts, np.nan).astype("<f4")),
                  "counts": True},
        "cluster": _named("cluster", made.groups, _cluster_names(made, [])),
    }  # fmt: skip
    return {"kind": "words", "words": list(points.keys), "colours": colours, "topics": []}


def _named(name: str, values: np.ndarray, names: list[str], *, ordered: bool = False) -> dict[str, Any]:
    return {"name": name, "values": encoded(values.astype("<f4")), "names": names, "ordered": ordered}


def _cluster_names(made: Map, topics: list[str]) -> list[str]:
    count = int(made.groups.max()) + 1
    return [f"{place + 1}" + (f" {topics[place]}" if topics and topics[place] else "") for place in range(count)]


@lru_cache(maxsize=4)
def _sayers(found: loaders.Found, captioner: str) -> dict[str, list[UnitKey]]:
    with loaders.READING:
        return units_by_word(loaders.opened(found), captioner)


@lru_cache(maxsize=256)
def neighbours_json(found: loaders.Found, by: str, row: int) -> bytes:
    """Return the points most like one in its own space, and who says it where it is a word.

    KeyError where there is no such row.
    """
    points = space(found, by)
    if row >= len(points):
        raise KeyError(f"no point {row}: the map has {len(points)}")
    near = [{"row": place, "score": number(score)} for place, score in points.neighbours(row, NEAR)]
    body: dict[str, Any] = {"near": near}
    if by.startswith(PREFIX):
        captioner = by.removeprefix(PREFIX)
        units = _sayers(found, captioner).get(str(points.keys[row]), [])
        shown = [{"layer": layer, "unit": unit, "caption": loaders.spoken(found, layer, unit).get(captioner)}
                 for layer, unit in units[:SAYERS]]  # fmt: skip
        body |= {"units": shown, "total": len(units)}
    return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
