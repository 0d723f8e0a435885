"""What `mami evaluate` found of a dissection, kept by its content: after another caption it is another dissection."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import pandas as pd

from mami_core.store.kept_results import KeptResults
from mami_core.store.layout import MANIFEST

EVALUATIONS: Final = "evaluations"
_TABLE: Final = "parquet"


def keep_evaluation(
    dissection: Path, split: str, references: str, report: Mapping[str, Any], scores: pd.DataFrame
) -> None:
    """Keep a report (JSON) and its table of units."""
    table = io.BytesIO()
    scores.to_parquet(table, index=False)
    _of(dissection, split).keep(references, report, {_TABLE: table.getvalue()})


def kept_evaluation(dissection: Path, split: str, references: str) -> tuple[Mapping[str, Any], pd.DataFrame] | None:
    """Return what was kept of a dissection as it is now; None where it was not evaluated so since it changed."""
    found = _of(dissection, split).find(references)
    return None if found is None else (found.facts, pd.read_parquet(found.files[_TABLE]))


def kept_scores(dissection: Path, split: str) -> pd.DataFrame | None:
    """Return the table of units of any evaluation of a split; None where there is none."""
    found = next(_of(dissection, split).all(), None)
    return None if found is None else pd.read_parquet(found.files[_TABLE])


def kept_state(dissection: Path, split: str) -> tuple[tuple[str, int], ...]:
    """Return which evaluations of a split are kept and since when: changes whenever one is made."""
    folder = _of(dissection, split).folder
    return tuple((path.name, path.stat().st_mtime_ns) for path in sorted(folder.glob("*.json")))


def _of(dissection: Path, split: str) -> KeptResults:
    manifest = dissection / MANIFEST
    return KeptResults(EVALUATIONS, _digest(manifest, manifest.stat().st_mtime_ns), split)


@lru_cache(maxsize=64)
def _digest(manifest: Path, _changed: int) -> str:
    return hashlib.sha256(manifest.read_bytes()).hexdigest()
