"""`mami licences`: every package that this program brings with it, and under which licence."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from typing import Final

from mami_core.config import LicencesConfig
from mami_core.pipeline.progress import print_result

_NAME: Final = re.compile(r"^[A-Za-z0-9._-]+")
_LONGEST: Final = 60  # some packages put the licence's whole text into its field


def run_licences(config: LicencesConfig) -> None:
    """Print name, version and licence of what is installed of `mami` and all that it needs."""
    rows = [
        {"package": found.metadata["Name"], "version": found.version, "licence": licence_of(found)}
        for found in needed("mami")
    ]
    text = "\n".join(f"{row['package']:32} {row['version']:16} {row['licence']}" for row in rows)
    print_result({"packages": rows}, as_json=config.json, text=text)


def needed(name: str) -> list[Distribution]:
    """Return a package's distribution and those of all it needs, extras too, by name; what is not installed is not."""
    found: dict[str, Distribution] = {}
    waiting = [name]
    while waiting:
        key = _plain(waiting.pop())
        if key in found:
            continue
        try:
            found[key] = distribution(key)
        except PackageNotFoundError:
            continue
        wanted = found[key].requires or []
        own = key == _plain(name)  # of others, only what they cannot do without
        waiting += [
            match.group() for text in wanted if (own or "extra ==" not in text) and (match := _NAME.match(text))
        ]
    return [found[key] for key in sorted(found)]


def licence_of(found: Distribution) -> str:
    """Return a package's licence: its SPDX expression, else its classifiers, else the first line it gives."""
    about = found.metadata.json  # the core metadata, keys in small letters
    if "license_expression" in about:
        return str(about["license_expression"])
    kinds = [text.rpartition(" :: ")[2] for text in about.get("classifier", ()) if text.startswith("License ::")]
    if kinds:
        return ", ".join(kinds)
    lines = str(about.get("license") or "").strip().splitlines()
    return lines[0][:_LONGEST] if lines else "not said"


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
