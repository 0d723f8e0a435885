"""How far an optimised picture got, beside the images that were dissected."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from mami_core.store import Dissection

SILENT = "no picture was found that it answers to: it stayed the same from the first step to the last"


def against_dataset(dissection: Dissection | None, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a dissection adds to a visualisation's facts: `dataset`, `share`, `unit_state` and `said`.

    `dataset` is the unit's largest activation over the dissected images (negative side: its smallest), `share` the
    best picture's over it; None where it was not dissected or the figure was not kept.
    """
    silent = SILENT if facts["state"] == "silent" else None
    answer: dict[str, Any] = {"dataset": None, "share": None, "unit_state": None, "said": silent}
    layer, unit = facts["layer"], facts["unit"]
    if dissection is None or unit is None or (layer, unit) not in set(dissection.unit_keys()):
        return answer
    negative = bool(facts["recipe"]["negative"])
    row = dissection.units.iloc[dissection.position(layer, unit)]
    extreme = float(row.get("histogram_low", math.nan) if negative else row["max"])
    if negative and extreme >= 0 > min(facts["reached"]):
        extreme = math.nan  # the pictures tell of what enters a ReLU, the dissection of what leaves it
    answer["unit_state"] = str(row["state"])
    if silent and row["state"] != "alive":
        answer["said"] = f"{silent}; over the dissected images it was {row['state']}"
    if math.isfinite(extreme):
        best = (min if negative else max)(facts["reached"])
        answer |= {"dataset": extreme, "share": best / extreme if extreme else None}
    return answer
