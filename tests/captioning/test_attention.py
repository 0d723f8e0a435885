"""Each head against its paper's formula, written as a loop over units, captions and regions."""

from __future__ import annotations

import math

import pytest
import torch
from lively import draw, enliven

from mami_core.captioning.attention import AmongRegions, Bahdanau, LiteralSelf, Luong, ScaledDot

UNITS, GROUPS, REGIONS, FEATURES, STATE, WIDTH = 2, 3, 5, 6, 7, 4
TOLERANCE = {torch.float64: 1e-6, torch.float32: 2e-5}


def bahdanau(head, region, state):
    return head.score(torch.tanh(head.from_region(region) + head.from_state(state))).item()


def luong(head, region, state):
    return sum(q * r for q, r in zip(head.from_state(state).tolist(), region.tolist(), strict=True)) * head.scale


def scaled_dot(head, region, state):
    query, key = head.from_state(state).tolist(), head.from_region(region).tolist()
    return sum(q * k for q, k in zip(query, key, strict=True)) / math.sqrt(WIDTH)


HEADS = {
    "bahdanau": (lambda: Bahdanau(feature_size=FEATURES, state_size=STATE, width=WIDTH), bahdanau),
    "luong": (lambda: Luong(feature_size=FEATURES, state_size=STATE), luong),
    "luong unscaled": (lambda: Luong(feature_size=FEATURES, state_size=STATE, scaled=False), luong),
    "luong dot": (lambda: Luong(feature_size=FEATURES, state_size=FEATURES, dot=True), luong),
    "scaled dot": (lambda: ScaledDot(feature_size=FEATURES, state_size=STATE, width=WIDTH), scaled_dot),
}


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("name", HEADS)
@torch.no_grad()
def test_energies_match_the_paper_written_as_a_loop(name, dtype):
    build, formula = HEADS[name]
    head = enliven(build(), seed=1, scale=0.7).to(dtype)
    regions = draw(UNITS, REGIONS, FEATURES, seed=2, dtype=dtype)
    states = draw(UNITS, GROUPS, FEATURES if name == "luong dot" else STATE, seed=3, dtype=dtype)

    energies = head(head.keys(regions), states)

    for unit in range(UNITS):
        for group in range(GROUPS):
            expected = [formula(head, region, states[unit, group]) for region in regions[unit]]
            assert energies[unit, group].tolist() == pytest.approx(expected, abs=TOLERANCE[dtype])


@torch.no_grad()
def test_luong_is_scaled_by_the_root_of_the_feature_size():
    scaled, plain = (
        Luong(feature_size=FEATURES, state_size=STATE),
        Luong(feature_size=FEATURES, state_size=STATE, scaled=False),
    )
    enliven(scaled, seed=1, scale=1.0), enliven(plain, seed=1, scale=1.0)
    regions, states = draw(1, REGIONS, FEATURES, dtype=torch.float32), draw(1, 1, STATE, dtype=torch.float32)
    torch.testing.assert_close(scaled(regions, states) * math.sqrt(FEATURES), plain(regions, states))


@torch.no_grad()
def test_attention_among_regions_is_the_mean_row_of_the_n_by_n_softmax():
    head = enliven(AmongRegions(feature_size=FEATURES, width=WIDTH), seed=1, scale=0.7).double()
    regions = draw(UNITS, REGIONS, FEATURES, seed=2)

    weights = head(head.keys(regions), draw(UNITS, GROUPS, STATE)).softmax(-1)

    for unit, rows in enumerate(regions):
        received = [0.0] * REGIONS
        for looking in rows:
            raised = [math.exp(head.query(looking) @ head.key(seen) / math.sqrt(WIDTH)) for seen in rows]
            received = [total + value / sum(raised) for total, value in zip(received, raised, strict=True)]
        for group in range(GROUPS):
            assert weights[unit, group].tolist() == pytest.approx([value / REGIONS for value in received], abs=1e-9)


@torch.no_grad()
def test_the_literal_third_term_of_equation_5_is_one_number_a_region():
    head = enliven(LiteralSelf(feature_size=FEATURES, width=WIDTH), seed=1, scale=0.7).double()
    regions = draw(1, REGIONS, FEATURES, seed=2)

    (energies,) = head(head.keys(regions), draw(1, 1, STATE))

    values = [head.value(region).item() for region in regions[0]]
    for looking, energy in zip(regions[0], energies[0].tolist(), strict=True):
        raised = [math.exp(head.query(looking) @ head.key(seen) / math.sqrt(WIDTH)) for seen in regions[0]]
        assert energy == pytest.approx(sum(r * v for r, v in zip(raised, values, strict=True)) / sum(raised), abs=1e-9)


@pytest.mark.parametrize("name", ["bahdanau", "luong", "scaled dot"])
def test_an_untrained_head_prefers_no_region(name):
    head = HEADS[name][0]()
    regions, states = draw(1, REGIONS, FEATURES, dtype=torch.float32), draw(1, 1, STATE, dtype=torch.float32)
    assert head(head.keys(regions), states).abs().max() == 0
