"""Laws of the decoders, and one step written out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from lively import FEATURES, HIDDEN, REGIONS, coverage, draw

from mami_core.captioning.forcing import force, gated_contexts
from mami_core.captioning.names import CAPTIONERS, HEADS, decoder_config

UNITS = 3
ATTENTIVE = [name for name, settings in CAPTIONERS.items() if settings.get("kind", "attention") == "attention"]


@pytest.fixture
def features():
    return draw(UNITS, REGIONS, FEATURES, seed=1)


@pytest.fixture
def weight():
    return coverage(UNITS, REGIONS, seed=2)


@pytest.fixture
def tokens(vocabulary):
    return vocabulary.batch(["red roof", "tiles of a roof", "a"])


def sigmoid(value):
    return 1 / (1 + math.exp(-value))


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-6), (torch.float32, 2e-5)], ids=str)
@pytest.mark.parametrize("name", ["milan", "sat-soft"])
@torch.no_grad()
def test_log_p_matches_the_papers_written_as_loops(make_decoder, features, vocabulary, name, dtype, tolerance):
    decoder, features = make_decoder(name, dtype=dtype), features.to(dtype)
    memory = decoder.prepare(features)
    state = decoder.init_state(memory)
    spoken = torch.full((UNITS,), vocabulary.start)

    step = decoder.step(spoken, state, memory)

    for unit in range(UNITS):
        hidden, regions = state.hidden[unit], features[unit]
        head = decoder.heads.heads["bahdanau"]
        raised = [math.exp(head.score(torch.tanh(head.from_region(r) + head.from_state(hidden)))) for r in regions]
        weights = [value / sum(raised) for value in raised]
        context = [sum(w * r[d].item() for w, r in zip(weights, regions, strict=True)) for d in range(FEATURES)]
        gate = [sigmoid(g) for g in decoder.gate(hidden).tolist()]
        gate = gate * FEATURES if len(gate) == 1 else gate
        gated = torch.tensor([g * c for g, c in zip(gate, context, strict=True)], dtype=dtype)
        word = decoder.embedding.weight[vocabulary.start]
        drive = (decoder.from_word(word) + decoder.from_context(gated) + decoder.from_state(hidden)).tolist()
        enter, forget, fresh, leave = (drive[part * HIDDEN : (part + 1) * HIDDEN] for part in range(4))
        cell = [
            sigmoid(f) * c + sigmoid(i) * math.tanh(g)
            for f, c, i, g in zip(forget, state.cell[unit].tolist(), enter, fresh, strict=True)
        ]
        said = torch.tensor([sigmoid(o) * math.tanh(c) for o, c in zip(leave, cell, strict=True)], dtype=dtype)
        if name == "sat-soft":
            said = torch.tanh(word + decoder.to_deep(said) + decoder.context_to_deep(gated))
        energies = decoder.to_words(said).tolist()
        total = math.log(sum(math.exp(energy) for energy in energies))
        assert step.log_probs[unit].tolist() == pytest.approx([e - total for e in energies], abs=tolerance)
        assert step.heads["bahdanau"].weights[unit].tolist() == pytest.approx(weights, abs=tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-6), (torch.float32, 2e-5)], ids=str)
@torch.no_grad()
def test_luongs_own_order_attends_with_the_new_state(make_decoder, features, vocabulary, dtype, tolerance):
    decoder, features = make_decoder("luong-post", dtype=dtype), features.to(dtype)
    memory = decoder.prepare(features)
    state = decoder.init_state(memory)

    step = decoder.step(torch.full((UNITS,), vocabulary.start), state, memory)

    word = decoder.embedding.weight[vocabulary.start]
    matrix = decoder.heads.heads["luong"].from_state
    for unit in range(UNITS):
        drive = decoder.from_word(word) + decoder.from_state(state.hidden[unit])  # no picture in it
        enter, forget, fresh, leave = drive.split(HIDDEN)
        cell = forget.sigmoid() * state.cell[unit] + enter.sigmoid() * fresh.tanh()
        hidden = leave.sigmoid() * cell.tanh()
        raised = [math.exp(float(matrix(hidden) @ region) / math.sqrt(FEATURES)) for region in features[unit]]
        weights = [value / sum(raised) for value in raised]
        context = sum(weight * region for weight, region in zip(weights, features[unit], strict=True))
        said = decoder.to_words(torch.tanh(decoder.to_deep(hidden) + decoder.context_to_deep(context)))
        expected = (said - said.exp().sum().log()).tolist()
        assert step.log_probs[unit].tolist() == pytest.approx(expected, abs=tolerance)
        assert step.heads["luong"].weights[unit].tolist() == pytest.approx(weights, abs=tolerance)
        torch.testing.assert_close(step.state.hidden[unit], hidden)


@pytest.mark.parametrize("name", CAPTIONERS)
@torch.no_grad()
def test_every_captioner_says_distributions(make_decoder, features, weight, tokens, vocabulary, name):
    decoder = make_decoder(name)
    forced = force(decoder, decoder.prepare(features, weight), tokens, start=vocabulary.start)

    torch.testing.assert_close(forced.log_probs.exp().sum(-1), torch.ones(tokens.shape, dtype=torch.float64))
    for weights in forced.weights.values():
        torch.testing.assert_close(weights.sum(-1), torch.ones(tokens.shape, dtype=torch.float64))


@pytest.mark.parametrize("name", [*ATTENTIVE, "self among regions"])
@torch.no_grad()
def test_a_hidden_region_gets_weight_0_and_has_no_influence(make_decoder, features, weight, tokens, vocabulary, name):
    among = name == "self among regions"
    decoder = make_decoder("self", self_query="features") if among else make_decoder(name)
    weight[:, 0], weight[:, 1] = 1.0, 0.0
    changed = features.clone()
    changed[:, 1] += 5.0

    forced = force(decoder, decoder.prepare(features, weight), tokens, start=vocabulary.start)
    other = force(decoder, decoder.prepare(changed, weight), tokens, start=vocabulary.start)

    for weights in forced.weights.values():
        assert (weights[:, :, 1] == 0).all()
    torch.testing.assert_close(other.log_probs, forced.log_probs)


@pytest.mark.parametrize("name", ATTENTIVE)
@torch.no_grad()
def test_the_order_of_regions_does_not_matter(make_decoder, features, weight, tokens, vocabulary, name):
    decoder = make_decoder(name)
    order = torch.randperm(REGIONS, generator=torch.Generator().manual_seed(3))

    forced = force(decoder, decoder.prepare(features, weight), tokens, start=vocabulary.start)
    moved = force(decoder, decoder.prepare(features[:, order], weight[:, order]), tokens, start=vocabulary.start)

    torch.testing.assert_close(moved.log_probs, forced.log_probs)
    for head, weights in forced.weights.items():
        torch.testing.assert_close(moved.weights[head], weights[:, :, order])


@torch.no_grad()
def test_weights_of_only_zeros_are_no_weights(make_decoder, features, tokens, vocabulary):
    decoder = make_decoder("mami")
    plain = force(decoder, decoder.prepare(features), tokens, start=vocabulary.start)
    empty = force(decoder, decoder.prepare(features, torch.zeros(UNITS, REGIONS)), tokens, start=vocabulary.start)
    torch.testing.assert_close(empty.log_probs, plain.log_probs)


@torch.no_grad()
def test_weight_is_a_prior_on_attention(make_decoder, features, weight, vocabulary):
    decoder = make_decoder("milan")
    weight[:, 0] = 0.5
    state = decoder.init_state(decoder.prepare(features, weight))
    spoken = torch.full((UNITS,), vocabulary.start)

    plain = decoder.step(spoken, state, decoder.prepare(features)).heads["bahdanau"].weights
    prior = decoder.step(spoken, state, decoder.prepare(features, weight)).heads["bahdanau"].weights

    expected = plain * weight
    torch.testing.assert_close(prior, expected / expected.sum(1, keepdim=True))


@pytest.mark.parametrize("combine", ["sum", "mean", "gated", "concat", "energy"])
@pytest.mark.parametrize("head", HEADS)
@torch.no_grad()
def test_one_head_in_a_list_is_that_head_alone(make_decoder, features, weight, tokens, vocabulary, head, combine):
    alone = make_decoder("milan", heads=(head,))
    listed = make_decoder("milan", heads=(head,), combine=combine)
    listed.load_state_dict(alone.state_dict(), strict=False)

    expected = force(alone, alone.prepare(features, weight), tokens, start=vocabulary.start)
    forced = force(listed, listed.prepare(features, weight), tokens, start=vocabulary.start)

    torch.testing.assert_close(forced.log_probs, expected.log_probs)


@torch.no_grad()
def test_summed_contexts_are_summed_weights(make_decoder, features, weight):
    decoder = make_decoder("mami")
    memory = decoder.prepare(features, weight)
    glance = decoder.heads(decoder.init_state(memory).hidden.unsqueeze(1), memory)
    total = torch.stack(list(glance.weights.values())).sum(0)
    torch.testing.assert_close(glance.combined, torch.bmm(total, features))


@torch.no_grad()
def test_the_mean_of_contexts_is_the_context_of_mean_weights(make_decoder, features, weight):
    decoder = make_decoder("mami-mean")
    memory = decoder.prepare(features, weight)
    glance = decoder.heads(decoder.init_state(memory).hidden.unsqueeze(1), memory)
    mean = torch.stack(list(glance.weights.values())).mean(0)
    torch.testing.assert_close(glance.combined, torch.bmm(mean, features))


@torch.no_grad()
def test_gated_contexts_are_weighed_by_a_softmax_of_the_state(make_decoder, features, weight):
    decoder = make_decoder("mami-gated")
    memory = decoder.prepare(features, weight)
    hidden = decoder.init_state(memory).hidden
    glance = decoder.heads(hidden.unsqueeze(1), memory)
    for unit in range(UNITS):
        raised = [math.exp(value) for value in decoder.heads.mix(hidden[unit]).tolist()]
        mixed = sum(
            value / sum(raised) * (glance.weights[head][unit, 0] @ features[unit])
            for value, head in zip(raised, HEADS, strict=True)
        )
        torch.testing.assert_close(glance.combined[unit, 0], mixed)


@pytest.mark.parametrize("combine", ["sum", "concat", "gated", "mean"])
@torch.no_grad()
def test_only_the_named_head_is_heard(make_decoder, features, combine):
    decoder = make_decoder("mami", combine=combine)
    full, memory = decoder.prepare(features), decoder.prepare(features, only=("luong",))
    query = decoder.init_state(memory).hidden.unsqueeze(1)
    everyone, glance = decoder.heads(query, full), decoder.heads(query, memory)

    assert list(glance.weights) == ["luong"]
    expected = everyone.contexts["luong"]
    if combine == "concat":
        silent = torch.zeros_like(expected)
        expected = torch.cat([silent, expected, silent], -1)
    torch.testing.assert_close(glance.combined, expected)


@pytest.mark.parametrize("name", ["milan", "mami", "mami-mean", "mami-gated", "mami-concat", "sat-soft"])
@torch.no_grad()
def test_gated_contexts_of_the_heads_add_up_to_what_enters_the_lstm(make_decoder, features, weight, name):
    decoder = make_decoder(name)
    memory = decoder.prepare(features, weight)
    state = decoder.init_state(memory)
    glimpse = decoder.look(state, memory)

    parts = list(gated_contexts(glimpse).values())
    whole = torch.cat(parts, -1) if name == "mami-concat" else torch.stack(parts).sum(0)

    torch.testing.assert_close(glimpse.drive, decoder.from_context(whole) + decoder.from_state(state.hidden))


@pytest.mark.parametrize("name", ["milan", "mami", "sat-soft"])
@torch.no_grad()
def test_a_closed_gate_leaves_the_picture_without_influence_on_the_step(make_decoder, features, vocabulary, name):
    decoder = make_decoder(name)
    decoder.gate.weight.zero_(), decoder.gate.bias.fill_(-1e9)  # β = 0
    state = decoder.init_state(decoder.prepare(features))
    spoken = torch.full((UNITS,), vocabulary.start)

    here = decoder.step(spoken, state, decoder.prepare(features))
    elsewhere = decoder.step(spoken, state, decoder.prepare(features.flip(0) + 3))

    assert torch.equal(here.log_probs, elsewhere.log_probs)
    assert (here.gate == 0).all()


@torch.no_grad()
def test_hard_attention_on_one_visible_region_is_soft_attention(make_decoder, features, vocabulary):
    soft, hard = make_decoder("sat-soft"), make_decoder("sat-hard")
    one = torch.zeros(UNITS, REGIONS)
    one[:, 4] = 1.0
    spoken = torch.full((UNITS,), vocabulary.start)
    expected = soft.step(spoken, soft.init_state(soft.prepare(features, one)), soft.prepare(features, one))
    for drawing in ("expectation", "argmax", "sample"):
        hard.drawing = drawing
        memory = hard.prepare(features, one)
        torch.testing.assert_close(hard.step(spoken, hard.init_state(memory), memory).log_probs, expected.log_probs)


@torch.no_grad()
def test_hard_attention_by_expectation_is_soft_attention(make_decoder, features, tokens, vocabulary):
    soft, hard = make_decoder("sat-soft"), make_decoder("sat-hard")
    expected = force(soft, soft.prepare(features), tokens, start=vocabulary.start)
    forced = force(hard, hard.prepare(features), tokens, start=vocabulary.start)
    torch.testing.assert_close(forced.log_probs, expected.log_probs)


@torch.no_grad()
def test_argmax_looks_at_the_most_attended_region(make_decoder, features):
    decoder = make_decoder("sat-hard", gate="none")
    decoder.drawing = "argmax"
    memory = decoder.prepare(features)
    state = decoder.init_state(memory)

    glimpse = decoder.look(state, memory)

    best = glimpse.heads["bahdanau"].weights.argmax(-1)
    context = features[torch.arange(UNITS), best]
    torch.testing.assert_close(glimpse.drive, decoder.from_context(context) + decoder.from_state(state.hidden))


@pytest.mark.parametrize("name", ["init-inject", "pre-inject", "par-inject", "merge"])
@torch.no_grad()
def test_the_picture_enters_where_the_name_says(make_decoder, features, vocabulary, name):
    decoder = make_decoder(name)
    memory = decoder.prepare(features)
    blank = replace(memory, vector=torch.zeros_like(memory.vector))
    state, spoken = decoder.init_state(memory), torch.full((UNITS,), vocabulary.start)

    first = bool((state.hidden != decoder.init_state(blank).hidden).any())
    seen, unseen = decoder.step(spoken, state, memory), decoder.step(spoken, state, blank)
    inside = bool((seen.state.hidden != unseen.state.hidden).any())
    output = bool((seen.log_probs != unseen.log_probs).any())

    assert (first, inside, output) == {
        "init-inject": (True, False, False),
        "pre-inject": (True, False, False),
        "par-inject": (False, True, True),
        "merge": (False, False, True),
    }[name]


@pytest.mark.parametrize("name", ["init-inject", "pre-inject", "par-inject", "merge"])
@torch.no_grad()
def test_how_strong_the_picture_is_does_not_matter(make_decoder, features, tokens, vocabulary, name):
    decoder = make_decoder(name)
    forced = force(decoder, decoder.prepare(features), tokens, start=vocabulary.start)
    louder = force(decoder, decoder.prepare(7 * features), tokens, start=vocabulary.start)
    torch.testing.assert_close(louder.log_probs, forced.log_probs)


def test_captions_of_a_unit_share_its_features(make_decoder, features):
    decoder = make_decoder("milan")
    memory = decoder.prepare(features)
    state = decoder.init_state(memory).repeat(4)
    glimpse = decoder.look(state, memory)
    assert glimpse.drive.shape[0] == 4 * UNITS
    torch.testing.assert_close(glimpse.drive[0], glimpse.drive[3])
    assert memory.features.data_ptr() == features.data_ptr()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"heads": ("bahdanua",)}, "head must be one of"),
        ({"combine": "product"}, "combine must be one of"),
        ({"dropout": 1.0}, r"dropout must be in \[0, 1\)"),
        ({"heads": ("self", "self")}, "different heads"),
        ({"combine": "literal"}, "equation 5"),
        ({"order": "after"}, "order=after needs attention, and an output"),
        ({"hidden_size": 0}, "hidden_size must be 1 or more"),
    ],
    ids=str,
)
def test_impossible_configurations_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        decoder_config("milan", feature_size=6, vocabulary_size=9, **changes)


def test_an_unknown_captioner_is_refused_with_the_nearest():
    with pytest.raises(ValueError, match=r"no captioner is called 'mamy'; try .*mami"):
        decoder_config("mamy", feature_size=6, vocabulary_size=9)


def test_features_of_another_encoder_are_refused(make_decoder):
    with pytest.raises(ValueError, match="regions have 9 channels, the decoder reads 6"):
        make_decoder("milan").prepare(draw(1, 2, 9))
    with pytest.raises(ValueError, match=r"weight .* does not fit features"):
        make_decoder("milan").prepare(draw(1, 2, FEATURES), torch.ones(1, 3))
    with pytest.raises(ValueError, match="asked for, but this decoder has"):
        make_decoder("milan").prepare(draw(1, 2, FEATURES), only=("luong",))
