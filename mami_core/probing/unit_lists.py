"""Units as a text that people can read, edit and share: `units layer3:5; layer4:1-4,9`."""

from __future__ import annotations

import re
from typing import Final

from mami_core.store import UnitKey

BEGINNING: Final = "units "
LONGEST: Final = 8000  # characters: what an address may hold
_LAYER: Final = re.compile(r"(.+):([\d,\s-]+)")
_MOST: Final = 1_000_000


def is_unit_list(text: str) -> bool:
    """Tell whether a text names units one by one."""
    return text.strip().startswith(BEGINNING) and ":" in text


def parse_unit_list(text: str) -> frozenset[UnitKey]:
    """Return the units that a text names; ValueError says which part cannot be read."""
    if len(text) > LONGEST:
        raise ValueError(f"the list of units has {len(text)} characters; at most {LONGEST} are taken")
    found: set[UnitKey] = set()
    for part in text.strip().removeprefix(BEGINNING).split(";"):
        layer = _LAYER.fullmatch(part.strip())
        if layer is None:
            raise ValueError(f"{part.strip()[:60]!r} names no units; write `units layer4:1-4,9; layer3:5`")
        for piece in layer[2].split(","):
            first, last = _ends(piece.strip())
            found.update((layer[1], unit) for unit in range(first, last + 1))
    return frozenset(found)


def _ends(piece: str) -> tuple[int, int]:
    first, dash, last = piece.partition("-")
    if not first.isdecimal() or (dash and not last.isdecimal()) or len(piece) > 15:
        raise ValueError(f"{piece[:40]!r} is no unit's number, nor a range such as 3-7")
    ends = int(first), int(last) if dash else int(first)
    if ends[1] - ends[0] > _MOST:
        raise ValueError(f"{piece!r} are more units than any layer has")
    return ends
