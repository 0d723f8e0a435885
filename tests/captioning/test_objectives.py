"""The training losses against their formulas and, for hard attention, against every trajectory there is."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import pytest
import torch
from lively import FEATURES, REGIONS, draw

from mami_core.captioning.forcing import force
from mami_core.captioning.objectives import (
    HardAttentionLoss,
    HardAttentionSettings,
    caption_loss,
    doubly_stochastic_penalty,
)

SAMPLES = 4000


@torch.no_grad()
def test_caption_loss_is_the_mean_over_real_tokens(make_decoder, vocabulary):
    decoder = make_decoder("mami")
    tokens = vocabulary.batch(["red roof tiles", "a"])
    forced = force(decoder, decoder.prepare(draw(2, REGIONS, FEATURES)), tokens, start=vocabulary.start)
    said = [
        forced.log_probs[row, place, token].item()
        for row, text in enumerate(["red roof tiles", "a"])
        for place, token in enumerate(vocabulary.encode(text))
    ]
    assert caption_loss(forced, tokens, stop=vocabulary.stop).item() == pytest.approx(-sum(said) / len(said))


@pytest.mark.parametrize("share", [True, False], ids=["tau=C/N", "tau=1"])
def test_the_penalty_is_equation_9_over_real_steps_only(vocabulary, share):
    weights = draw(2, 5, REGIONS).softmax(-1)
    tokens = vocabulary.batch(["red roof tiles of", "a"])
    expected = 0.0
    for row, steps in enumerate((5, 2)):
        for region in range(REGIONS):
            received = sum(weights[row, step, region].item() for step in range(steps))
            expected += ((steps / REGIONS if share else 1.0) - received) ** 2 / 2

    penalty = doubly_stochastic_penalty(weights, tokens, stop=vocabulary.stop, share=share)
    longer = torch.cat([tokens, torch.full((2, 3), vocabulary.pad)], 1)
    padded = torch.cat([weights, draw(2, 3, REGIONS).softmax(-1)], 1)

    assert penalty.item() == pytest.approx(expected)
    assert doubly_stochastic_penalty(padded, longer, stop=vocabulary.stop, share=share).item() == pytest.approx(
        expected
    )


class Enumerated:
    """A tiny hard-attention decoder whose regions are chosen for it: L = 3 regions, T = 2 words, 9 trajectories."""

    def __init__(self, make_decoder, vocabulary) -> None:
        self.decoder, self.stop, self.start = make_decoder("sat-hard", scale=0.4), vocabulary.stop, vocabulary.start
        self.features = draw(1, 3, FEATURES, seed=9)
        self.tokens = vocabulary.batch(["red"])
        self.weights = list(self.decoder.heads.parameters())

    def follow(self, trajectory):
        """Return log p(y | s, a) and log p(s | a) of one trajectory of regions."""
        memory = self.decoder.prepare(self.features)
        state, said, log_p, log_s = self.decoder.init_state(memory), self.start, 0.0, 0.0
        for token, region in zip(self.tokens[0].tolist(), trajectory, strict=True):
            seen = self.decoder.look(state, memory).heads["bahdanau"].weights[0]
            log_s = log_s + seen[region].log()
            only = torch.zeros(1, 3, dtype=torch.float64)
            only[0, region] = 1.0
            drawn = replace(memory, log_weight=only.log())
            words = self.decoder.speak(torch.tensor([said]), self.decoder.look(state, drawn))
            log_p = log_p + words.log_probs[0, token]
            state, said = words.state, token
        return log_p, log_s

    def exact_gradient(self):
        """Return the gradient of -E_s[log p(y | s, a)] with respect to the attention's weights."""
        expected = 0.0
        for trajectory in itertools.product(range(3), repeat=2):
            log_p, log_s = self.follow(trajectory)
            expected = expected - log_s.exp() * log_p
        return self.flat(torch.autograd.grad(expected, self.weights))

    def sampled_gradients(self, baseline):
        """Return `SAMPLES` one-sample gradients of the surrogate, with the baseline held."""
        settings = HardAttentionSettings(reward_weight=1.0, entropy_weight=0.0, per_token=False)
        loss = HardAttentionLoss(settings).eval()
        loss.baseline.fill_(baseline)
        self.decoder.drawing = "sample"
        memory = self.decoder.prepare(self.features.expand(SAMPLES, -1, -1))
        tokens = self.tokens.expand(SAMPLES, -1)
        forced = force(self.decoder, memory, tokens, start=self.start)
        rewards = forced.caption_log_probs(tokens, stop=self.stop).detach()
        # the mean loss of many rows gives the mean gradient; single rows give its spread
        mean = self.flat(torch.autograd.grad(loss(forced, tokens, stop=self.stop), self.weights, retain_graph=True))
        some = [
            self.flat(torch.autograd.grad(self.one(loss, forced, tokens, row), self.weights, retain_graph=True))
            for row in range(150)
        ]
        return mean, torch.stack(some), rewards

    def one(self, loss, forced, tokens, row):
        single = replace(
            forced,
            log_probs=forced.log_probs[[row]],
            log_choice=forced.log_choice[[row]],
            entropy=forced.entropy[[row]],
        )
        return loss(single, tokens[[row]], stop=self.stop)

    @staticmethod
    def flat(gradients):
        return torch.cat([gradient.flatten() for gradient in gradients])


def test_the_hard_attention_gradient_is_that_of_all_trajectories_and_the_baseline_calms_it(make_decoder, vocabulary):
    torch.manual_seed(0)
    tiny = Enumerated(make_decoder, vocabulary)
    exact = tiny.exact_gradient()

    plain, spread, rewards = tiny.sampled_gradients(0.0)
    calmed, calm_spread, _ = tiny.sampled_gradients(rewards.mean().item())

    for mean, single in ((plain, spread), (calmed, calm_spread)):
        noise = (single.var(0).sum() / SAMPLES).sqrt()  # Monte-Carlo error of the mean
        assert (mean - exact).norm() < 3 * noise
    assert spread.var(0).sum() > 50 * calm_spread.var(0).sum()


def test_the_baseline_follows_the_reward(make_decoder, vocabulary):
    decoder, tokens = make_decoder("sat-hard").train(), vocabulary.batch(["red roof"] * 4)
    forced = force(decoder, decoder.prepare(draw(4, REGIONS, FEATURES)), tokens, start=vocabulary.start)
    loss = HardAttentionLoss().double()
    loss(forced, tokens, stop=vocabulary.stop)
    mean = (forced.caption_log_probs(tokens, stop=vocabulary.stop) / 3).mean().item()
    assert loss.baseline.item() == pytest.approx(0.1 * mean)


def test_half_of_the_units_draw_in_training_and_the_rest_expect(make_decoder):
    torch.manual_seed(1)
    coin = make_decoder("sat-hard").train().prepare(draw(400, 2, FEATURES)).coin
    assert 160 < int(coin.sum()) < 240


def test_only_units_whose_region_was_drawn_are_rewarded_for_the_choice(make_decoder, vocabulary):
    torch.manual_seed(2)
    decoder, tokens = make_decoder("sat-hard").train(), vocabulary.batch(["red roof"] * 20)
    memory = decoder.prepare(draw(20, REGIONS, FEATURES))
    forced = force(decoder, memory, tokens, start=vocabulary.start)
    assert bool(memory.coin.any())
    assert not bool(memory.coin.all())
    assert (forced.log_choice[~memory.coin] == 0).all()
    assert (forced.log_choice[memory.coin] < 0).all()


def test_the_hard_loss_is_equation_12(make_decoder, vocabulary):
    decoder, tokens = make_decoder("sat-hard"), vocabulary.batch(["red roof", "a"])
    decoder.drawing = "sample"
    forced = force(decoder, decoder.prepare(draw(2, REGIONS, FEATURES)), tokens, start=vocabulary.start)
    loss = HardAttentionLoss(HardAttentionSettings(reward_weight=0.3, entropy_weight=0.2)).eval()
    loss.baseline.fill_(-1.5)
    expected = 0.0
    for row, text in enumerate(("red roof", "a")):
        ids = vocabulary.encode(text)
        log_p = sum(forced.log_probs[row, step, token].item() for step, token in enumerate(ids)) / len(ids)
        steps = range(len(ids))
        chosen = sum(forced.log_choice[row, step].item() for step in steps)
        entropy = -sum(w * math.log(w) for step in steps for w in forced.weights["bahdanau"][row, step].tolist())
        expected += (-log_p - 0.3 * (log_p + 1.5) * chosen - 0.2 * entropy) / 2
    assert loss(forced, tokens, stop=vocabulary.stop).item() == pytest.approx(expected)


def test_soft_captions_have_no_hard_loss(make_decoder, vocabulary):
    decoder, tokens = make_decoder("sat-soft"), vocabulary.batch(["red"])
    forced = force(decoder, decoder.prepare(draw(1, REGIONS, FEATURES)), tokens, start=vocabulary.start)
    with pytest.raises(ValueError, match="selection=hard"):
        HardAttentionLoss()(forced, tokens, stop=vocabulary.stop)
