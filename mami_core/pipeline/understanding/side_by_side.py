"""`mami match` and `mami redundancy`: units of two networks that do the same, and units of one layer that do."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mami_core.config import MatchConfig, RedundancyConfig
from mami_core.pipeline.progress import print_result
from mami_core.pipeline.selection import chosen_keys
from mami_core.pipeline.understanding.listing import write_rows
from mami_core.probing.matching import caption_differences, match_units, redundancy
from mami_core.store import Dissection


def run_match(config: MatchConfig) -> None:
    """Match two layers' units, print how alike they are and where captions differ most."""
    first, second = Dissection.open(config.dissection), Dissection.open(config.other)
    layer = config.layer or first.layers[-1]
    other = config.other_layer or (layer if layer in second.layers else second.layers[-1])
    pairs = match_units(first, second, layer, other, how=config.how)
    captioner = _of_both(first, second, config.captioner)
    if captioner is not None:
        pairs = caption_differences(first, second, layer, other, pairs, captioner)
    if config.out is not None:
        write_rows(config.out, pairs)
    about = {"layer": layer, "other_layer": other, "captioner": captioner, "how": config.how, **_figures(pairs)}
    result = {**about, "pairs": pairs.astype(object).where(pairs.notna(), None).to_dict("records")}
    print_result(result, as_json=config.json, text=_text(about, pairs))


def _of_both(first: Dissection, second: Dissection, captioner: str | None) -> str | None:
    shared = [name for name in first.captioners if name in second.captioners]
    if captioner is not None and captioner not in shared:
        raise ValueError(f"{captioner!r} did not caption both; who did: {', '.join(shared) or 'nobody'}")
    return captioner or next(iter(shared), None)


def _figures(pairs: pd.DataFrame) -> dict[str, Any]:
    if pairs.empty:
        return {"count": 0, "median_correlation": None, "mutual": None, "mean_difference": None}
    difference = pairs["difference"].mean() if "difference" in pairs else float("nan")
    return {
        "count": len(pairs),
        "median_correlation": float(pairs["correlation"].median()),
        "mutual": float(pairs["mutual"].mean()),
        "mean_difference": None if pd.isna(difference) else float(difference),
    }


def _text(about: dict[str, Any], pairs: pd.DataFrame) -> str:
    if pairs.empty:
        return "no unit of either layer has a profile, so none can be matched"
    head = (
        f"{about['count']} pairs of {about['layer']} and {about['other_layer']}; median r "
        f"{about['median_correlation']:.2f}; {about['mutual']:.0%} are each other's best"
    )
    if about["mean_difference"] is not None:
        head += f"; captions of {about['captioner']} differ by {about['mean_difference']:.2f} (1 - word F1)"
    return f"{head}\n{pairs.head(10).to_string(index=False)}"


def run_redundancy(config: RedundancyConfig) -> None:
    """Print, layer by layer, how many units repeat another and as how many independent ones they count."""
    dissection = Dissection.open(config.dissection)
    layers = list(dict.fromkeys(layer for layer, _ in chosen_keys(dissection, config.layers, None)))
    found = {layer: redundancy(dissection, layer, threshold=config.threshold) for layer in layers}
    if config.out is not None:
        tables = [one.table.assign(layer=layer) for layer, one in found.items()]
        write_rows(config.out, pd.concat(tables, ignore_index=True))
    rows = [
        {"layer": layer, "units": one.units, "effective_units": round(one.effective_units, 2),
         "repeated": int((one.table["group"] >= 0).sum()), "groups": _groups(one.table),
         "nearest": one.table.to_dict("records")}
        for layer, one in found.items()
    ]  # fmt: skip
    lines = [f"{row['layer']}: {row['units']} units count as {row['effective_units']:.1f} independent ones; "
             f"{row['repeated']} repeat another in {row['groups']} groups (r >= {config.threshold})"
             for row in rows]  # fmt: skip
    print_result({"threshold": config.threshold, "layers": rows}, as_json=config.json, text="\n".join(lines))


def _groups(table: pd.DataFrame) -> int:
    return int(table["group"].max()) + 1 if len(table) else 0
