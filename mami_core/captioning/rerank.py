"""Choose among candidates by how much more likely the exemplars make them: pointwise mutual information.

PMI(d, E) = log p(d | E) - λ log p(d). MILAN (Hernandez et al. 2022), section 4.2, re-ranks a likelihood beam with
λ = 0.2; `Discounted` applies it to every word while searching.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mami_core.captioning.decoder import Decoder
from mami_core.captioning.language_model import LanguageModel, LanguageState, counted
from mami_core.captioning.memory import Glimpse, Memory, State, Words
from mami_core.captioning.search import Decoded


@dataclass(frozen=True, eq=False)
class Reranked:
    """Candidates, best first, with what the choice was made of; each (U, G)."""

    tokens: Tensor  # (U, G, T)
    scores: Tensor  # what they are ranked by
    log_p_given_exemplars: Tensor
    log_p: Tensor


@torch.no_grad()
def pmi_rerank(
    found: Decoded,
    model: LanguageModel,
    *,
    weight: float = 0.2,
    length_power: float = 0.0,
    parity: bool = False,
) -> Reranked:
    """Rank candidates by (log p(d|E) - weight · log p(d)) / tokens^length_power.

    `parity` scores one token behind the stop too, as MILAN does, which makes scores depend on batch mates.
    """
    log_p = score_texts(model, found.tokens.flatten(0, 1), parity=parity).view_as(found.scores)
    worth = counted(found.tokens.flatten(0, 1), model.stop).sum(1).view_as(log_p).to(log_p.dtype) ** -length_power
    scores, order = ((found.scores - weight * log_p) * worth).sort(dim=1, descending=True, stable=True)
    return Reranked(
        tokens=found.tokens.gather(1, order.unsqueeze(-1).expand_as(found.tokens)),
        scores=scores,
        log_p_given_exemplars=found.scores.gather(1, order),
        log_p=log_p.gather(1, order),
    )


@torch.no_grad()
def score_texts(model: LanguageModel, tokens: Tensor, *, parity: bool = False) -> Tensor:
    """Return log p(d) (B,) of token rows (B, T), each distinct beginning computed once.

    The same as `LanguageModel.log_probability`; the candidates of a beam share most of their words.
    """
    mask = counted(tokens, model.stop, extra=int(parity))  # (B, T)
    node = torch.zeros(len(tokens), dtype=torch.long, device=tokens.device)  # (B,): each row's beginning
    last = tokens.new_full((1,), model.start)  # (nodes,): its last token
    state, total = model.init_state(1), model.to_words.weight.new_zeros(len(tokens))
    for step, said in enumerate(tokens.unbind(1)):
        alive = mask[:, step]
        if not bool(alive.any()):
            break
        words = model.speak(last, state)
        gained = words.log_probs[node, said]
        total = total + torch.where(alive, gained, 0.0)
        onward = node[alive] * model.config.vocabulary_size + said[alive]
        distinct, inverse = onward.unique(return_inverse=True)
        node = node.new_zeros(len(tokens)).masked_scatter(alive, inverse)
        last, state = distinct % model.config.vocabulary_size, words.state
        state = state.reorder(distinct // model.config.vocabulary_size)
    return total


@dataclass(frozen=True, eq=False)
class PairState:
    """The states of a decoder and of the language model that listens."""

    decoder: State
    language: LanguageState

    def reorder(self, index: Tensor) -> PairState:
        """Return the states of rows `index` (B',)."""
        return PairState(self.decoder.reorder(index), self.language.reorder(index))


@dataclass(frozen=True, eq=False)
class PairGlimpse:
    """A decoder's glimpse and what the language model has heard."""

    decoder: Glimpse
    language: LanguageState

    def pick(self, index: Tensor) -> PairGlimpse:
        """Return the glimpse of rows `index` (B',)."""
        return PairGlimpse(self.decoder.pick(index), self.language.reorder(index))


@dataclass(frozen=True, eq=False)
class Discounted:
    """A speaker whose words score log p(w | words, E) - weight · log p(w | words): token-level PMI."""

    decoder: Decoder
    model: LanguageModel
    weight: float = 0.2

    def init_state(self, memory: Memory) -> PairState:
        """Return both models' first states, a row per unit."""
        return PairState(self.decoder.init_state(memory), self.model.init_state(memory.units))

    def look(self, state: PairState, memory: Memory) -> PairGlimpse:
        """Look with the decoder."""
        return PairGlimpse(self.decoder.look(state.decoder, memory), state.language)

    def speak(self, tokens: Tensor, glimpse: PairGlimpse) -> Words:
        """Say tokens (B,) to both models; the result's `log_probs` are scores and do not sum to 1."""
        seen, heard = self.decoder.speak(tokens, glimpse.decoder), self.model.speak(tokens, glimpse.language)
        return Words(
            logits=seen.logits - self.weight * heard.logits,
            state=PairState(seen.state, heard.state),
            offset=seen.normaliser - self.weight * heard.normaliser,
        )
