"""Which region made each word of a unit's caption, kept by captioner, dissection, unit and caption."""

from __future__ import annotations

import math

import numpy as np
from torch import Tensor

from mami_core.captioning.captioner import Captioner
from mami_core.config import settings_sha256
from mami_core.probing.attribution.keeping import ARRAYS, packed
from mami_core.probing.attribution.words import WordAttribution, attribute_words
from mami_core.store import Dissection, UnitKey
from mami_core.store.kept_results import WORDS, KeptResult, KeptResults

_VERSION = 1


def words_shelf(dissection: Dissection, layer: str) -> KeptResults:
    """Return where the words of a dissection's captions are kept: it is known by what it was made from."""
    about = {"settings": dissection.manifest.settings.get("settings_sha256"), "of": dissection.manifest.name}
    return KeptResults(WORDS, settings_sha256(about), layer)


def kept_words(
    dissection: Dissection,
    captioner: Captioner,
    key: UnitKey,
    words: tuple[str, ...],
    regions: Tensor,
    weight: Tensor,
    grid: tuple[int, int, int],
) -> KeptResult:
    """Explain a caption's words by the unit's regions (N, D), weight (N,) of a grid (exemplars, h, w), once."""
    about = {"words": words, "provenance": dict(captioner.provenance), "version": _VERSION}
    name = f"{key[1]}~{captioner.name}~{settings_sha256(about)[:16]}"
    shelf = words_shelf(dissection, key[0])
    kept = shelf.find(name)
    if kept is not None:
        return kept
    checkpoint = captioner.checkpoint
    made = attribute_words(checkpoint.decoder, checkpoint.vocabulary, regions.float(), weight.float(), words)
    arrays = {name: getattr(made, name) for name in ("attention", "gradients", "occlusion")}
    return shelf.keep(name, _facts(made, captioner.name, grid), {ARRAYS: packed(arrays)})


def _facts(made: WordAttribution, captioner: str, grid: tuple[int, int, int]) -> dict[str, object]:
    best = made.occlusion.argmax(1)  # (W,)
    places = [[int(part) for part in np.unravel_index(region, grid)] for region in best]
    agreement = {
        name: [value if math.isfinite(value) else None for value in found] for name, found in made.agreement().items()
    }
    return {
        "captioner": captioner,
        "words": list(made.words),
        "grid": list(grid),
        "log_p": made.log_p.tolist(),
        "log_p_plain": made.log_p_plain.tolist(),
        "strongest": places,
        "lost": made.occlusion.max(1).tolist(),
        "agreement": agreement,
    }
