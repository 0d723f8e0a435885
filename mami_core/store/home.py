"""Where things are kept: `MAMI_HOME`, and what is bundled with the program."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from mami_core.store.layout import MANIFEST


def bundled_assets() -> Path:
    """Return the folder of the bundled demo and models: inside an installed package, beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "assets"
    return inside if inside.is_dir() else package.parent / "assets"


ASSETS = bundled_assets()
DEMO = ASSETS / "demo"


def home() -> Path:
    """Return the user's data folder: `MAMI_HOME`, else the platform's own; it need not exist yet."""
    named = os.environ.get("MAMI_HOME")
    if named:
        return Path(named).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "mami"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "mami"
    return Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share")) / "mami"


def dissections_folder() -> Path:
    """Return where dissections are looked for by name."""
    return home() / "dissections"


def models_folder() -> Path:
    """Return where captioners, encoders and networks are looked for by name."""
    return home() / "models"


def cache_folder() -> Path:
    """Return where what can be made again is kept."""
    return home() / "cache"


def find_dissections(named: tuple[Path, ...] = ()) -> list[Path]:
    """Return the dissections that can be opened: those named, those in `MAMI_HOME`, the bundled demo; each once."""
    folder = dissections_folder()
    kept = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    candidates = [*(path.resolve() for path in named), *(path.resolve() for path in kept), DEMO]
    return [path for path in dict.fromkeys(candidates) if (path / MANIFEST).is_file()]
