"""What several commands check in the same way."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import Any


def require(condition: bool, message: str) -> None:
    """Raise ValueError with `message` unless `condition` holds."""
    if not condition:
        raise ValueError(message)


def settings_sha256(settings: Any) -> str:
    """Return the SHA-256 of a record's or mapping's settings, the same on every machine and in every session."""
    plain = asdict(settings) if hasattr(settings, "__dataclass_fields__") else settings
    return hashlib.sha256(json.dumps(plain, sort_keys=True, default=str).encode()).hexdigest()


def parse_units(text: str | None) -> frozenset[int] | None:
    """Return the unit numbers that `0-63,100` means; None for None, which stands for all.

    Raises ValueError for anything that is not numbers and ranges.
    """
    if text is None:
        return None
    chosen: set[int] = set()
    for piece in text.split(","):
        first, dash, last = piece.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise ValueError(f"units {text!r}: {piece!r} is neither a number nor a range; write like 0-63,100")
        end = int(last) if dash else int(first)
        if end < int(first):
            raise ValueError(f"units {text!r}: the range {piece!r} runs backwards")
        chosen.update(range(int(first), end + 1))
    return frozenset(chosen)


def parse_shard(text: str | None) -> tuple[int, int]:
    """Return (i, n) of a share written `i/n`, i from 0; (0, 1), the whole, for None."""
    if text is None:
        return 0, 1
    share, slash, total = text.partition("/")
    if not (slash and share.isdecimal() and total.isdecimal() and int(share) < int(total)):
        raise ValueError(f"--shard {text!r} is no share; write i/n with i from 0 to n - 1, like 0/4")
    return int(share), int(total)
