import pytest
import torch
from lively import FEATURES, REGIONS, coverage, draw

from mami_core.captioning.forcing import force
from mami_core.captioning.names import CAPTIONERS
from mami_core.captioning.visible import visible_regions


@pytest.mark.parametrize("name", CAPTIONERS)
@torch.no_grad()
def test_forcing_is_stepping(make_decoder, vocabulary, name):
    decoder = make_decoder(name)
    memory = decoder.prepare(draw(2, REGIONS, FEATURES), coverage(2, REGIONS))
    tokens = vocabulary.batch(["red roof", "tiles of a roof"])

    forced = force(decoder, memory, tokens, start=vocabulary.start)

    state, said = decoder.init_state(memory), torch.full((2,), vocabulary.start)
    for place in range(tokens.shape[1]):
        step = decoder.step(said, state, memory)
        torch.testing.assert_close(forced.log_probs[:, place], step.log_probs)
        for head, seen in step.heads.items():
            torch.testing.assert_close(forced.weights[head][:, place], seen.weights)
        state, said = step.state, tokens[:, place]


@torch.no_grad()
def test_captions_may_come_in_any_order_and_number(make_decoder, vocabulary):
    decoder, unit = make_decoder("mami"), [2, 0, 0, 2, 0, 1]
    features, weight = draw(3, REGIONS, FEATURES), coverage(3, REGIONS)
    tokens = vocabulary.batch(["red", "roof", "a roof", "tiles", "of", "a red roof"])

    forced = force(decoder, decoder.prepare(features, weight), tokens, start=vocabulary.start, unit=unit, norms=True)

    for place, owner in enumerate(unit):
        memory = decoder.prepare(features[[owner]], weight[[owner]])
        single = force(decoder, memory, tokens[[place]], start=vocabulary.start, norms=True)
        torch.testing.assert_close(forced.log_probs[[place]], single.log_probs)
        torch.testing.assert_close(forced.norms["self"][[place]], single.norms["self"])
        torch.testing.assert_close(forced.gate[[place]], single.gate)


def test_a_caption_about_no_unit_is_refused(make_decoder, vocabulary):
    decoder = make_decoder("milan")
    memory, tokens = decoder.prepare(draw(2, REGIONS, FEATURES)), vocabulary.batch(["red"])
    with pytest.raises(ValueError, match=r"unit indices must be in 0\.\.1"):
        force(decoder, memory, tokens, start=vocabulary.start, unit=[2])
    with pytest.raises(ValueError, match="1 captions but 2 unit indices"):
        force(decoder, memory, tokens, start=vocabulary.start, unit=[0, 1])
    with pytest.raises(ValueError, match="1 rows cannot be shared out over 2 units"):
        force(decoder, memory, tokens, start=vocabulary.start)


@torch.no_grad()
def test_leaving_hidden_regions_out_changes_nothing(make_decoder, vocabulary):
    decoder = make_decoder("mami")
    features, weight = draw(4, REGIONS, FEATURES), coverage(4, REGIONS)
    weight[1], weight[2, :], weight[2, 5] = 0.0, 0.0, 0.3
    tokens = vocabulary.batch(["red roof", "roof", "a", "tiles of a"])

    for rows in ([0, 1, 2, 3], [0, 2, 3]):
        visible = visible_regions(features[rows], weight[rows])
        full = force(decoder, decoder.prepare(features[rows], weight[rows]), tokens[rows], start=vocabulary.start)
        few = force(decoder, decoder.prepare(visible.features, visible.weight), tokens[rows], start=vocabulary.start)

        torch.testing.assert_close(few.log_probs, full.log_probs)
        torch.testing.assert_close(visible.scatter(few.weights["bahdanau"]), full.weights["bahdanau"])
        most = REGIONS if 1 in rows else int((weight[rows] > 0).sum(1).max())
        assert visible.features.shape[1] == most
