"""`mami polysemantic`: a unit's exemplars in pieces, each piece captioned on its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from mami_core.captioning.features import UnitFeatures, alive_units
from mami_core.captioning.subsets import exemplar_vectors, exemplars_seen, with_counts
from mami_core.config import PolysemanticConfig, parse_units
from mami_core.device import choose_device
from mami_core.pipeline.progress import print_result, progress
from mami_core.pipeline.selection import chosen_keys
from mami_core.pipeline.understanding.listing import write_rows
from mami_core.pipeline.understanding.telling import Teller, open_teller
from mami_core.probing.examined import Examined
from mami_core.probing.polysemanticity import pieces
from mami_core.store import Dissection


def run_polysemantic(config: PolysemanticConfig) -> None:
    """Look for pieces in the living among the chosen units; what was found out before is not made again."""
    dissection = Dissection.open(config.dissection)
    alive = set(alive_units(dissection))
    keys = [key for key in chosen_keys(dissection, config.layers, parse_units(config.units)) if key in alive]
    results = Examined("pieces", dissection, config.captioner, seed=config.seed)
    with progress(quiet=config.json) as report:
        missing = [key for key in keys if results.find(*key) is None]
        if missing:
            teller = open_teller(config.captioner, choose_device(config.device))
            features = teller.regions(dissection, missing, report)
            for row, key in enumerate(features.keys):
                results.keep(*key, told_in_pieces(teller, features, row, seed=config.seed))
                report(f"{teller.name}: pieces", row + 1, len(missing))
    found = {key: results.find(*key) for key in keys}
    rows = [{"layer": key[0], "unit": key[1], **kept.facts} for key, kept in found.items() if kept is not None]
    if config.out is not None:
        write_rows(config.out, pd.DataFrame(_listed(rows)))
    result = {"captioner": config.captioner, "units": rows}
    print_result(result, as_json=config.json, text=_text(rows))


def told_in_pieces(teller: Teller, features: UnitFeatures, row: int, *, seed: int) -> dict[str, Any]:
    """Return a unit's pieces as plain values: each one's exemplars (ranks) and what is said of them alone."""
    seen = exemplars_seen(features, row)
    found = pieces(exemplar_vectors(features, row), seed=seed)
    members = [seen[found.labels == piece] for piece in range(found.count)]
    counts = np.zeros((found.count, features.grid[0]), dtype=np.int64)
    for piece, ranks in enumerate(members):
        counts[piece, ranks] = 1
    said = teller.say(with_counts(features, [row] * found.count, counts))
    parts = [{"exemplars": ranks.tolist(), "caption": text} for ranks, text in zip(members, said, strict=True)]
    known = {"silhouette": found.silhouette, "needed": found.needed}
    figures = {name: value if np.isfinite(value) else None for name, value in known.items()}
    return {"pieces": parts, **figures}


def _listed(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"layer": row["layer"], "unit": row["unit"], "piece": number, "of": len(row["pieces"]),
         "exemplars": " ".join(map(str, piece["exemplars"])), "caption": piece["caption"],
         "silhouette": row["silhouette"], "needed": row["needed"]}
        for row in rows
        for number, piece in enumerate(row["pieces"])
    ]  # fmt: skip


def _text(rows: Sequence[dict[str, Any]]) -> str:
    several = [row for row in rows if len(row["pieces"]) > 1]
    lines = [f"{row['layer']}/{row['unit']}: {_in_words(row['pieces'])}" for row in several[:20]]
    return "\n".join([*lines, f"{len(several)} of {len(rows)} units fall into several pieces"])


def _in_words(parts: Sequence[dict[str, Any]]) -> str:
    return " | ".join(f"{part['caption']!r} ({len(part['exemplars'])})" for part in parts)
