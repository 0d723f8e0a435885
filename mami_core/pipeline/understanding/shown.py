"""How figures and folders are written in the tables of the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def cell(figure: Mapping[str, Any], sign: str = "") -> str:
    """Return a figure with its 95 % interval; `sign` "+" for differences."""
    return f"{figure['value']:{sign}.3f} [{figure['low']:{sign}.3f}, {figure['high']:{sign}.3f}]"


def typed(folder: Path) -> str:
    """Return a folder as it was typed, or its name alone where that told where on this machine it lies."""
    return folder.name if folder.is_absolute() else str(folder)
