"""What was found out about single units by asking a captioner again: kept by content, read without torch."""

from __future__ import annotations

from typing import Any, Final, Literal

from mami_core.config import settings_sha256
from mami_core.store import Dissection, layout
from mami_core.store.atomic import sha256_of
from mami_core.store.kept_results import KeptResult, KeptResults
from mami_core.store.models import find_captioner

Kind = Literal["stability", "pieces"]
_VERSION: Final = 1  # raised when the same inputs would give other results


class Examined:
    """Results of one kind of a dissection's units, of one captioner, at one setting."""

    def __init__(self, kind: Kind, dissection: Dissection, captioner: str, **settings: Any) -> None:
        """FileNotFoundError where the captioner is not here."""
        names = [layout.UNITS, layout.EXEMPLARS, layout.IMAGES]
        names += [layout.maps_file(layer) for layer in dissection.layers]
        files = {name: dissection.manifest.files[name].sha256 for name in names if name in dissection.manifest.files}
        spoken = sha256_of(find_captioner(captioner))
        facts = {"version": _VERSION, "files": files, "captioner": spoken, "settings": settings}
        self._kind, self._digest = kind, settings_sha256(facts)

    def find(self, layer: str, unit: int) -> KeptResult | None:
        """Return what was found out about a unit; None where nothing was."""
        return self._of(layer).find(str(unit))

    def keep(self, layer: str, unit: int, facts: dict[str, Any]) -> KeptResult:
        """Keep what was found out."""
        return self._of(layer).keep(str(unit), facts, {})

    def _of(self, layer: str) -> KeptResults:
        return KeptResults(self._kind, self._digest, layer)
