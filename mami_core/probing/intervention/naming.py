"""Which units a captioner says something of: the search that audit, analysis and editing begin with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, get_args

import numpy as np

from mami_core.probing.search import Mode, as_column, matches, says
from mami_core.probing.words import TextIndex, caption_texts
from mami_core.scenery.lexicon import PART_WORDS
from mami_core.store import Dissection, UnitKey

MODES: Final[tuple[Mode, ...]] = get_args(Mode)
ALIKE: Final = 0.2  # cosine of TF-IDF from which on a caption is taken to mean what was asked for


def a_captioner(dissection: Dissection, name: str | None) -> str:
    """Return the captioner to believe: the one named, else the last; ValueError where nothing is captioned."""
    if not dissection.captioners:
        raise ValueError(f"{dissection.name} has no captions to search; run `mami caption {dissection.path}` first")
    if name is not None and name not in dissection.captioners:
        raise ValueError(f"{name!r} did not caption {dissection.name}; {', '.join(dissection.captioners)} did")
    return name or dissection.captioners[-1]


def scores_of(texts: Sequence[str | None], wanted: str, mode: Mode) -> np.ndarray:
    """Return how well each caption fits a query, float64 (n,): 1 or 0; by meaning 0 to 1; 0 where nothing was said."""
    if mode not in MODES:
        raise ValueError(f"captions are searched by {', '.join(MODES)}, not by {mode!r}")
    if not wanted.strip():
        raise ValueError("an empty query finds no unit; name a word, for example `--query sky`")
    if mode == "meaning":
        return np.nan_to_num(TextIndex.of(texts).cosine(wanted))
    found = (says if mode == "text" else matches)(as_column(texts), wanted)
    return found.astype(np.float64)


def units_that_say(
    dissection: Dissection, captioner: str, wanted: str, mode: Mode = "text", *, layers: Sequence[str] = ()
) -> list[UnitKey]:
    """Return the units of `layers` (none: all) whose caption fits, in the dissection's order; by meaning best first."""
    scores = scores_of(caption_texts(dissection, captioner), wanted, mode)
    keys = dissection.unit_keys()
    found = [
        place for place in np.argsort(-scores, kind="stable") if scores[place] >= (ALIKE if mode == "meaning" else 1)
    ]
    return [keys[place] for place in found if not layers or keys[place][0] in layers]


def part_pattern(part: str) -> str:
    """Return a regular expression for every way to say a painted part; ValueError for a part there is not."""
    if part not in PART_WORDS:
        raise ValueError(f"no painted part is called {part!r}; there are {', '.join(PART_WORDS)}")
    phrases = sorted(PART_WORDS[part].phrases(), key=lambda phrase: (-len(phrase), phrase))
    return r"\b(?:" + "|".join(re.escape(phrase) for phrase in phrases) + r")\b"
