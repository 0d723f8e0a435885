"""Score every caption there is: the truth that searches are measured against, for a handful of words."""

from __future__ import annotations

import itertools

import torch

from mami_core.captioning.decoder import Decoder
from mami_core.captioning.forcing import force
from mami_core.captioning.memory import Memory
from mami_core.captioning.search import Decoded
from mami_core.captioning.vocabulary import Vocabulary

_MOST = 200_000


@torch.no_grad()
def exhaustive_search(
    decoder: Decoder, memory: Memory, vocabulary: Vocabulary, *, length: int, length_power: float = 0.0
) -> Decoded:
    """Return all captions of at most `length` tokens, the stop counted, best first: (U, all, length).

    Ranked by log p / tokens^length_power; those of `length` words have not ended and take part as they are. ValueError
    where there are more than 200,000: their number is (V^(length+1) - 1) / (V - 1) for V words.
    """
    words = range(len(vocabulary.words))
    amount = sum(len(words) ** count for count in range(length + 1))
    if amount > _MOST:
        raise ValueError(f"{amount} captions are too many to try all: fewer words than {len(words)}, or less length")
    texts = [list(said) for count in range(length + 1) for said in itertools.product(words, repeat=count)]
    rows = [said + [vocabulary.stop] * (length - len(said)) for said in texts]
    tokens = torch.tensor(rows, dtype=torch.long, device=memory.features.device)  # (all, length)
    every = tokens.repeat(memory.units, 1)  # unit-major
    forced = force(decoder, memory, every, start=vocabulary.start)
    scores = forced.caption_log_probs(every, stop=vocabulary.stop).view(memory.units, -1)
    lengths = torch.tensor([min(len(said) + 1, length) for said in texts], device=tokens.device)
    order = (scores / lengths**length_power).sort(dim=1, descending=True, stable=True).indices  # (U, all)
    return Decoded(tokens[order], scores.gather(1, order))
