"""The dashboard, the demo, and what is installed here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mami_core.config.checks import require


@dataclass(frozen=True)
class DashboardConfig:
    """Open the dashboard on dissections; without any, on the bundled demo and what `MAMI_HOME` holds."""

    dissections: tuple[Path, ...] = ()
    port: int = 8501
    address: str = "127.0.0.1"
    headless: bool = False  # do not open a browser
    allow_code: bool = False  # let forms name path.py:factory, which runs that file's code


@dataclass(frozen=True)
class DemoConfig:
    """Make the embedded world's demo from nothing: paint, train, dissect, describe, caption."""

    out: Path
    models: Path | None = None  # where the models that made it go; none: into the demo itself
    seed: int = 0
    scale: float = 1.0  # how much of everything; small values are for tests
    device: str = "auto"
    json: bool = False

    def __post_init__(self) -> None:
        require(0 < self.scale <= 4, f"--scale must lie in (0, 4], got {self.scale}")


@dataclass(frozen=True)
class DoctorConfig:
    """Look whether everything this program needs is there and works; the output names no folders, to be pasted."""

    json: bool = False


@dataclass(frozen=True)
class LicencesConfig:
    """List the packages that this program brings with it, and their licences."""

    json: bool = False
