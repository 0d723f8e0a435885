"""What a user settled on: kept in `MAMI_HOME/settings.json`, across restarts."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields

from mami_core.store.atomic import replacing
from mami_core.store.home import home

FILE = "settings.json"


@dataclass(frozen=True, slots=True)
class Preferences:
    """Empty: not settled, so the program's own default."""

    reviewer: str = ""  # whose name labels carry
    device: str = "auto"  # what computes: auto, cpu, cuda, cuda:1, mps
    sentence_model: str = ""  # folder of a sentence model for search by meaning; empty: TF-IDF

    @classmethod
    def load(cls) -> Preferences:
        """Return what was saved; the defaults where nothing was. ValueError for a file that is not ours."""
        path = home() / FILE
        if not path.is_file():
            return cls()
        try:
            saved = dict(json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as problem:
            raise ValueError(f"{path} is damaged ({problem}); delete it to start from the defaults") from problem
        return cls(**{entry.name: str(saved[entry.name]) for entry in fields(cls) if entry.name in saved})

    def save(self) -> None:
        """Write the settings."""
        with replacing(home() / FILE) as partial:
            partial.write_text(json.dumps(asdict(self), indent=2), encoding="utf-8")
