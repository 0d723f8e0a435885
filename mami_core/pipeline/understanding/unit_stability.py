"""`mami stability`: captions of bootstrapped exemplars, and their shares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from mami_core.captioning.features import UnitFeatures, alive_units
from mami_core.captioning.subsets import exemplars_seen, with_counts
from mami_core.config import StabilityConfig, parse_units
from mami_core.device import choose_device
from mami_core.pipeline.progress import Report, print_result, progress
from mami_core.pipeline.selection import chosen_keys
from mami_core.pipeline.understanding.listing import write_rows
from mami_core.pipeline.understanding.telling import Teller, open_teller
from mami_core.probing.examined import Examined
from mami_core.probing.stability import Stability, bootstrap_counts
from mami_core.store import Dissection, UnitKey

_TOGETHER: Final = 64  # units whose regions are asked for at a time, and kept when they are through


def run_stability(config: StabilityConfig) -> None:
    """Caption the living among the chosen units again and again; what was found out before is not made again."""
    dissection = Dissection.open(config.dissection)
    alive = set(alive_units(dissection))
    keys = [key for key in chosen_keys(dissection, config.layers, parse_units(config.units)) if key in alive]
    results = Examined("stability", dissection, config.captioner, resamples=config.resamples, seed=config.seed)
    with progress(quiet=config.json) as report:
        missing = [key for key in keys if results.find(*key) is None]
        if missing:
            teller = open_teller(config.captioner, choose_device(config.device))
            for start in range(0, len(missing), _TOGETHER):
                some = teller.regions(dissection, missing[start : start + _TOGETHER], report)
                for key, found in told_again(teller, some, config.resamples, config.seed, report):
                    results.keep(*key, facts_of(found))
    rows = [{"layer": layer, "unit": unit, **_facts(results, layer, unit)} for layer, unit in keys]
    if config.out is not None:
        write_rows(config.out, pd.DataFrame(_shares(rows)))
    result = {"captioner": config.captioner, "resamples": config.resamples, "units": rows}
    print_result(result, as_json=config.json, text=_text(rows))


def told_again(
    teller: Teller, features: UnitFeatures, resamples: int, seed: int, report: Report
) -> Iterator[tuple[UnitKey, Stability]]:
    """Yield each unit with what is said of all its exemplars and of resamples."""
    exemplars = features.grid[0]
    for row, (layer, unit) in enumerate(features.keys):
        counts = bootstrap_counts(exemplars_seen(features, row), exemplars, resamples, (seed, unit))
        every = np.ones((1, exemplars), dtype=np.int64)
        said = teller.say(with_counts(features, [row] * (resamples + 1), np.concatenate([every, counts])))
        yield (layer, unit), Stability(said[0], tuple(said[1:]))
        report(f"{teller.name}: resamples", row + 1, len(features))


def facts_of(found: Stability) -> dict[str, Any]:
    """Return a unit's figures as plain values."""
    return {
        "caption": found.caption,
        "same": found.same,
        "agreement": found.agreement,
        "shares": found.shares,
        "words": found.word_shares,
    }


def _facts(results: Examined, layer: str, unit: int) -> dict[str, Any]:
    kept = results.find(layer, unit)
    if kept is None:
        raise ValueError(f"what was found out about {layer}/{unit} was removed while it was read; run it again")
    return dict(kept.facts)


def _shares(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {**{name: row[name] for name in ("layer", "unit", "agreement")}, "caption": text, "share": share,
         "of_all_exemplars": text == row["caption"]}
        for row in rows
        for text, share in row["shares"]
    ]  # fmt: skip


def _text(rows: Sequence[dict[str, Any]]) -> str:
    if not rows:
        return "none of the chosen units is alive"
    lines = [f"{row['layer']}/{row['unit']}: agreement {row['agreement']:.2f}, same caption {row['same']:.0%}; "
             f"{row['caption']!r}" for row in rows[:20]]  # fmt: skip
    mean = np.mean([row["agreement"] for row in rows])
    return "\n".join([*lines, f"{len(rows)} units: word F1 of two resamples {mean:.2f} in the mean"])
