"""Tables and sentences about a dissection, ready to be drawn: records in, words out, no widgets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from mami_core.probing.payload import decoding_text
from mami_core.store import Dissection


def layer_table(summary: Mapping[str, Any]) -> pd.DataFrame:
    """Return a row per layer of `summarise`."""
    return pd.DataFrame(summary["layers"], columns=["name", "units", "alive", "dead"]).rename(columns={"name": "layer"})


def captioner_table(dissection: Dissection) -> pd.DataFrame:
    """Return a row per captioner: how it decoded, what it learnt from, how many units it captioned."""
    rows = []
    for name, facts in dissection.manifest.captioners.items():
        states = dissection.captions(name)["state"]
        rows.append(
            {
                "captioner": name,
                "decoding": decoding_text(facts),
                "trained on": facts.get("trained_on") or "not recorded",
                "captioned": int((states == "ok").sum()),
                "failed": int((states == "failed").sum()),
            }
        )
    return pd.DataFrame(rows)


def trained_table(captioners: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a row per captioner of what its weights say of their training; None where they do not."""
    rows = []
    for name, facts in captioners.items():
        tried = facts.get("validation") or {}
        best: Mapping[str, float] = max(tried.values(), key=lambda figures: figures["bleu"], default={})
        rows.append(
            {
                "captioner": name,
                "epochs": facts.get("epochs"),
                "seed": facts.get("seed"),
                "trained on": (facts.get("trained_on") or "not recorded").replace(";", ", "),
                "decoding": decoding_text(facts),
                "validation BLEU": best.get("bleu"),
                "words": best.get("words"),
            }
        )
    return rows


def settings_text(dissection: Dissection) -> str:
    """Return in one line of Markdown what was dissected, with what, and which stages are not done."""
    manifest = dissection.manifest
    settings = manifest.settings
    weights = f"weights `{manifest.weights_sha256[:12]}`" if manifest.weights_sha256 else "weights not recorded"
    parts = [
        f"**Network** `{manifest.network}`, {weights}",
        f"**Images** `{manifest.dataset}`",
        f"**k** {settings.get('k', 'not recorded')}, **quantile** {settings.get('quantile', 'not recorded')}, "
        f"**seed** {settings.get('seed', 'not recorded')}",
    ]
    open_stages = [f"{stage} {state}" for stage, state in manifest.stages.items() if state != "done"]
    parts.append("**Stages** " + (", ".join(open_stages) if open_stages else f"all {len(manifest.stages)} done"))
    return " · ".join(parts)
