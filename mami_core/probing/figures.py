"""One figure a unit that lists sort by and filters bound: how strong, how selective, how well and how alike described.

Each is float64 (units,) in the order of `dissection.units`, NaN where it was not computed or cannot be told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import zip_longest
from typing import Final

import numpy as np
import pandas as pd

from mami_core.evaluation.firing import FIRING
from mami_core.evaluation.measures import CONTENT, RULED, TITLES
from mami_core.evaluation.truth import score_caption
from mami_core.probing.disagreement import captioner_disagreement, head_disagreement
from mami_core.probing.noteworthy import unit_selectivity
from mami_core.probing.words import caption_texts, word_f1
from mami_core.scenery.content import UnitContent
from mami_core.store import Dissection
from mami_core.store.evaluations import kept_scores

OF_A_UNIT: Final[dict[str, str]] = {
    "unit": "layer and unit",
    "maximum": "maximum activation",
    "selectivity": "selectivity",
    "words": "caption length",
    "disagreement": "disagreement of captioners",
    "meaning": "likeness to the text",
    "purity": "purity: share of the top part in the masks",
}
OF_A_CAPTIONER: Final[dict[str, str]] = {
    "pmi": "PMI",
    "score": "score",
    "references": "word F1 with the nearest reference",
    "heads": "disagreement of heads",
} | TITLES


def is_known(name: str) -> bool:
    """Tell whether a figure may be called so: `maximum`, or `pmi:<captioner>`."""
    kind, colon, captioner = name.partition(":")
    return kind in OF_A_CAPTIONER and bool(captioner) if colon else name in OF_A_UNIT


def figure_names(dissection: Dissection) -> dict[str, str]:
    """Return the figures that this dissection's units have, each with its name in words."""
    captioners = dissection.captioners
    left_out = set() if len(captioners) > 1 else {"disagreement"}
    left_out |= set() if captioners else {"words", "meaning"}
    known = any("parts" in truth for truth in dissection.truth.values())
    left_out |= set() if known else {"purity"}
    kept = _kept_measures(dissection)
    names = {name: text for name, text in OF_A_UNIT.items() if name not in left_out}
    for captioner in captioners:
        measure = dissection.manifest.captioners[captioner].get("score_name")
        kinds = {
            "pmi": not measure,
            "references": not dissection.references.empty,
            "heads": _heads(dissection, captioner) > 1,
            **dict.fromkeys(CONTENT, known),
            **{measure: (captioner, measure) in kept for measure in (RULED, *FIRING)},
        }
        names |= {f"score:{captioner}": f"{measure}, {captioner}"} if measure else {}
        names |= {f"{kind}:{captioner}": f"{OF_A_CAPTIONER[kind]}, {captioner}" for kind, has in kinds.items() if has}
    return names


def _heads(dissection: Dissection, captioner: str) -> int:
    said = dissection.captions(captioner)
    first = next(iter(said.index[(said["state"] == "ok").to_numpy()]), None)
    return 0 if first is None else len(dissection.attention(captioner, *first))


def unit_figure(dissection: Dissection, name: str) -> np.ndarray:
    """Return one figure of every unit. ValueError for one that this dissection lacks; heads take seconds for 30,000."""
    kind, _, captioner = name.partition(":")
    if captioner and captioner not in dissection.captioners:
        raise ValueError(f"{captioner!r} did not caption {dissection.name}: its units have no {name!r}")
    if not is_known(name) or (kind not in _OF_UNIT and kind not in _OF_CAPTIONER):
        raise ValueError(f"units have no figure {name!r}; choose one of {', '.join(figure_names(dissection))}")
    return _OF_CAPTIONER[kind](dissection, captioner) if captioner else _OF_UNIT[kind](dissection)


def _maximum(dissection: Dissection) -> np.ndarray:
    return dissection.units["max"].to_numpy(dtype=np.float64)


def _words(dissection: Dissection) -> np.ndarray:
    """Return the number of words of the longest caption."""
    longest = np.full(len(dissection.units), np.nan)
    for captioner in dissection.captioners:
        lengths = [len(text.split()) if text else np.nan for text in caption_texts(dissection, captioner)]
        longest = np.fmax(longest, np.array(lengths, dtype=np.float64))
    return longest


def _pmi(dissection: Dissection, captioner: str) -> np.ndarray:
    said = dissection.captions(captioner).reindex(pd.MultiIndex.from_frame(dissection.units[["layer", "unit"]]))
    return np.where((said["state"] == "ok").to_numpy(), said["pmi"].to_numpy(dtype=np.float64), np.nan)


def _score(dissection: Dissection, captioner: str) -> np.ndarray:
    """Return what a captioner's maker measures it by: IoU, similarity, people's ratings."""
    said = dissection.captions(captioner)
    keys = pd.MultiIndex.from_frame(dissection.units[["layer", "unit"]])
    if "score" not in said:  # written before captions had one
        return np.full(len(keys), np.nan)
    return said["score"].reindex(keys).to_numpy(dtype=np.float64)


def _references(dissection: Dissection, captioner: str) -> np.ndarray:
    """Return the word F1 of each caption with the reference it is nearest to."""
    texts = caption_texts(dissection, captioner)
    nearest = np.full(len(texts), np.nan)
    sets = [[entry.text for entry in dissection.references_of(*key)] for key in dissection.unit_keys()]
    for references in zip_longest(*sets) if any(sets) else ():
        nearest = np.fmax(nearest, word_f1(texts, references))
    return nearest


def _purity(dissection: Dissection) -> np.ndarray:
    contents = (dissection.truth.get(key, {}) for key in dissection.unit_keys())
    return np.array([truth["parts"][0][1] if truth.get("parts") else np.nan for truth in contents])


def _content(dissection: Dissection, captioner: str, measure: str) -> np.ndarray:
    """Return how a caption does against what the unit's masks hold."""
    texts = caption_texts(dissection, captioner)
    values = np.full(len(texts), np.nan)
    for row, (key, text) in enumerate(zip(dissection.unit_keys(), texts, strict=True)):
        truth = dissection.truth.get(key, {})
        if text is not None and "parts" in truth:
            values[row] = score_caption(text, UnitContent.from_dict(truth))[measure]
    return values


def _kept(dissection: Dissection) -> list[pd.DataFrame]:
    """Return what evaluations found of units, one table a split."""
    found = (kept_scores(dissection.path, split) for split in (*dissection.splits, "all"))
    return [table for table in found if table is not None]


def _kept_measures(dissection: Dissection) -> set[tuple[str, str]]:
    """Return (captioner, measure) of what evaluations measured beyond what takes a moment."""
    return {
        (voice, measure)
        for table in _kept(dissection)
        for voice, own in table.groupby("voice")
        for measure in (RULED, *FIRING)
        if own[measure].notna().any()
    }


def _measured(dissection: Dissection, captioner: str, measure: str) -> np.ndarray:
    """Return what an evaluation measured; NaN for units of splits that were not evaluated."""
    values = np.full(len(dissection.units), np.nan)
    for table in _kept(dissection):
        own = table[table["voice"] == captioner]
        rows = [dissection.position(layer, unit) for layer, unit in zip(own["layer"], own["unit"], strict=True)]
        values[rows] = own[measure]
    return values


_OF_UNIT: Final[Mapping[str, Callable[[Dissection], np.ndarray]]] = {
    "maximum": _maximum,
    "selectivity": unit_selectivity,
    "words": _words,
    "disagreement": captioner_disagreement,
    "purity": _purity,
}
_OF_CAPTIONER: Final[Mapping[str, Callable[[Dissection, str], np.ndarray]]] = {
    "pmi": _pmi,
    "score": _score,
    "references": _references,
    "heads": head_disagreement,
    **{measure: partial(_content, measure=measure) for measure in CONTENT},
    **{measure: partial(_measured, measure=measure) for measure in (RULED, *FIRING)},
}
