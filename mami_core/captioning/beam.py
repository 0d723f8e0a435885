"""Beam search over all units at once, where nothing is computed twice and nothing after a caption has ended.

U units (A of them still searched), W beam width, G hypotheses under way per unit, P their distinct parents, V
vocabulary size, T tokens so far. The costly half of a step, `look`, depends on the previous state alone, so it runs
once per distinct parent. Ended hypotheses wait in a pool: they compete with those under way, and cost nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mami_core.captioning.memory import Memory
from mami_core.captioning.search import Decoded, Speaker, distinct_parents, silence
from mami_core.captioning.vocabulary import Vocabulary

_BLOCK = 100  # top-k looks at block maxima first: five times faster than one flat top-k


@dataclass(frozen=True, eq=False)
class _Pool:
    """Ended hypotheses, best first. Rank and score are -inf where a place is empty."""

    ranks: Tensor  # (A, W): score / tokens^length_power
    scores: Tensor  # (A, W)
    tokens: Tensor  # (A, W, T): stop after the end

    def select(self, units: Tensor) -> _Pool:
        return _Pool(*(held.index_select(0, units) for held in (self.ranks, self.scores, self.tokens)))


@dataclass(frozen=True, eq=False)
class _Front:
    """Hypotheses under way. A place with score -inf is empty: units with fewer hypotheses are filled up."""

    state: Any  # A·P rows, unit-major: the states of distinct parents
    parent: Tensor  # (A, G): each hypothesis' parent, 0..P-1
    parents: int  # P
    scores: Tensor  # (A, G)
    tokens: Tensor  # (A, G, T), the start token first

    def select(self, units: Tensor) -> _Front:
        rows = units.unsqueeze(1) * self.parents + torch.arange(self.parents, device=units.device)  # (A', P)
        kept = (held.index_select(0, units) for held in (self.parent, self.scores, self.tokens))
        parent, scores, tokens = kept
        return _Front(self.state.reorder(rows.flatten()), parent, self.parents, scores, tokens)


@torch.no_grad()
def beam_search(
    speaker: Speaker,
    memory: Memory,
    vocabulary: Vocabulary,
    *,
    length: int,
    width: int,
    length_power: float = 0.0,
    parity: bool = False,
) -> Decoded:
    """Return the `width` best captions per unit, best first, of at most `length` tokens, the stop counted.

    Hypotheses are ranked by score / tokens^length_power; 0 ranks by log p itself, as MILAN does. Captions that have
    not ended when the length is reached take part as they are. Scores are sums, never divided; -inf and only stops
    where there are fewer captions than places. A unit's captions do not depend on its batch mates.

    `parity` lets every id be said, as MILAN does; otherwise start, pad and unk are barred. The number of tokens
    returned is the longest of the batch.
    """
    if width < 1 or length < 1:
        raise ValueError(f"beam search needs width and length of 1 or more, got {width} and {length}")
    barred = None if parity else silence(vocabulary, memory.features.device)
    units, stop = memory.units, vocabulary.stop
    searched = torch.arange(units, device=memory.features.device)  # (A,)
    front, pool = _start(speaker, memory, vocabulary, width)
    found: list[tuple[Tensor, _Pool]] = []
    for step in range(1, length + 1):
        scores, state = _expand(speaker, memory, front, barred)
        front, pool = _choose(front, pool, scores, state, stop=stop, worth=step**-length_power)
        if step == length:
            found.append((searched, _close(front, pool, worth=step**-length_power)))
            break
        done = ~torch.isfinite(front.scores).any(1)  # (A,)
        if not bool(done.any()):
            continue
        found.append((searched[done], pool.select(done.nonzero().squeeze(1))))
        left = (~done).nonzero().squeeze(1)
        if not len(left):
            break
        searched, memory, front, pool = searched[left], memory.select(left), front.select(left), pool.select(left)
    return _assemble(found, units, stop)


def _start(speaker: Speaker, memory: Memory, vocabulary: Vocabulary, width: int) -> tuple[_Front, _Pool]:
    """Return one hypothesis per unit, the start token, and an empty pool."""
    units, device, dtype = memory.units, memory.features.device, memory.features.dtype
    none = torch.full((units, width), -torch.inf, dtype=dtype, device=device)
    parent = torch.zeros(units, 1, dtype=torch.long, device=device)
    tokens = (parent + vocabulary.start).unsqueeze(-1)
    front = _Front(speaker.init_state(memory), parent, 1, torch.zeros(units, 1, dtype=dtype, device=device), tokens)
    return front, _Pool(none, none, torch.empty(units, width, 0, dtype=torch.long, device=device))


def _expand(speaker: Speaker, memory: Memory, front: _Front, barred: Tensor | None) -> tuple[Tensor, Any]:
    """Return the score (A, G, V) of every hypothesis one word longer, and the states (A·G rows) behind them."""
    active, groups = front.parent.shape
    glimpse = speaker.look(front.state, memory)  # once per parent
    rows = front.parent + torch.arange(active, device=front.parent.device).unsqueeze(1) * front.parents  # (A, G)
    words = speaker.speak(front.tokens[..., -1].flatten(), glimpse.pick(rows.flatten()))
    gained = words.log_probs  # (A·G, V)
    if barred is not None:
        gained = gained + barred
    return (gained + front.scores.view(-1, 1)).view(active, groups, -1), words.state


def _choose(front: _Front, pool: _Pool, scores: Tensor, state: Any, *, stop: int, worth: float) -> tuple[_Front, _Pool]:
    """Keep the best W of what has ended and what goes on; scores (A, G, V); worth: what a rank is per score."""
    width, size = pool.ranks.shape[1], scores.shape[-1]
    best, flat = top_flat(scores, width)  # (A, W')
    came_from, word = flat // size, flat % size  # (A, W')
    said = _take(front.tokens, came_from)  # (A, W', T)
    tokens = torch.cat([said, word.unsqueeze(-1)], -1)  # (A, W', T + 1)
    ended = word == stop  # (A, W')
    ranks = torch.cat([pool.ranks, best * worth], 1)  # (A, W + W')
    chosen = torch.zeros_like(ranks, dtype=torch.bool).scatter(1, ranks.topk(width, dim=1).indices, True)
    going = chosen[:, width:] & ~ended & torch.isfinite(best)  # (A, W')
    resting = torch.cat([chosen[:, :width], chosen[:, width:] & ended], 1)  # (A, W + W')
    pool = _refill(pool, ranks.masked_fill(~resting, -torch.inf), best, tokens, stop)
    return _go_on(state, came_from, going, best, tokens, groups=scores.shape[1]), pool


def _refill(pool: _Pool, ranks: Tensor, best: Tensor, tokens: Tensor, stop: int) -> _Pool:
    """Return the best W of the pool and of new captions: ranks (A, W + W'), best (A, W'), tokens (A, W', T + 1)."""
    width = pool.ranks.shape[1]
    old = torch.nn.functional.pad(pool.tokens, (0, tokens.shape[-1] - 1 - pool.tokens.shape[-1]), value=stop)
    ranks, order = ranks.topk(width, dim=1)
    scores = torch.cat([pool.scores, best], 1).gather(1, order)
    scores = torch.where(torch.isfinite(ranks), scores, -torch.inf)
    return _Pool(ranks, scores, _take(torch.cat([old, tokens[..., 1:]], 1), order))


def _go_on(state: Any, came_from: Tensor, going: Tensor, best: Tensor, tokens: Tensor, *, groups: int) -> _Front:
    """Return the hypotheses that go on, without gaps, and the states of their distinct parents only."""
    live = int(going.sum(1).max().clamp_min(1))
    place = going.float().topk(live, dim=1).indices  # (A, G'): those that go on come first
    goes = going.gather(1, place)
    rows, parent, parents = distinct_parents(came_from.gather(1, place), goes, groups)
    scores = torch.where(goes, best.gather(1, place), -torch.inf)
    return _Front(state.reorder(rows), parent, parents, scores, _take(tokens, place))


def _close(front: _Front, pool: _Pool, *, worth: float) -> _Pool:
    """Return the pool with the captions that have not ended in it: the length is reached."""
    ranks = torch.cat([pool.ranks, front.scores * worth], 1)
    return _refill(pool, ranks, front.scores, front.tokens, stop=0)


def _assemble(found: list[tuple[Tensor, _Pool]], units: int, stop: int) -> Decoded:
    """Put the units that ended at different steps into one result, filled up with stops."""
    longest = max(pool.tokens.shape[-1] for _, pool in found)
    padded = [
        torch.nn.functional.pad(pool.tokens, (0, longest - pool.tokens.shape[-1]), value=stop) for _, pool in found
    ]
    order = torch.cat([which for which, _ in found]).argsort()
    tokens = torch.cat(padded).index_select(0, order)
    scores = torch.cat([pool.scores for _, pool in found]).index_select(0, order)
    assert len(order) == units
    return Decoded(tokens.masked_fill(~torch.isfinite(scores).unsqueeze(-1), stop), scores)


def _take(held: Tensor, index: Tensor) -> Tensor:
    """Return held (A, n, T) at index (A, m): (A, m, T)."""
    return held.gather(1, index.unsqueeze(-1).expand(-1, -1, held.shape[-1]))


def top_flat(scores: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the `count` largest of scores (A, G, V) per A, best first, and their index in G·V; fewer if there are.

    The best `count` lie in the `count` blocks with the largest maxima, so only those are searched.
    """
    flat = scores.flatten(1)  # (A, G·V)
    count = min(count, flat.shape[1])
    if flat.shape[1] <= 2 * count * _BLOCK:
        best, index = flat.topk(count, dim=1)
        return best, index
    if flat.shape[1] % _BLOCK:
        flat = torch.nn.functional.pad(flat, (0, -flat.shape[1] % _BLOCK), value=-torch.inf)
    blocks = flat.unflatten(1, (-1, _BLOCK))  # (A, blocks, 100)
    block = blocks.amax(-1).topk(count, dim=1).indices  # (A, count)
    best, place = _take(blocks, block).flatten(1).topk(count, dim=1)
    return best, block.gather(1, place // _BLOCK) * _BLOCK + place % _BLOCK
