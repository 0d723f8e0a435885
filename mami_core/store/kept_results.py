"""Results that cost seconds to minutes and can be made again: kept under `MAMI_HOME` by what they were made from.

A result has a kind, the network's weights, a layer and a name of its own; it is facts (JSON) and files beside them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mami_core.store.atomic import replacing, sha256_of
from mami_core.store.home import cache_folder
from mami_core.store.layout import file_name

VISUALISATIONS: Final = "visualisations"
ATTRIBUTIONS: Final = "attributions"
WORDS: Final = "words"
_FILES: Final = "files"


@dataclass(frozen=True)
class KeptResult:
    """One result: its facts, and its files by their endings."""

    name: str
    facts: Mapping[str, Any]
    files: Mapping[str, Path]

    def read(self, ending: str) -> bytes:
        """Return a file's bytes."""
        return self.files[ending].read_bytes()


class KeptResults:
    """All results of one kind of one layer of one network."""

    def __init__(self, kind: str, weights_sha256: str, layer: str, *, root: Path | None = None) -> None:
        self.folder = (root or cache_folder()) / kind / weights_sha256[:16] / file_name(layer)

    def find(self, name: str) -> KeptResult | None:
        """Return a result; None where it was never made, or is not whole any more: it is made again then."""
        path = self._path(name, "json")
        try:
            body = json.loads(path.read_text(encoding="utf-8"))
            digests = body.pop(_FILES)
            files = {ending: self._path(name, ending) for ending in digests}
            whole = all(sha256_of(file) == digests[ending] for ending, file in files.items())
        except (OSError, ValueError, KeyError, AttributeError, TypeError):
            return None
        return KeptResult(name, body, files) if whole else None

    def all(self, beginning: str = "") -> Iterator[KeptResult]:
        """Yield the results whose names begin so, in the order of their names."""
        if not self.folder.is_dir():
            return
        for path in sorted(self.folder.glob("*.json")):
            name = path.name.removesuffix(".json")
            found = self.find(name) if name.startswith(file_name(beginning)) else None
            if found is not None:
                yield found

    def keep(self, name: str, facts: Mapping[str, Any], files: Mapping[str, bytes]) -> KeptResult:
        """Write a result: its files first, so that facts always stand for whole files."""
        for ending, data in files.items():
            with replacing(self._path(name, ending)) as partial:
                partial.write_bytes(data)
        digests = {ending: hashlib.sha256(data).hexdigest() for ending, data in files.items()}
        with replacing(self._path(name, "json")) as partial:
            partial.write_text(json.dumps({**facts, _FILES: digests}, indent=1), encoding="utf-8")
        return KeptResult(name, dict(facts), {ending: self._path(name, ending) for ending in files})

    def _path(self, name: str, ending: str) -> Path:
        return self.folder / f"{file_name(name)}.{ending}"
