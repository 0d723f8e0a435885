"""How a training went, epoch by epoch, beside its weights: `log.jsonl`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from mami_core.store.atomic import replacing

LOG: Final = "log.jsonl"


def write_training_log(folder: Path, epochs: Sequence[Mapping[str, float]]) -> None:
    """Write a line per epoch."""
    lines = [json.dumps({"epoch": epoch, **figures}) for epoch, figures in enumerate(epochs)]
    with replacing(folder / LOG) as partial:
        partial.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_training_log(folder: Path) -> list[dict[str, Any]]:
    """Return the epochs of a training; none where no log was kept. ValueError where it cannot be read."""
    path = folder / LOG
    if not path.is_file():
        return []
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    except ValueError as problem:
        raise ValueError(f"{path} cannot be read ({problem}); train again or remove it") from None
