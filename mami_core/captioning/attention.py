"""The attention heads, each a score for every region given the decoder's state.

U units, G captions under way per unit, N regions, D feature, H state and A attention size. Keys are made once.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class Bahdanau(nn.Module):
    """Additive attention: e = vᵀ tanh(W_h h + W_f f). Bahdanau et al. 2015; Show, Attend and Tell, section 4.2."""

    def __init__(self, *, feature_size: int, state_size: int, width: int) -> None:
        super().__init__()
        self.from_region = nn.Linear(feature_size, width)
        self.from_state = nn.Linear(state_size, width, bias=False)  # added to a term that has one
        self.score = nn.Linear(width, 1, bias=False)  # a constant would cancel in the softmax
        nn.init.zeros_(self.score.weight)  # an untrained head pools the regions by their weight

    def keys(self, regions: Tensor) -> Tensor:
        """Return the keys (U, N, A) of regions (U, N, D)."""
        return self.from_region(regions)

    def forward(self, keys: Tensor, query: Tensor) -> Tensor:
        """Return the energies (U, G, N) for keys (U, N, A) and query (U, G, H)."""
        hidden = (keys.unsqueeze(1) + self.from_state(query).unsqueeze(2)).tanh_()  # (U, G, N, A): too big for two
        return self.score(hidden).squeeze(-1)  # (U, G, N)


class Luong(nn.Module):
    """Multiplicative attention: e = hᵀ W f (`general`) or hᵀ f (`dot`). Luong et al. 2015, equation 8.

    Unscaled, energies of unit-variance features spread by about sqrt(D) and saturate the softmax: `scaled` divides.
    """

    def __init__(self, *, feature_size: int, state_size: int, dot: bool = False, scaled: bool = True) -> None:
        super().__init__()
        self.scale = 1 / math.sqrt(feature_size) if scaled else 1.0
        self.from_state = nn.Identity() if dot else nn.Linear(state_size, feature_size, bias=False)
        if isinstance(self.from_state, nn.Linear):
            nn.init.zeros_(self.from_state.weight)  # an untrained head pools the regions by their weight

    def keys(self, regions: Tensor) -> Tensor:
        """Return the regions (U, N, D) themselves: no copy."""
        return regions

    def forward(self, keys: Tensor, query: Tensor) -> Tensor:
        """Return the energies (U, G, N) for keys (U, N, D) and query (U, G, H)."""
        return self.scale * torch.bmm(self.from_state(query), keys.transpose(1, 2))


class ScaledDot(nn.Module):
    """Self-attention whose query is the decoder's state: e = (W_q h)(W_k f)ᵀ / sqrt(A). Vaswani et al. 2017, eq. 1."""

    def __init__(self, *, feature_size: int, state_size: int, width: int) -> None:
        super().__init__()
        self.from_region = nn.Linear(feature_size, width, bias=False)
        self.from_state = nn.Linear(state_size, width, bias=False)
        self.scale = 1 / math.sqrt(width)
        nn.init.zeros_(self.from_state.weight)  # an untrained head pools the regions by their weight

    def keys(self, regions: Tensor) -> Tensor:
        """Return the keys (U, N, A) of regions (U, N, D)."""
        return self.from_region(regions)

    def forward(self, keys: Tensor, query: Tensor) -> Tensor:
        """Return the energies (U, G, N) for keys (U, N, A) and query (U, G, H)."""
        return self.scale * torch.bmm(self.from_state(query), keys.transpose(1, 2))


class AmongRegions(nn.Module):
    """Self-attention among the regions, averaged over them: the same weights at every word.

    softmax(Q Kᵀ / sqrt(A)) with queries and keys from the regions; its rows' mean is what each region receives.
    Costs N² a unit, once per caption.
    """

    def __init__(self, *, feature_size: int, width: int) -> None:
        super().__init__()
        self.query = nn.Linear(feature_size, width, bias=False)
        self.key = nn.Linear(feature_size, width, bias=False)
        self.scale = 1 / math.sqrt(width)

    def between(self, regions: Tensor, hidden: Tensor | None = None) -> Tensor:
        """Return (U, N, N): how much region n looks at region m; rows sum to 1, `hidden` (U, N) are not looked at."""
        energies = self.scale * torch.bmm(self.query(regions), self.key(regions).transpose(1, 2))
        if hidden is not None:
            energies = energies.masked_fill(hidden.unsqueeze(1), -torch.inf)
        return energies.softmax(-1)

    def keys(self, regions: Tensor, hidden: Tensor | None = None) -> Tensor:
        """Return energies (U, 1, N) whose softmax is the mean over the rows of regions that are not hidden."""
        looked = self.between(regions, hidden)  # (U, N, N)
        if hidden is not None:
            looked = looked * (~hidden).unsqueeze(-1)
        received = looked.sum(1, keepdim=True)  # (U, 1, N): the softmax to come divides by the number of rows
        return received.clamp_min(torch.finfo(received.dtype).tiny).log()  # log 0 would have no gradient

    def forward(self, keys: Tensor, query: Tensor) -> Tensor:
        """Return the energies (U, G, N); the query (U, G, H) only says how many captions there are."""
        return keys.expand(-1, query.shape[1], -1)


class LiteralSelf(AmongRegions):
    """The third term of MAMI's equation 5 as printed: softmax(Q Kᵀ / sqrt(A)) V with one value channel per region.

    As a context it could not be added to two energies; with d_v = 1 it can: an energy per region.
    """

    def __init__(self, *, feature_size: int, width: int) -> None:
        super().__init__(feature_size=feature_size, width=width)
        self.value = nn.Linear(feature_size, 1, bias=False)

    def keys(self, regions: Tensor, hidden: Tensor | None = None) -> Tensor:
        """Return the energies (U, 1, N)."""
        return torch.bmm(self.between(regions, hidden), self.value(regions)).transpose(1, 2)
