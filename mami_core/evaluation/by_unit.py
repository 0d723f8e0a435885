"""Every measure of every caption, unit by unit: the one table from which means, breakdowns and galleries are drawn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import pandas as pd

from mami_core.evaluation.claims import rule_f1
from mami_core.evaluation.measures import RULED, TRUTHS
from mami_core.evaluation.text import ORDERS, bleu4, bleu_statistics, clean_milan, longest_repetition, words_of
from mami_core.evaluation.truth import score_caption
from mami_core.scenery.content import UnitContent
from mami_core.scenery.planted.rules import Rule
from mami_core.store import UnitKey

if TYPE_CHECKING:
    from mami_core.evaluation.held_out import HeldOut  # torch: who only shows figures does not wait for it

Kind = Literal["captioner", "copy", "constant", "shuffled", "annotator", "oracle"]
COUNTED: Final = tuple(f"bleu_{place}" for place in range(2 + 2 * ORDERS))  # rows of `bleu_statistics`, preset milan


@dataclass(frozen=True)
class Voice:
    """One who says something of each unit: a captioner, a floor, an annotator, the oracle. None: says nothing."""

    name: str
    kind: Kind
    captions: Mapping[UnitKey, str | None]


@dataclass(frozen=True)
class Known:
    """What is known of units. Each part may be missing: then its measures are not computed."""

    keys: Sequence[UnitKey]
    references: Mapping[UnitKey, Sequence[str]]
    contents: Mapping[UnitKey, UnitContent]
    rules: Mapping[UnitKey, Rule]
    held_out: HeldOut | None = None


def unit_scores(voices: Iterable[Voice], known: Known) -> pd.DataFrame:
    """Return a row per voice and unit: `voice, kind, layer, unit, family, purity, caption, words, repeats`, measures.

    The measures are `TRUTHS`, `bleu` (of this caption alone, preset milan) and what the BLEU of several adds up from.
    NaN where a measure has no meaning, or what it needs is not known; a unit without a caption has none at all.
    An annotator is held against the other annotators of the unit.
    """
    rows = [row for voice in voices for row in _rows(voice, known)]
    columns = ["voice", "kind", "layer", "unit", "family", "purity", "caption", "words", "repeats"]
    table = pd.DataFrame(rows, columns=[*columns, *TRUTHS, "bleu", *COUNTED])
    return table.astype(dict.fromkeys(("purity", "words", "repeats", *TRUTHS, "bleu", *COUNTED), np.float64))


def _rows(voice: Voice, known: Known) -> Iterator[dict[str, Any]]:
    for key in known.keys:
        row: dict[str, Any] = {"voice": voice.name, "kind": voice.kind, "layer": key[0], "unit": key[1]}
        content, rule, caption = known.contents.get(key), known.rules.get(key), voice.captions.get(key)
        row |= {"family": rule.family if rule else None, "purity": content.purity if content else None}
        if caption is not None:
            row |= {"caption": caption, "words": len(words_of(caption)), "repeats": longest_repetition(caption)}
            row |= _truth(key, caption, known)
            row |= _text(caption, _judges(voice, caption, known.references.get(key, ())))
        yield row


def _truth(key: UnitKey, caption: str, known: Known) -> dict[str, float]:
    content, rule = known.contents.get(key), known.rules.get(key)
    found = score_caption(caption, content) if content else {}
    if rule is not None and rule.terms:
        found |= {RULED: rule_f1(caption, rule)}
    return found | (known.held_out.scores(key, caption) if known.held_out else {})


def _judges(voice: Voice, caption: str, references: Sequence[str]) -> list[str]:
    said = [text for text in references if clean_milan(text)]
    if voice.kind == "annotator" and caption in said:
        said.remove(caption)
    return said


def _text(caption: str, references: Sequence[str]) -> dict[str, float]:
    if not references:
        return {}
    counted = bleu_statistics([caption], [references])[0]
    return {"bleu": float(bleu4(counted)), **dict(zip(COUNTED, counted.tolist(), strict=True))}
