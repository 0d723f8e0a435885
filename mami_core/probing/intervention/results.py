"""What silencing found, kept under `MAMI_HOME` so that the page shows it: a run takes seconds to minutes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from mami_core.config import settings_sha256
from mami_core.store.kept_results import KeptResults

KIND: Final = "interventions"
SILENCE: Final = "silence"
EDITING: Final = "editing"
ANALYSIS: Final = "analysis"
_NO_SETTING: Final = ("out", "json", "device", "batch_size", "dissection", "dissections")  # they change no figure


def keep_result(what: str, of: str, settings: Mapping[str, Any], figures: Mapping[str, Any]) -> str:
    """Keep the figures of one run, in the place of an earlier run of the same settings; return its name.

    `of`: the SHA-256 of the network's weights, or a word for several networks.
    """
    told = {name: _plain(value) for name, value in settings.items() if name not in _NO_SETTING}
    name = settings_sha256(told)[:16]
    facts = {"settings": told, "made": datetime.now(UTC).isoformat(timespec="seconds"), "figures": dict(figures)}
    KeptResults(KIND, of, what).keep(name, json.loads(json.dumps(facts)), {})
    return name


def kept_results(what: str, of: str) -> list[dict[str, Any]]:
    """Return what is kept, newest first: settings, made (ISO 8601, UTC), figures."""
    found = [dict(result.facts) for result in KeptResults(KIND, of, what).all()]
    return sorted(found, key=lambda facts: facts["made"], reverse=True)


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    return list(value) if isinstance(value, tuple) else value
