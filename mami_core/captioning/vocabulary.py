"""Words and their ids: how text becomes what a decoder reads, and back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from mami_core.captioning.tokens import tokenize

SPECIALS = ("<start>", "<stop>", "<pad>", "<unk>")


@dataclass(frozen=True)
class Vocabulary:
    """The words a captioner knows. Ids follow the MILAN reference: words first, then start, stop, pad, unk."""

    words: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(set(self.words)) != len(self.words):
            twice = [word for word, count in Counter(self.words).items() if count > 1]
            raise ValueError(f"a vocabulary needs distinct words, got twice: {', '.join(twice[:5])}")
        reserved = set(self.words) & set(SPECIALS)
        if reserved:
            raise ValueError(
                f"a vocabulary's words may not be {', '.join(sorted(reserved))}: these ids are added to it"
            )

    @classmethod
    def from_texts(cls, texts: Iterable[str], *, size: int | None = None, min_count: int = 1) -> Vocabulary:
        """Collect words by descending count, ties by first appearance.

        Keeps at most `size` words, each seen `min_count` times or more. MILAN keeps all: size None, min_count 1.
        """
        counts = Counter(token for text in texts for token in tokenize(text))
        words = [word for word, count in counts.most_common(size) if count >= min_count and word not in SPECIALS]
        if not words:
            raise ValueError(f"no word occurs {min_count} times or more in the texts given; lower min_count")
        return cls(tuple(words))

    @property
    def start(self) -> int:
        """The id that opens every caption; never spoken."""
        return len(self.words)

    @property
    def stop(self) -> int:
        """The id that ends a caption."""
        return len(self.words) + 1

    @property
    def pad(self) -> int:
        """The id that fills a batch behind the stop; never spoken."""
        return len(self.words) + 2

    @property
    def unk(self) -> int:
        """The id of every word outside the vocabulary."""
        return len(self.words) + 3

    @property
    def unspeakable(self) -> tuple[int, ...]:
        """Ids that are inputs only: a caption made of them would say nothing."""
        return (self.start, self.pad, self.unk)

    def __len__(self) -> int:
        """Return the number of ids: words and the four specials."""
        return len(self.words) + len(SPECIALS)

    @cached_property
    def _ids(self) -> Mapping[str, int]:
        return {word: index for index, word in enumerate((*self.words, *SPECIALS))}

    def encode(self, text: str | Sequence[str], *, length: int | None = None) -> list[int]:
        """Return word ids and the stop id, without the start; at most `length` words before the stop."""
        tokens = tokenize(text) if isinstance(text, str) else list(text)
        return [self._ids.get(token, self.unk) for token in tokens[:length]] + [self.stop]

    def batch(self, texts: Sequence[str | Sequence[str]], *, length: int | None = None) -> Tensor:
        """Return targets (B, L) int64 for teacher forcing: ids, stop, then pad up to the longest text."""
        rows = [self.encode(text, length=length) for text in texts]
        longest = max((len(row) for row in rows), default=0)
        return torch.tensor([row + [self.pad] * (longest - len(row)) for row in rows], dtype=torch.long)

    def decode(self, ids: Iterable[int] | Tensor) -> tuple[str, ...]:
        """Return the words before the first stop; start, pad and unk are left out. Raises for an id out of range."""
        words: list[str] = []
        for token in ids.tolist() if isinstance(ids, Tensor) else ids:
            if not 0 <= token < len(self):
                raise ValueError(f"token id {token} is not in a vocabulary of {len(self)} ids")
            if token == self.stop:
                break
            if token < len(self.words):
                words.append(self.words[token])
        return tuple(words)

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` reads."""
        return {"words": list(self.words)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Vocabulary:
        """Return the vocabulary that `to_json` wrote; ValueError when it is not one."""
        words = stored.get("words")
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise ValueError("the checkpoint's vocabulary has no list of words")
        return cls(tuple(words))
