"""Train captioner `consensus`: words, decoders, neighbours, and where it stands on validation units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np

from mami_core.captioning.agreement import BleuSlope, log_bleu
from mami_core.captioning.consensus_captioner import Candidates, Consensus, ConsensusSettings, Spoken, settings_for
from mami_core.captioning.decoder import Decoder
from mami_core.captioning.ensemble import Ensemble
from mami_core.captioning.neighbours import Neighbours
from mami_core.captioning.vocabulary import Vocabulary
from mami_core.captioning.words import one_region
from mami_core.training.batches import DescribedUnits
from mami_core.training.captioner import CaptionerRecipe, EpochProgress, train_captioner
from mami_core.training.loop import LoopSettings
from mami_core.training.words import LearntWords, learn_words

_ROUNDS: Final = 6
_ANCHOR: Final = 0.5  # how much the captions that a search starts from count beside those it ends at


def _recipe() -> CaptionerRecipe:
    loop = LoopSettings(epochs=6, patience=6, learning_rate=5e-3)
    return CaptionerRecipe(feature_dropout=0.3, regions=0, loop=loop)


@dataclass(frozen=True)
class ConsensusRecipe:
    """How captioner `consensus` is trained."""

    decoders: int = 2
    kind: str = "par-inject"
    decoder: CaptionerRecipe = field(default_factory=_recipe)
    settings: ConsensusSettings | None = None  # None: those for references like these
    seed: int = 0


def train_consensus(
    train: DescribedUnits,
    validation: DescribedUnits,
    vocabulary: Vocabulary,
    *,
    words: LearntWords,
    length: int,
    recipe: ConsensusRecipe | None = None,
    folder: Path | None = None,
    progress: EpochProgress | None = None,
) -> Consensus:
    """Return captioner `consensus`, its slope fitted on validation units.

    `words` are learnt from the same training units' references, of this set or of several: see `learnt_words`.
    """
    recipe = recipe or ConsensusRecipe()
    told = told_words(words, train, validation)
    decoders = tuple(
        _decoder(number, told, vocabulary, length, recipe, folder, progress) for number in range(recipe.decoders)
    )
    made = Consensus(
        words=words.vectors,
        ensemble=Ensemble(decoders),
        vocabulary=vocabulary,
        neighbours=Neighbours.of(words.vectors.vectors(words.held_out), train.texts),
        settings=replace(recipe.settings or settings_for(train.texts), length=length, seed=recipe.seed),
    )
    return with_slope(made, words.vectors.reader.shares(pooled_regions(validation)))


def with_slope(made: Consensus, shares: np.ndarray, spoken: Sequence[Spoken] | None = None) -> Consensus:
    """Return the captioner with the slope fitted on validation units, by the word shares (U, W) expected of them."""
    return replace(made, slope=fit_slope(list(made.candidates(shares, spoken)), made.settings.word_weight))


def learnt_words(train: DescribedUnits, *, seed: int = 0) -> LearntWords:
    """Return a reader of the words of training units' references."""
    return learn_words(pooled_regions(train), train.texts, seed=seed)


def pooled_regions(units: DescribedUnits) -> np.ndarray:
    """Return described units' mean regions, float32 (U, D)."""
    return units.features.pooled()[np.asarray(units.rows)]


def told_words(
    words: LearntWords, train: DescribedUnits, validation: DescribedUnits
) -> tuple[DescribedUnits, DescribedUnits]:
    """Return the units with their expected words as their only region; training units' are read unseen."""
    seen = words.vectors.reader.shares(pooled_regions(validation))
    return as_words(train, words, words.held_out), as_words(validation, words, seen)


def as_words(units: DescribedUnits, words: LearntWords, shares: np.ndarray) -> DescribedUnits:
    """Return the units with the words that are expected of them, shares (U, W), as their only region."""
    keys = tuple(units.features.keys[row] for row in units.rows)
    like = replace(units.features, keys=keys)
    return DescribedUnits(one_region(like, words.vectors.vectors(shares)), tuple(range(len(units))), units.texts)


def _decoder(
    number: int,
    told: tuple[DescribedUnits, DescribedUnits],
    vocabulary: Vocabulary,
    length: int,
    recipe: ConsensusRecipe,
    folder: Path | None,
    progress: EpochProgress | None,
) -> Decoder:
    own = replace(recipe.decoder.loop, seed=recipe.seed * 100 + number)
    decoder, _ = train_captioner(
        recipe.kind,
        *told,
        vocabulary,
        length=length,
        recipe=replace(recipe.decoder, loop=own),
        folder=None if folder is None else folder / f"decoder-{number}",
        progress=progress,
    )
    return decoder


def fit_slope(units: Sequence[Candidates], word_weight: float) -> BleuSlope:
    """Return the slope of corpus BLEU where captions chosen by it stand, on units for which that is known by trying.

    Candidates are exchanged one unit at a time as long as the expected corpus BLEU, and the words' worth, rise.
    Corpus BLEU of two-word captions can be had by saying next to no 4-gram: the captions from which the search starts
    count along, so that it cannot wander off to there.
    """
    chosen = [_promising(unit) for unit in units]
    total = np.sum([unit.statistics[place] for unit, place in zip(units, chosen, strict=True)], axis=0)
    anchor, count = _ANCHOR * total, (1 + _ANCHOR) * len(units)
    for _ in range(_ROUNDS):
        changed = False
        for number, unit in enumerate(units):
            rest = total - unit.statistics[chosen[number]]
            expected = log_bleu((anchor + rest + unit.statistics) / count)
            best = int((expected + word_weight * unit.worth / len(units)).argmax())
            changed |= best != chosen[number]
            chosen[number], total = best, rest + unit.statistics[best]
        if not changed:
            break
    return BleuSlope.at((anchor + total) / count)


def _promising(unit: Candidates) -> int:
    precise = (unit.statistics[:, 4:8] / np.maximum(unit.statistics[:, :4], 1)).mean(1)
    short = np.minimum(0, unit.statistics[:, 9] - unit.statistics[:, 8])
    return int((precise + 0.05 * (unit.worth + short)).argmax())
