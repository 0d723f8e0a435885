"""Smaller maps: the reductions that save time give what adaptive pooling gives."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from mami_core.dissection.maps import shrink


@given(
    height=st.integers(1, 60),
    width=st.integers(1, 60),
    limit=st.integers(1, 60),
    seed=st.integers(0, 99),
    strange=st.sampled_from([0.0, torch.inf, -torch.inf, torch.nan]),
)
def test_shrinking_is_adaptive_maximum_pooling(height, width, limit, seed, strange):
    generator = torch.Generator().manual_seed(seed)
    maps = torch.randn(2, 3, height, width, generator=generator)
    maps[torch.rand(maps.shape, generator=generator) < 0.02] = strange
    size = min(height, limit), min(width, limit)
    assert torch.equal(
        shrink(maps, size).nan_to_num(99.0), torch.nn.functional.adaptive_max_pool2d(maps, size).nan_to_num(99.0)
    )
