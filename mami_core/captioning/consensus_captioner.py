"""Captioner `consensus`: say what several decoders, told which words to expect, and similar units' people agree on.

Ours, beyond the papers. Four things differ from MILAN: a linear map says which words people would use (`words.py`);
several small decoders read those words instead of attending; candidates are drawn, copied from similar units'
references and crossed with each other; and the caption is chosen by its expected agreement with people
(`agreement.py`) and by the words that are expected. Everything is learnt from references: no true part is ever seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Final

import numpy as np
import torch

from mami_core.captioning.agreement import (
    BleuSlope,
    Evidence,
    Phrase,
    WordWorth,
    crossed,
    listed,
    paired,
    single_things,
    swapped,
)
from mami_core.captioning.beam import beam_search
from mami_core.captioning.ensemble import Ensemble
from mami_core.captioning.neighbours import Neighbours
from mami_core.captioning.sampling import content_seeds, sample
from mami_core.captioning.search import Decoded, greedy
from mami_core.captioning.tokens import tokenize
from mami_core.captioning.vocabulary import Vocabulary
from mami_core.captioning.words import WordVectors

_PROMISING = 80  # candidates that are crossed with each other
_WORTH = 0.3  # of a word's worth, beside the mean precision, where candidates are chosen to be crossed


@dataclass(frozen=True)
class ConsensusSettings:
    """How `consensus` decodes; saved with its captions."""

    drawn: int = 60  # captions drawn at temperature 1: candidates and evidence
    sober: int = 30  # captions drawn at a lower temperature: candidates only
    temperature: float = 0.7
    beam_size: int = 10
    neighbours: int = 50  # known units whose references are candidates and evidence; 0: none
    trust: float = 0.5  # how much their references count as evidence
    crossed: int = 1500  # most candidates made by crossing others; 0: none
    paired: int = 30  # things that are named two at a time: candidates; 0: none
    listed: int = 12  # things that are named three at a time: candidates; 0: none
    word_weight: float = 5.0  # how much naming expected words counts; 0: only agreement
    word_cost: float = 0.02  # a content word that gains less is better left unsaid
    discount: float = 0.87  # of a word's worth by its place
    first: float = 1.0  # how much more the first content word counts
    length: int = 15  # most words of a caption
    seed: int = 0

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> ConsensusSettings:
        """Return stored settings; ValueError for unknown ones."""
        unknown = sorted(set(stored) - {entry.name for entry in fields(cls)})
        if unknown:
            raise ValueError(f"unknown settings of captioner consensus: {', '.join(unknown)}")
        return cls(**stored)


# chosen on validation units of the world of seed 0, for references that list several things and for those that name one
FULL: Final = ConsensusSettings()
BRIEF: Final = replace(FULL, word_weight=0.2, crossed=500, paired=0, listed=0)
_LISTING: Final = 6.0  # mean words of references that list several things


def settings_for(texts: Sequence[Sequence[str]]) -> ConsensusSettings:
    """Return the settings for units' references: FULL where they have six words or more on average, else BRIEF."""
    words = [len(tokenize(text)) for given in texts for text in given]
    return FULL if np.mean(words) >= _LISTING else BRIEF


@dataclass(frozen=True, eq=False)
class Spoken:
    """What the decoders said of one unit."""

    drawn: tuple[Phrase, ...]  # at temperature 1: candidates, and evidence of what people would say
    likely: tuple[Phrase, ...]  # greedy, beam and drawn at a lower temperature: candidates


@dataclass(frozen=True, eq=False)
class Candidates:
    """What could be said of one unit, and what is expected of it."""

    captions: tuple[Phrase, ...]
    statistics: np.ndarray  # (C, 10), see `Evidence.statistics`
    worth: np.ndarray  # (C,), see `WordWorth`

    def best(self, slope: BleuSlope, word_weight: float) -> np.ndarray:
        """Return the candidates' places, best first."""
        return np.argsort(-(slope.scores(self.statistics) + word_weight * self.worth), kind="stable")


@dataclass(frozen=True, eq=False)
class Consensus:
    """The trained parts of captioner `consensus`."""

    words: WordVectors
    ensemble: Ensemble
    vocabulary: Vocabulary
    neighbours: Neighbours
    slope: BleuSlope = field(default_factory=BleuSlope)
    settings: ConsensusSettings = field(default_factory=ConsensusSettings)

    def captions(self, shares: np.ndarray, spoken: Sequence[Spoken] | None = None) -> list[str]:
        """Return one caption a unit, for the word shares (U, W) that the reader expects; `spoken` saves speaking."""
        weight = self.settings.word_weight
        return [" ".join(unit.captions[unit.best(self.slope, weight)[0]]) for unit in self.candidates(shares, spoken)]

    def candidates(self, shares: np.ndarray, spoken: Sequence[Spoken] | None = None) -> Iterator[Candidates]:
        """Yield every unit's candidates, for the word shares (U, W) that the reader expects."""
        vectors = self.words.vectors(shares)
        for row, said in enumerate(self.speak(shares) if spoken is None else spoken):
            yield self.weighed(shares[row], vectors[row], said)

    def speak(self, shares: np.ndarray, *, batch_size: int = 64) -> Iterator[Spoken]:
        """Yield what the decoders say of every unit."""
        vectors = self.words.vectors(shares)
        for start in range(0, len(vectors), batch_size):
            yield from self.spoken(vectors[start : start + batch_size])

    @torch.no_grad()
    def spoken(self, vectors: np.ndarray) -> list[Spoken]:
        """Return what the decoders say of units, word vectors (U, W)."""
        regions = torch.from_numpy(vectors.astype(np.float16).astype(np.float32)).unsqueeze(1)  # (U, 1, W)
        memory, settings = self.ensemble.prepare(regions), self.settings
        length = settings.length + 1  # the stop is a token too
        seeds = content_seeds(regions, seed=settings.seed)

        def draw(count: int, temperature: float, chance: int) -> list[list[Phrase]]:
            own = [seed + chance for seed in seeds]
            found = sample(self.ensemble, memory, self.vocabulary, length=length, seeds=own, count=count,
                           temperature=temperature)  # fmt: skip
            return self._read(found)

        beam = self._read(
            beam_search(
                self.ensemble, memory, self.vocabulary, length=length, width=settings.beam_size, length_power=0.9
            )
        )
        plain = self._read(greedy(self.ensemble, memory, self.vocabulary, length=length))
        sober = draw(settings.sober, settings.temperature, 1) if settings.sober else [[] for _ in plain]
        free = draw(settings.drawn, 1.0, 0)
        return [
            Spoken(tuple(drawn), (*first, *several, *calm))
            for drawn, first, several, calm in zip(free, plain, beam, sober, strict=True)
        ]

    def _read(self, found: Decoded) -> list[list[Phrase]]:
        said = [[self.vocabulary.decode(row) for row in unit] for unit in found.tokens]
        return [[phrase for phrase in unit if phrase] for unit in said]

    def weighed(self, shares: np.ndarray, vector: np.ndarray, said: Spoken) -> Candidates:
        """Return one unit's candidates with what is expected of them: shares and vector (W,)."""
        settings = self.settings
        copied: tuple[Phrase, ...] = ()
        if settings.neighbours:
            copied = self.neighbours.references(self.neighbours.nearest(vector[None], settings.neighbours)[0])
        evidence = Evidence(said.drawn, copied, settings.trust)
        gains = self.words.reader.gains(shares)
        worth = WordWorth(gains, settings.word_cost, settings.discount, settings.first)
        captions = list(dict.fromkeys([*said.likely, *said.drawn, *copied]))
        found = Candidates(tuple(captions), evidence.statistics(captions), worth.of(captions))
        more = self._made_of(found)
        return Candidates(
            (*found.captions, *more),
            np.concatenate([found.statistics, evidence.statistics(more)]),
            np.concatenate([found.worth, worth.of(more)]),
        )

    def _made_of(self, found: Candidates) -> list[Phrase]:
        """Return new captions, made of the captions that promise most: turned, joined and crossed."""
        settings = self.settings
        if not settings.crossed:
            return []
        precise = (found.statistics[:, 4:8] / np.maximum(found.statistics[:, :4], 1)).mean(1)
        order = np.argsort(-(precise + _WORTH * found.worth), kind="stable")[:_PROMISING]
        best = [found.captions[place] for place in order]
        turned = [other for caption in best if (other := swapped(caption)) is not None]
        pairs = paired(single_things(best, settings.paired))
        lists = listed(single_things(best, settings.listed))
        made = dict.fromkeys([*turned, *pairs, *lists, *crossed([*best, *turned], settings.crossed)])
        known = set(found.captions)
        return [caption for caption in made if caption not in known]

    def with_settings(self, **changes: Any) -> Consensus:
        """Return the same parts, decoded otherwise."""
        return replace(self, settings=replace(self.settings, **changes))

    def described(self) -> dict[str, Any]:
        """Return its settings as plain values."""
        return {**asdict(self.settings), "decoders": len(self.ensemble.decoders), "slope": self.slope.to_json()}
