"""Does a caption say what the unit does? Read by the fixed grammar and held against the true content of its masks.

Which measure catches which fault (the two sanity tests of Neuron_Eval, Oikarinen et al. 2025, are tests of ours):

| measure | a caption too narrow (true parts left out) | a caption too broad (other parts added) |
|---|---|---|
| names_top, first_is_top | only if the top part is what is left out | no: naming everything wins |
| recall_top3 | yes | no |
| precision | no | yes |
| attribute_f1 | yes | yes |

So names_top is never shown without precision beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set

import numpy as np
import pandas as pd

from mami_core.evaluation.intervals import Interval, bootstrap_mean
from mami_core.scenery.content import UnitContent
from mami_core.scenery.reading import CaptionMeaning, read_caption
from mami_core.scenery.wording import Meaning

UnitKey = tuple[str, int]  # layer, unit
MEASURES = ("names_top", "first_is_top", "recall_top3", "precision", "attribute_f1")
TOP_RECALL, TOP_PRECISION = 3, 5
IMPURE = 0.3  # units whose top part holds less of the mask are hard to describe
CLEAR_PLACE = 0.5  # fraction of the exemplars
ATTRIBUTES = frozenset({"part", "colour", "texture", "position", "place"})


def truth_scores(captions: Mapping[UnitKey, str | None], contents: Mapping[UnitKey, UnitContent]) -> pd.DataFrame:
    """Return a row per unit of `contents`, in its order: `layer, unit, captioned`, the measures, and what they rest on.

    A unit without a caption (absent or None) has `captioned` False and no values: it is counted, not scored. An empty
    caption scores 0 everywhere. A caption that names no part has no precision (NaN) but scores 0 on the rest that
    asks for parts. ValueError for a caption of a unit whose content is unknown.
    """
    unknown = [key for key in captions if key not in contents]
    if unknown:
        raise ValueError(
            f"{len(unknown)} captioned units have no known content, e.g. {unknown[0]}; truth metrics need units that "
            f"were dissected on painted scenes."
        )
    rows = [_row(key, captions.get(key), content) for key, content in contents.items()]
    return pd.DataFrame(rows, columns=["layer", "unit", "captioned", *MEASURES, "purity", "words", "parts", "unread"])


def score_caption(caption: str, content: UnitContent) -> dict[str, float]:
    """Return the measures for one caption; precision is NaN where a non-empty caption names no part."""
    said = read_caption(caption)
    if not said.words:
        return dict.fromkeys(MEASURES, 0.0)
    named = said.parts
    ranked = [share.name for share in content.parts]
    main = set(ranked[:TOP_PRECISION])
    return {
        "names_top": float(ranked[0] in named),
        "first_is_top": float(bool(named) and named[0] == ranked[0]),
        "recall_top3": float(np.mean([part in named for part in ranked[:TOP_RECALL]])),
        "precision": float(np.mean([part in main for part in named])) if named else float("nan"),
        "attribute_f1": attribute_f1(said_attributes(said), true_attributes(content)),
    }


def said_attributes(said: CaptionMeaning) -> frozenset[Meaning]:
    """Return what a caption affirms of the kinds that a rule can hold: part, colour, texture, position, place."""
    return frozenset(meaning for meaning in said.meanings if meaning.category in ATTRIBUTES)


def true_attributes(content: UnitContent) -> frozenset[Meaning]:
    """Return a unit's content as a rule: its three main parts, two colours, first texture, position, clear place."""
    place = [name for name, share in content.places[:1] if share >= CLEAR_PLACE]
    named: Mapping[str, Iterable[str]] = {
        "part": [share.name for share in content.parts[:TOP_RECALL]],
        "colour": [share.name for share in content.colours[:2]],
        "texture": [share.name for share in content.textures[:1]],
        "position": content.positions,
        "place": place,
    }
    return frozenset(Meaning(category, name) for category, names in named.items() for name in names)


def attribute_f1(said: Set[Meaning], rule: Set[Meaning]) -> float:
    """Return 2·hits / (said + rule): the harmonic mean of precision and recall over attributes."""
    if not rule:
        raise ValueError("The rule holds no attribute; a unit without a rule cannot be scored against one.")
    return 2.0 * len(said & rule) / (len(said) + len(rule))


def summarise(frame: pd.DataFrame, *, seed: int = 0) -> dict[str, Interval]:
    """Return each measure's mean over captioned units with its 95 % interval, and `names_top_impure`.

    An interval's `count` says how many units it rests on: for precision those that name a part. A measure no unit
    has is absent from the answer. ValueError where not one unit is captioned.
    """
    captioned = frame[frame["captioned"]]
    if captioned.empty:
        raise ValueError("No unit of this table is captioned; there is nothing to summarise.")
    samples = {measure: captioned[measure].dropna() for measure in MEASURES}
    samples["names_top_impure"] = captioned.loc[captioned["purity"] < IMPURE, "names_top"]
    return {name: bootstrap_mean(values.to_numpy(), seed) for name, values in samples.items() if len(values)}


def not_captioned(frame: pd.DataFrame) -> int:
    """Return how many units have no caption, to be shown beside every mean."""
    return int((~frame["captioned"]).sum())


def _row(key: UnitKey, caption: str | None, content: UnitContent) -> dict[str, object]:
    row: dict[str, object] = {"layer": key[0], "unit": key[1], "captioned": caption is not None}
    row["purity"] = content.purity
    if caption is None:
        return row | dict.fromkeys(MEASURES, float("nan")) | {"words": None, "parts": None, "unread": None}
    said = read_caption(caption)
    texts = {"words": said.words, "parts": ", ".join(said.parts), "unread": " ".join(said.unread_words)}
    return row | score_caption(caption, content) | texts
