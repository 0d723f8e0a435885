"""How to cite one unit of a dissection: BibTeX that names everything needed to find the unit again."""

from __future__ import annotations

import re
from typing import Final

from mami_core.store import Dissection

LINK: Final = "<link>"  # stands for the address, which only the reader of the page knows
_SPECIAL = re.compile(r"[&%$#_{}\\~^]")
_NAMED = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}


def bibtex(dissection: Dissection, layer: str, unit: int) -> str:
    """Return a BibTeX entry of a unit: network, images, settings, hashes, captions and who said them, and `LINK`.

    KeyError for a unit that was not dissected.
    """
    dissection.row(layer, unit)
    manifest = dissection.manifest
    settings = manifest.settings
    facts = [
        f"Images: {manifest.dataset} ({manifest.images:,})",
        *(f"{name}: {settings[name]}" for name in ("k", "quantile", "seed") if name in settings),
        f"weights SHA-256: {(manifest.weights_sha256 or 'not recorded')[:16]}",
        f"image list SHA-256: {manifest.image_ids_sha256[:16]}",
        *(f"{name}: ``{caption.text}''" for name, caption in _said(dissection, layer, unit).items()),
        *(["simulated: painted images, not photographs"] if manifest.simulated else []),
    ]
    fields = {
        "title": f"{{Unit {unit} of {_escaped(layer)} in {_escaped(manifest.network)}, dissected with MAMI}}",
        "note": f"{{{_escaped('; '.join(facts))}}}",
        "howpublished": f"{{\\url{{{LINK}}}}}",
    }
    key = re.sub(r"\W+", "-", f"mami-{dissection.name}-{layer}-{unit}")
    return f"@misc{{{key},\n" + "".join(f"  {name} = {value},\n" for name, value in fields.items()) + "}"


def _said(dissection: Dissection, layer: str, unit: int) -> dict:
    captions = dissection.neuron(layer, unit).captions
    return {name: caption for name, caption in captions.items() if caption.state == "ok"}


def _escaped(text: str) -> str:
    """Return text that LaTeX prints as it stands."""
    return _SPECIAL.sub(lambda found: _NAMED.get(found[0], f"\\{found[0]}"), text)
