"""How near captions come to what people wrote: BLEU in three named forms, variety, repetition, length.

BLEU is Papineni et al. 2002, counted by sacrebleu; what the field calls BLEU differs in tokens, smoothing and penalty
enough to reorder systems, so each form has a name. Length alone moves BLEU, so its brevity penalty stands beside it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

import numpy as np

PresetName = Literal["milan", "sat", "coco"]
ORDERS: Final = 4


@dataclass(frozen=True, slots=True)
class NotComputed:
    """Stands where a figure would, and says why there is none. Never a number."""

    reason: str


@dataclass(frozen=True, slots=True)
class BleuPreset:
    """One form of BLEU: how text is cleaned and cut, what an n-gram never met costs, whether brevity is punished."""

    name: PresetName
    clean: Callable[[str], str]
    tokenize: str  # sacrebleu's name of the tokeniser
    smooth: str  # sacrebleu's name of the smoothing
    brevity: bool


def clean_milan(text: str) -> str:
    """Clean text as MILAN's evaluation does."""
    return text.lower().strip(". ")


def clean_coco(text: str) -> str:
    """Cut text into words much as the Penn Treebank tokeniser of COCO's evaluation does, without its Java.

    Clitics become words of their own, punctuation goes, hyphenated words stay whole.

    >>> clean_coco("The dog's nose, red-brown (wet).")
    "the dog 's nose red-brown -lrb- wet -rrb-"
    """
    text = text.lower().translate(_BRACKETS)
    text = re.sub(r"n't\b", " n't", text)
    text = re.sub(r"(?<=\w)'(s|re|ve|ll|d|m)\b", r" '\1", text)
    words = re.findall(r"-[lr][rc]b-|n't|'(?:s|re|ve|ll|d|m)\b|\w+(?:[-./']\w+)*|[^\s\w.?!,:;\-'\"`]", text)
    return " ".join(words)


_BRACKETS: Final = str.maketrans({"(": " -lrb- ", ")": " -rrb- ", "{": " -lcb- ", "}": " -rcb- "})
PRESETS: Final[dict[str, BleuPreset]] = {
    "milan": BleuPreset("milan", clean_milan, "13a", "exp", brevity=True),
    "sat": BleuPreset("sat", clean_milan, "13a", "none", brevity=False),  # "without a brevity penalty", Xu et al. §5
    "coco": BleuPreset("coco", clean_coco, "none", "none", brevity=True),
}


@dataclass(frozen=True, slots=True)
class Bleu:
    """A corpus's BLEU, 0 to 100. `orders` are BLEU-1 to BLEU-4; `score` is the last of them."""

    preset: PresetName
    orders: tuple[float, ...]
    precisions: tuple[float, ...]  # of 1- to 4-grams, smoothed where the form smooths
    brevity_penalty: float  # 1: output is no shorter than the references; in `sat` it is shown but not applied
    caption_words: int
    reference_words: int  # of each unit's reference nearest in length

    @property
    def score(self) -> float:
        """Return BLEU-4."""
        return self.orders[-1]


def preset_named(name: str) -> BleuPreset:
    """Return a preset; ValueError names those there are."""
    if name not in PRESETS:
        raise ValueError(f"no BLEU preset {name!r}; there are {', '.join(PRESETS)}")
    return PRESETS[name]


@lru_cache(maxsize=8)
def _counter(preset: str) -> Any:
    from sacrebleu.metrics.bleu import BLEU

    # effective_order only silences a warning meant for scores of single sentences; counts do not depend on it
    return BLEU(tokenize=PRESETS[preset].tokenize, effective_order=True)


def words_of(text: str, preset: str = "milan") -> list[str]:
    """Return a text's words as BLEU in this form counts them."""
    return _counter(preset).tokenizer(preset_named(preset).clean(text)).split()


def bleu_statistics(captions: Sequence[str], references: Sequence[Sequence[str]], preset: str = "milan") -> np.ndarray:
    """Return what BLEU is made of, int64 (units, 10): caption words, reference words, matches 1-4, n-grams 1-4.

    Rows add up: a corpus's BLEU is that of their sum, so resampling units needs no recounting. Each unit keeps all
    of its references, however many others have.

    Raises ValueError for a unit without a reference that says anything.
    """
    if len(captions) != len(references):
        raise ValueError(f"{len(captions)} captions but references of {len(references)} units")
    clean, counter = preset_named(preset).clean, _counter(preset)
    rows = np.zeros((len(captions), 2 + 2 * ORDERS), dtype=np.int64)
    for row, (caption, given) in enumerate(zip(captions, references, strict=True)):
        said = [text for text in map(clean, given) if text]
        if not said:
            raise ValueError(f"unit number {row} has no reference that says anything; leave it out")
        found = counter.sentence_score(clean(caption), said)
        rows[row] = [found.sys_len, found.ref_len, *found.counts, *found.totals]
    return rows


def bleu_from_statistics(total: np.ndarray, preset: str = "milan") -> Bleu:
    """Return BLEU of a sum (10,) of rows of `bleu_statistics`."""
    from sacrebleu.metrics.bleu import BLEU

    form = preset_named(preset)
    words, reference_words = int(total[0]), int(total[1])
    matches, grams = total[2 : 2 + ORDERS].tolist(), total[2 + ORDERS :].tolist()
    orders = []
    for order in range(1, ORDERS + 1):
        # without a penalty: lengths that call for none
        lengths = (words, reference_words) if form.brevity else (1, 1)
        found = BLEU.compute_bleu(
            matches[:order], grams[:order], *lengths, smooth_method=form.smooth, max_ngram_order=order
        )
        orders.append(float(found.score))
    penalty = _brevity_penalty(words, reference_words)
    return Bleu(form.name, tuple(orders), tuple(found.precisions), penalty, words, reference_words)


def bleu4(totals: np.ndarray, preset: str = "milan") -> np.ndarray:
    """Return BLEU-4 (…,) of many sums (…, 10) of rows of `bleu_statistics` at once: `bleu_from_statistics(…).score`."""
    form = preset_named(preset)
    matches = totals[..., 2 : 2 + ORDERS].astype(np.float64)
    grams = totals[..., 2 + ORDERS :].astype(np.float64)
    if form.smooth == "exp":  # the k-th order without a match counts as 1 / 2^k of one
        missed = (matches == 0) & (grams > 0)
        matches = np.where(missed, 0.5 ** missed.cumsum(-1), matches)
    with np.errstate(divide="ignore", invalid="ignore"):
        score = 100 * np.exp(np.log(matches / grams).mean(-1))
        return np.nan_to_num(score * (brevity_penalties(totals) if form.brevity else 1.0))


def brevity_penalties(totals: np.ndarray) -> np.ndarray:
    """Return the brevity penalties (…,) of many sums (…, 10) of rows of `bleu_statistics`; 0 where nothing is said."""
    with np.errstate(divide="ignore"):
        return np.exp(np.minimum(0, 1 - totals[..., 1] / totals[..., 0]))


def _brevity_penalty(words: int, reference_words: int) -> float:
    if words >= reference_words:
        return 1.0
    return float(np.exp(1 - reference_words / words)) if words else 0.0


def bleu(captions: Sequence[str], references: Sequence[Sequence[str]], preset: str = "milan") -> Bleu:
    """Return corpus BLEU of one caption a unit against all references of that unit.

    >>> round(bleu(["red roofs of houses"], [["red roofs of small houses", "roofs"]]).score, 2)
    49.76
    """
    return bleu_from_statistics(bleu_statistics(captions, references, preset).sum(axis=0), preset)


def zip_truncated(references: Sequence[Sequence[str]]) -> list[Sequence[str]]:
    """Cut every unit's references to the smallest number that any unit has, as MILAN's `zip(*references)` does.

    Only for reproducing its figures: it throws references away.
    """
    fewest = min((len(given) for given in references), default=0)
    return [given[:fewest] for given in references]


def distinct_n(captions: Sequence[str], order: int) -> float | NotComputed:
    """Return the share of n-grams of all captions together that are different ones (Li et al. 2016, "distinct-n")."""
    grams = [gram for caption in captions for gram in _grams(words_of(caption), order)]
    return len(set(grams)) / len(grams) if grams else NotComputed(f"no caption has {order} words")


def longest_repetition(caption: str) -> int:
    """Return how many words the longest phrase has that a caption says twice, without overlap; 0: none.

    >>> longest_repetition("a roof and a door and a roof")
    2
    """
    words = words_of(caption)
    for size in range(len(words) // 2, 0, -1):
        first: dict[tuple[str, ...], int] = {}
        for start, phrase in enumerate(_grams(words, size)):
            if start - first.setdefault(phrase, start) >= size:
                return size
    return 0


@dataclass(frozen=True, slots=True)
class Lengths:
    """How long captions are, in words."""

    mean: float
    median: float
    mode: int
    longest: int
    over_15: float  # share of captions longer than 15 words, where MILAN's decoding is cut
    empty: int


def lengths(captions: Sequence[str]) -> Lengths:
    """Return how long captions are; ValueError when there are none."""
    if not captions:
        raise ValueError("no captions, so no lengths")
    counts = np.array([len(words_of(caption)) for caption in captions])
    mode = Counter(counts.tolist()).most_common(1)[0][0]
    return Lengths(
        mean=float(counts.mean()),
        median=float(np.median(counts)),
        mode=int(mode),
        longest=int(counts.max()),
        over_15=float((counts > 15).mean()),
        empty=int((counts == 0).sum()),
    )


def _grams(words: Sequence[str], order: int) -> list[tuple[str, ...]]:
    return [tuple(words[start : start + order]) for start in range(len(words) - order + 1)]
