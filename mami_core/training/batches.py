"""Described units, and how they are cut into batches: every reference once an epoch, in an order the seed decides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from mami_core.captioning.features import RegionBatch, UnitFeatures, UnitKey
from mami_core.captioning.tokens import tokenize
from mami_core.captioning.vocabulary import Vocabulary
from mami_core.store import Dissection


@dataclass(frozen=True, eq=False)
class DescribedUnits:
    """Units with their regions and references, as token ids without start or stop."""

    features: UnitFeatures
    rows: tuple[int, ...]  # which rows of the features these units are
    texts: tuple[tuple[str, ...], ...]  # references per unit

    def __post_init__(self) -> None:
        bare = [row for row, texts in zip(self.rows, self.texts, strict=True) if not texts]
        if bare:
            key = self.features.keys[bare[0]]
            raise ValueError(f"{len(bare)} units have no reference, the first is {key}; leave them out")

    def __len__(self) -> int:
        return len(self.rows)

    def regions(self, places: Sequence[int] | Tensor, *, drawn: np.ndarray | None = None) -> RegionBatch:
        """Return the regions of some of these units, or some of their regions: see `UnitFeatures.batch`."""
        rows = np.asarray(self.rows)
        return self.features.batch(rows[np.asarray(places)], drawn=drawn)

    def take(self, places: Sequence[int]) -> DescribedUnits:
        """Return some of these units."""
        rows, texts = tuple(self.rows[p] for p in places), tuple(self.texts[p] for p in places)
        return replace(self, rows=rows, texts=texts)


def described_units(
    dissection: Dissection, features: UnitFeatures, keys: Iterable[UnitKey], *, references: str
) -> DescribedUnits:
    """Return those of `keys` that have regions and references of set `references`, in their order.

    `short+long` takes the references of both sets. ValueError when there is none, naming the sets there are.
    """
    known, wanted = set(features.keys), set(references.split("+"))
    texts = {
        key: tuple(entry.text for entry in dissection.references_of(*key) if entry.set in wanted)
        for key in keys
        if key in known
    }
    chosen = [key for key, found in texts.items() if found]
    if not chosen:
        sets = ", ".join(sorted(set(dissection.references["set"]))) or "none"
        raise ValueError(f"{dissection.name} has no units with references of set {references!r}; sets: {sets}")
    return DescribedUnits(features, tuple(features.rows_of(chosen)), tuple(texts[key] for key in chosen))


class CaptionBatch(NamedTuple):
    """U units and C captions of them, padded to the longest."""

    units: Tensor  # (U,) int64: places in the described units
    tokens: Tensor  # (C, L) int64: words, stop, pad
    owner: Tensor  # (C,) int64 in 0 … U - 1, ascending
    token_share: float = 1.0  # of the whole batch's words and stops, where this is one process' part of it
    caption_share: float = 1.0  # of its captions

    def share(self, rank: int, count: int, *, pad: int) -> CaptionBatch | None:
        """Return process `rank`'s part of `count`: some units with their captions; None where none is left for it."""
        if count == 1:
            return self
        units = torch.arange(rank, len(self.units), count)
        rows = torch.isin(self.owner, units).nonzero().squeeze(1)
        if not len(rows):
            return None
        tokens = self.tokens[rows]
        return CaptionBatch(
            units=self.units[units],
            tokens=tokens,
            owner=torch.searchsorted(units, self.owner[rows]),
            token_share=float((tokens != pad).sum() / (self.tokens != pad).sum()),
            caption_share=len(rows) / len(self.owner),
        )


def caption_length(units: DescribedUnits, *, quantile: float = 0.99) -> int:
    """Return how many words captions may have: so many that `quantile` of the references are no longer."""
    lengths = [len(tokenize(text)) for texts in units.texts for text in texts]
    return int(np.ceil(np.quantile(lengths, quantile)))


class CaptionBatches:
    """The references of described units as token batches."""

    def __init__(self, units: DescribedUnits, vocabulary: Vocabulary, *, length: int) -> None:
        self.encoded = [[vocabulary.encode(text, length=length) for text in texts] for texts in units.texts]
        self.pad = vocabulary.pad

    def by_unit(self, size: int, generator: torch.Generator | None = None) -> list[CaptionBatch]:
        """Return batches of `size` units with all their references; shuffled where a generator is given."""
        count = len(self.encoded)
        order = torch.arange(count) if generator is None else torch.randperm(count, generator=generator)
        return [self._batch([(unit, place) for unit in chunk for place in range(len(self.encoded[unit]))])
                for chunk in (part.tolist() for part in order.split(size))]  # fmt: skip

    def by_length(self, size: int, generator: torch.Generator) -> list[CaptionBatch]:
        """Return batches of up to `size` captions of one length each, in a random order: no padding.

        Show, Attend and Tell, section 4.3. Every caption is met exactly once.
        """
        lengths: dict[int, list[tuple[int, int]]] = {}
        for unit, captions in enumerate(self.encoded):
            for place, caption in enumerate(captions):
                lengths.setdefault(len(caption), []).append((unit, place))
        batches: list[list[tuple[int, int]]] = []
        for pairs in (lengths[length] for length in sorted(lengths)):
            shuffled = [pairs[index] for index in torch.randperm(len(pairs), generator=generator).tolist()]
            batches += [shuffled[start : start + size] for start in range(0, len(shuffled), size)]
        order = torch.randperm(len(batches), generator=generator).tolist()
        return [self._batch(sorted(batches[index])) for index in order]

    def by_similar_length(self, size: int, generator: torch.Generator) -> list[CaptionBatch]:
        """Return batches of up to `size` captions of about one length, in a random order: hardly any padding.

        A few captions of forty words no longer make every batch run forty steps, and rare lengths share a batch, which
        takes a third of the steps of batches of exactly one length. Every caption is met exactly once.
        """
        pairs = [(unit, place) for unit, captions in enumerate(self.encoded) for place in range(len(captions))]
        noise = torch.rand(len(pairs), generator=generator).tolist()
        lengths = [len(self.encoded[unit][place]) for unit, place in pairs]
        order = sorted(range(len(pairs)), key=lambda index: lengths[index] * (1 + 0.2 * noise[index]) + noise[index])
        chunks = [order[start : start + size] for start in range(0, len(order), size)]
        shuffled = torch.randperm(len(chunks), generator=generator).tolist()
        return [self._batch(sorted(pairs[index] for index in chunks[which])) for which in shuffled]

    def _batch(self, pairs: Sequence[tuple[int, int]]) -> CaptionBatch:
        units = list(dict.fromkeys(unit for unit, _ in pairs))
        place = {unit: index for index, unit in enumerate(units)}
        captions = [self.encoded[unit][which] for unit, which in pairs]
        longest = max(len(caption) for caption in captions)
        tokens = [caption + [self.pad] * (longest - len(caption)) for caption in captions]
        return CaptionBatch(
            units=torch.tensor(units),
            tokens=torch.tensor(tokens),
            owner=torch.tensor([place[unit] for unit, _ in pairs]),
        )


def reference_texts(units: DescribedUnits) -> list[str]:
    """Return all references, unit by unit: what a vocabulary and a language model are made from."""
    return [text for texts in units.texts for text in texts]


def split_places(keys: Sequence[UnitKey], splits: Mapping[str, Sequence[UnitKey]], name: str) -> list[UnitKey]:
    """Return those of `keys` in split `name`; ValueError when units were never split, or that split is empty."""
    wanted = set(splits.get(name, ()))
    found = [key for key in keys if key in wanted]
    if not found:
        raise ValueError(f"no unit is in split {name!r}; the splits are {', '.join(splits) or 'not made'}")
    return found
