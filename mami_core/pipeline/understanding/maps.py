"""`mami map`: units or words on a plane, with how far it can be trusted, as a table or for the embedding projector."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mami_core.config import MapConfig
from mami_core.exports.neurons import neuron_table
from mami_core.exports.projector import write_vectors
from mami_core.pipeline.progress import print_result, progress
from mami_core.pipeline.understanding.listing import write_rows
from mami_core.probing.spaces.maps import Map, make_map
from mami_core.probing.spaces.space import Space
from mami_core.probing.spaces.units import unit_space
from mami_core.probing.spaces.words import PREFIX, units_by_word, word_space
from mami_core.store import Dissection


def run_map(config: MapConfig) -> None:
    """Make a map, or find it made; print what it is and what it can be trusted for."""
    dissection = Dissection.open(config.dissection)
    words = config.by.startswith(PREFIX)
    with progress(quiet=config.json) as report:
        report("vectors", 0, 1)
        space = _space(dissection, config)
        report("vectors", 1, 1)
        report(config.method, 0, 1)
        made = make_map(space, config.method, groups=config.clusters, seed=config.seed)
        report(config.method, 1, 1)
    about = {
        "space": space.name,
        "points": len(space),
        "left_out": space.left_out,
        "method": config.method,
        "trustworthiness": round(made.trust, 4),
        "out": None if config.out is None else str(config.out),
    }
    if config.out is not None:
        facts = _words(dissection, config.by.removeprefix(PREFIX), space) if words else _units(dissection, space)
        _write(config.out, space, made, facts)
    print_result(about, as_json=config.json, text=_text(about))


def _space(dissection: Dissection, config: MapConfig) -> Space:
    if config.by.startswith(PREFIX):
        return word_space(config.by.removeprefix(PREFIX))
    return unit_space(dissection, config.by, sentence_model=config.sentence_model)


def _units(dissection: Dissection, space: Space) -> pd.DataFrame:
    """Return what is known of the units on a map: layer, unit, state, every captioner's caption."""
    table = neuron_table(dissection, keys=space.keys)  # type: ignore[arg-type]  # of units, not of words
    shown = {"layer": table["layer"], "unit": table["unit"], "state": table["state"]}
    return pd.DataFrame(shown | {name: table[f"{name}.caption"] for name in dissection.captioners})


def _words(dissection: Dissection, captioner: str, space: Space) -> pd.DataFrame:
    """Return the words on a map, each with how many units' captions hold it."""
    said = units_by_word(dissection, Path(captioner).name)
    return pd.DataFrame({"word": space.keys, "units": [len(said.get(str(word), ())) for word in space.keys]})


def _write(out: Path, space: Space, made: Map, facts: pd.DataFrame) -> None:
    placed = facts.assign(x=made.places[:, 0], y=made.places[:, 1], cluster=made.groups)
    if out.suffix:
        write_rows(out, placed)
    else:
        vectors = space.vectors.toarray() if hasattr(space.vectors, "toarray") else np.asarray(space.vectors)
        write_vectors(out, vectors, placed)


def _text(about: dict[str, Any]) -> str:
    lines = [
        f"{about['points']} points by {about['space']} ({about['left_out']} have no vector)",
        f"{about['method']}: trustworthiness {about['trustworthiness']:.3f} (10 neighbours, cosine; 1 is all)",
    ]
    return "\n".join([*lines, *([f"wrote {about['out']}"] if about["out"] else [])])
