"""Search what captioners said: plain text, regular expressions that cannot run away, and meaning, all offline.

Regular expressions run in RE2 (Cox 2007, "Regular Expression Matching Can Be Simple And Fast"), which Arrow brings
along: an automaton, linear in the text whatever the pattern, its memory bounded, so nobody's pattern can hold up the
server. Patterns that no automaton can match (look-around, back-references) or that would grow too large are refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mami_core.probing.sentences import SentenceModel
from mami_core.probing.similarity import best
from mami_core.probing.words import TextIndex, caption_texts
from mami_core.store import Dissection

Mode = Literal["text", "pattern", "meaning"]
LONGEST_QUERY: Final = 500  # characters
COLUMNS: Final = ("layer", "unit", "captioner", "caption", "score")


def as_column(texts: Sequence[str | None]) -> pa.StringArray:
    """Return texts as what `contains` and `matches` search; make it once for many searches."""
    return pa.array(texts, type=pa.string())


def contains(column: pa.Array, wanted: str) -> np.ndarray:
    """Return where a text holds `wanted`, whatever the case, bool (n,); False where there is no text. O(characters)."""
    return _answer(pc.match_substring(column, _checked(wanted), ignore_case=True))


def matches(column: pa.Array, pattern: str) -> np.ndarray:
    """Return where a regular expression is found, whatever the case, bool (n,); False where there is no text.

    O(characters). ValueError says what is wrong with a pattern, or that RE2 cannot match it in linear time.
    """
    try:
        return _answer(pc.match_substring_regex(column, _checked(pattern), ignore_case=True))
    except pa.ArrowInvalid as problem:
        reason = str(problem).removeprefix("Invalid regular expression: ")
        hint = "" if "missing" in reason else "; look-around, back-references and counts above 1000 are not offered"
        raise ValueError(f"/{pattern}/ is not a regular expression that can be searched for: {reason}{hint}") from None


def says(column: pa.Array, wanted: str) -> np.ndarray:
    """Return where a text holds `wanted`: a /regular expression/, a whole "word", or anything else as it stands.

    The filter's own notation.
    """
    text = wanted.strip()
    inner = text[1:-1]
    if inner and text[0] == text[-1] == "/":
        return matches(column, inner)
    if inner and text[0] == text[-1] == '"':
        return matches(column, rf"(?:^|\W){re.escape(inner)}(?:\W|$)")
    return contains(column, text)


def _checked(wanted: str) -> str:
    if len(wanted) > LONGEST_QUERY:
        raise ValueError(f"the search has {len(wanted)} characters; at most {LONGEST_QUERY} are taken")
    return wanted


def _answer(found: pa.Array) -> np.ndarray:
    return found.fill_null(False).to_numpy(zero_copy_only=False)


@dataclass(frozen=True, eq=False)
class SearchIndex:
    """All captions of a dissection, ready to be searched. Made once in O(words), about 35 microseconds a caption."""

    rows: pd.DataFrame  # layer, unit, captioner, caption: a row per unit that was captioned and captioner
    column: pa.StringArray
    words: TextIndex
    model: SentenceModel | None
    vectors: np.ndarray | None  # (rows, D) float32 of length 1, where there is a model

    @classmethod
    def of(
        cls, dissection: Dissection, captioners: Sequence[str] | None = None, *, model: SentenceModel | None = None
    ) -> SearchIndex:
        """Read what some captioners (default: all) said. With a sentence model, each distinct caption is embedded."""
        parts = [_said(dissection, name) for name in captioners or dissection.captioners]
        empty = pd.DataFrame(columns=list(COLUMNS[:-1]))
        rows = pd.concat(parts, ignore_index=True) if parts else empty
        texts = rows["caption"].tolist()
        vectors = None if model is None else _distinct(model, texts)
        return cls(rows, as_column(texts), TextIndex.of(texts), model, vectors)

    @property
    def method(self) -> str:
        """Return what a search by meaning compares, as the screen says it."""
        return f"sentence model {self.model.name}" if self.model is not None else "TF-IDF of words"

    def search(self, wanted: str, mode: Mode = "text", *, count: int | None = None) -> pd.DataFrame:
        """Return `COLUMNS` of the captions found: in the dissection's order, score 1; by meaning, best first.

        `count`: at most so many. By meaning, captions with nothing in common with `wanted` are left out; without a
        `count` a sentence model, to which everything is a little alike, gives all. ValueError for a bad pattern.
        """
        if mode not in get_args(Mode):
            raise ValueError(f"no search by {mode!r}; choose one of {', '.join(get_args(Mode))}")
        if not wanted.strip():
            return self.rows.iloc[:0].assign(score=np.empty(0))
        if mode == "meaning":
            scores = self.likeness(wanted)
            places = best(np.where(scores > 0, scores, np.nan), len(scores) if count is None else count)
            return self.rows.iloc[places].assign(score=scores[places]).reset_index(drop=True)
        found = np.flatnonzero(contains(self.column, wanted) if mode == "text" else matches(self.column, wanted))
        return self.rows.iloc[found[:count]].assign(score=1.0).reset_index(drop=True)

    def likeness(self, wanted: str) -> np.ndarray:
        """Return how alike each caption is to `wanted`, float64 (rows,): cosine of TF-IDF or of sentence vectors."""
        if self.model is None or self.vectors is None:
            return self.words.cosine(_checked(wanted))
        return (self.vectors @ self.model.embed([_checked(wanted)])[0]).astype(np.float64)


def open_search(dissection: Dissection, *, model: str | Path | None = None) -> SearchIndex:
    """Return an index over all captioners; `model` is a local sentence model's folder, None for TF-IDF."""
    return SearchIndex.of(dissection, model=None if model is None else SentenceModel.open(model))


def _said(dissection: Dissection, captioner: str) -> pd.DataFrame:
    texts = np.array(caption_texts(dissection, captioner), dtype=object)
    spoken = np.array([text is not None for text in texts], dtype=bool)
    rows = dissection.units.loc[spoken, ["layer", "unit"]].reset_index(drop=True)
    return rows.assign(captioner=captioner, caption=texts[spoken])


def _distinct(model: SentenceModel, texts: Sequence[str]) -> np.ndarray:
    place = {text: row for row, text in enumerate(dict.fromkeys(texts))}
    vectors: Any = model.embed(list(place))
    return vectors[[place[text] for text in texts]]
