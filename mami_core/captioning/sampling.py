"""Draw captions by chance, where samples that have said the same so far are computed once.

U units, S samples per unit, K distinct beginnings of a unit's samples, P distinct parents of those, V vocabulary size.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor

from mami_core.captioning.memory import Memory
from mami_core.captioning.search import Decoded, Speaker, distinct_parents, silence
from mami_core.captioning.vocabulary import Vocabulary


def content_seeds(features: Tensor, *, seed: int) -> list[int]:
    """Return one seed per unit from its regions (U, N, D): a sample does not depend on batch mates or position."""
    rows = features.detach().to("cpu", torch.float16).contiguous().numpy()
    return [
        int.from_bytes(hashlib.sha256(row.tobytes() + seed.to_bytes(8, "little")).digest()[:7], "little")
        for row in rows
    ]


@torch.no_grad()
def sample(
    speaker: Speaker,
    memory: Memory,
    vocabulary: Vocabulary,
    *,
    length: int,
    seeds: Sequence[int],
    count: int = 1,
    temperature: float = 1.0,
    top_p: float = 1.0,
) -> Decoded:
    """Draw `count` captions per unit from p(word)^(1/temperature), within the top_p most probable mass.

    `seeds` (U) gives each unit its own stream of chance. Scores are log p under the speaker itself, at temperature 1.
    """
    if temperature <= 0 or not 0 < top_p <= 1:
        raise ValueError(f"sampling needs temperature > 0 and 0 < top_p <= 1, got {temperature} and {top_p}")
    if len(seeds) != memory.units:
        raise ValueError(f"sampling needs one seed a unit: {memory.units} units, {len(seeds)} seeds")
    device, units = memory.features.device, memory.units
    chances = torch.stack([_uniform(seed, count, length) for seed in seeds]).to(device)  # (U, S, length)
    scores = torch.zeros(units, count, dtype=memory.features.dtype, device=device)
    live = torch.ones(units, count, dtype=torch.bool, device=device)
    node = torch.zeros(units, count, dtype=torch.long, device=device)  # each sample's beginning, 0..K-1
    said, parent = node[:, :1] + vocabulary.start, node[:, :1]  # (U, K): a beginning's last token, and its parent
    parents, barred, tokens = 1, silence(vocabulary, device), []
    state = speaker.init_state(memory)
    for step in range(length):
        rows = parent + torch.arange(units, device=device).unsqueeze(1) * parents  # (U, K)
        words = speaker.speak(said.flatten(), speaker.look(state, memory).pick(rows.flatten()))
        probabilities = ((words.logits + barred) / temperature).softmax(-1)  # (U·K, V)
        owner = (node + torch.arange(units, device=device).unsqueeze(1) * said.shape[1]).flatten()  # (U·S,)
        drawn = _draw(probabilities[owner], chances[..., step].flatten(), top_p)  # (U·S,)
        drawn = torch.where(live.flatten(), drawn, vocabulary.stop)
        gained = words.logits[owner, drawn] - words.normaliser[owner]
        scores = scores + torch.where(live, gained.view_as(scores), 0.0)
        tokens.append(drawn.view_as(live))
        live = live & (tokens[-1] != vocabulary.stop)
        if not bool(live.any()):
            break
        node, came_from, goes, new = _beginnings(node, tokens[-1], live, len(vocabulary))
        kept, parent, parents = distinct_parents(came_from, goes, said.shape[1])
        state, said = words.state.reorder(kept), new
    return Decoded(torch.stack(tokens, -1), scores)


def _beginnings(node: Tensor, token: Tensor, live: Tensor, size: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Number the distinct beginnings of each unit's live samples: node and token (U, S), size V.

    Returns each sample's beginning (U, S), and per beginning (U, K) the one it came from, whether it is in use, and
    its last token.
    """
    units, count = node.shape
    unit = torch.arange(units, device=node.device).unsqueeze(1).expand_as(node)
    key = ((unit * count + node) * size + token)[live]  # node < count: there are no more beginnings than samples
    distinct, which = key.unique(return_inverse=True)  # ascending, so unit by unit
    home = distinct // (size * count)  # (D,): its unit
    amount = torch.bincount(home, minlength=units)
    place = torch.arange(len(distinct), device=node.device) - (amount.cumsum(0) - amount)[home]  # (D,): 0..K-1
    most = int(amount.max())
    came_from = torch.zeros(units, most, dtype=torch.long, device=node.device)
    goes, said = torch.zeros_like(came_from, dtype=torch.bool), torch.zeros_like(came_from)
    came_from[home, place] = distinct // size % count
    goes[home, place] = True
    said[home, place] = distinct % size
    return torch.zeros_like(node).masked_scatter(live, place[which]), came_from, goes, said


def _uniform(seed: int, count: int, length: int) -> Tensor:
    return torch.rand(count, length, generator=torch.Generator().manual_seed(seed))


def _draw(probabilities: Tensor, chance: Tensor, top_p: float) -> Tensor:
    """Return the word (B,) whose share of the cumulative probabilities (B, V) chance (B,) falls in."""
    if top_p >= 1:
        total = probabilities.cumsum(-1)
        found = torch.searchsorted(total, (chance.to(total.dtype) * total[:, -1]).unsqueeze(-1), right=True).squeeze(-1)
        return found.clamp_max(probabilities.shape[-1] - 1)
    ranked, order = probabilities.sort(-1, descending=True)
    total = ranked.cumsum(-1)
    kept = torch.where(total - ranked < top_p, ranked, 0.0).cumsum(-1)  # the most probable word is always kept
    place = torch.searchsorted(kept, (chance.to(kept.dtype) * kept[:, -1]).unsqueeze(-1), right=True)
    return order.gather(-1, place.clamp_max(probabilities.shape[-1] - 1)).squeeze(-1)
